// Loads a component when its place comes near the window, or at once when the address names it.

const named = (element) =>
  location.hash
    .slice(1)
    .split("&")
    .some((pair) => pair.startsWith(`${element.id}.`));

const watch = new IntersectionObserver(
  (seen) => seen.filter((one) => one.isIntersecting).forEach((one) => load(one.target)),
  { rootMargin: "150% 0px" },
);

function load(element) {
  watch.unobserve(element);
  return import(new URL(`${element.localName.slice(3)}.mjs`, import.meta.url));
}

for (const element of document.querySelectorAll(".hb-figure")) {
  if (named(element)) load(element).then(() => element.scrollIntoView());
  else watch.observe(element);
}
