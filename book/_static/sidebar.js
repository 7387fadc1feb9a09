// The contents are longer than the window. The theme scrolls them to where they were on the page
// before; once it has, bring the page that is open into view.
addEventListener("load", () => {
  const contents = document.querySelector(".bd-sidebar-primary");
  const here = [...(contents?.querySelectorAll("li.current > a.current") ?? [])].at(-1);
  if (!here) return;
  const below = here.getBoundingClientRect().top - contents.getBoundingClientRect().top;
  const seen = below > 0 && below < contents.clientHeight - here.clientHeight;
  if (!seen) contents.scrollTop += below - contents.clientHeight / 3;
});
