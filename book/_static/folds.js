// A link to a cell whose code is folded opens it: what it proves stands inside.
function openLinkedCell() {
  const cell = location.hash.startsWith("#cell-") && document.getElementById(location.hash.slice(1));
  if (!cell) return;
  const after = document.getElementById(`${cell.id}-after`);
  for (const one of [cell, after]) {
    for (const fold of one?.querySelectorAll("details.hide") ?? []) fold.open = true;
  }
  cell.scrollIntoView();
}

addEventListener("hashchange", openLinkedCell);
openLinkedCell();
