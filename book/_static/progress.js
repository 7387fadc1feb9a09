// Ticks the exercises that the learner has solved. Only the course's own server knows them; it marks
// its pages with <meta name="halfbits-lab">, and anywhere else nothing is asked for or shown.
async function showProgress() {
  if (!document.querySelector('meta[name="halfbits-lab"]')) return;
  const answer = await fetch(`${document.documentElement.dataset.content_root}progress.json`);
  if (!answer.ok) return;
  const exercises = await answer.json();
  const stateOf = (address) =>
    exercises[/\/exercises\/(.+)\.html$/.exec(new URL(address).pathname)?.[1]];
  for (const link of document.querySelectorAll(".bd-docs-nav a")) {
    const state = stateOf(link.href);
    if (state) link.append(progressMark(state));
  }
  const here = stateOf(location.href);
  if (here) {
    const said = document.createElement("span");
    said.className = "hb-progress";
    said.textContent = `${here.passed} of ${here.total} checks passed`;
    document.querySelector(".hb-run")?.append(said);
  }
}

/** A tick, or how many checks pass so far; a screen reader hears a word for the tick. */
function progressMark({ passed, total, solved }) {
  const mark = document.createElement("span");
  mark.className = solved ? "hb-tick hb-solved" : "hb-tick";
  mark.textContent = solved ? " solved" : ` ${passed}/${total}`;
  return mark;
}

showProgress();
