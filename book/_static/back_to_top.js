// The theme's "Back to top" appears when one scrolls up; its own script for that is left out.
const backToTop = document.querySelector("#pst-back-to-top");
let scrolledTo = 0;
backToTop?.addEventListener("click", () => scrollTo(0, 0));
addEventListener(
  "scroll",
  () => {
    if (backToTop) backToTop.style.display = scrolledTo > scrollY && scrollY > 0 ? "block" : "none";
    scrolledTo = scrollY;
  },
  { passive: true },
);
