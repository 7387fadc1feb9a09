// Shows the exercises of one reader's path. The choice stands in the address, so that it can be kept
// or sent; without this script all exercises are shown, with their paths.
const form = document.querySelector(".hb-paths");
const choice = form.elements.path;
const bodies = [...document.querySelectorAll("[data-exercises] tbody")];

function show() {
  let count = 0;
  for (const body of bodies) {
    const rows = [...body.querySelectorAll("tr[data-paths]")];
    for (const row of rows) {
      row.hidden = choice.value !== "" && !row.dataset.paths.split(" ").includes(choice.value);
      count += !row.hidden;
    }
    body.hidden = rows.every((row) => row.hidden);
  }
  form.querySelector("output").value = `${count} exercises`;
}

function fromHash() {
  choice.value = new URLSearchParams(location.hash.slice(1)).get("path") ?? "";
  if (choice.selectedIndex === -1) choice.selectedIndex = 0;
  show();
}

form.addEventListener("input", () => {
  const hash = choice.value ? `#path=${choice.value}` : location.pathname + location.search;
  history.replaceState(null, "", hash);
  show();
});
form.addEventListener("submit", (event) => event.preventDefault());
addEventListener("hashchange", fromHash);
form.hidden = false;
fromHash();
