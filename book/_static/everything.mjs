// The page of one's own progress: lessons, quizzes, exercises, cards, mock interviews; to save and to
// read from a file. `learned.js` keeps and merges what is shown here.
import { merge, parse, read, write } from "./progress.mjs";
import { download, make } from "./storage.mjs";

const place = document.querySelector(".hb-everything");
const links = (folder) => [...document.querySelectorAll(`.bd-docs-nav a[href*="${folder}/"]`)];
const unique = (all) => [...new Map(all.map((link) => [learned.page(link.href), link])).values()];
const titleOf = (link) => link.firstChild.textContent.trim();

function row(...cells) {
  return make("tr", {}, ...cells.map((cell) => make("td", {}, cell)));
}

function lessonRow(link) {
  const page = learned.page(link.href);
  const quiz = learned.entry(`quiz:${page}`);
  return row(
    make("a", { href: link.href }, titleOf(link)),
    learned.entry(`read:${page}`)?.yes ? "read" : "",
    quiz?.tried ? `${quiz.right} of ${quiz.tried} tried` : "",
  );
}

async function exercises() {
  if (!learned.served) return "The course's own server knows them: python course.py start";
  const answer = await fetch(`${learned.root}progress.json`);
  if (!answer.ok) return "The server does not tell.";
  const states = Object.values(await answer.json());
  const all = unique(links("exercises")).filter((link) => /\/exercises\/\w+\/\w+\.html/.test(link.href));
  return `${states.filter((state) => state.solved).length} of ${all.length} solved, ${states.length} tried`;
}

function cards() {
  const { cards: known = {}, reviews = [] } = learned.part("cards") ?? {};
  const due = Object.values(known).filter((card) => Date.parse(card.due) <= Date.now()).length;
  return `${Object.keys(known).length} seen, ${reviews.length} reviews, ${due} due now`;
}

async function show() {
  const lessons = unique(links("notebooks")).filter((link) => !link.href.includes("/faq_"));
  const read = lessons.filter((link) => learned.entry(`read:${learned.page(link.href)}`)?.yes).length;
  const last = learned.entry("last");
  const summary = make(
    "tbody",
    {},
    row("Lessons", `${read} of ${lessons.length} read`),
    row("Exercises", await exercises()),
    row("Flashcards", cards()),
    row("Mock interviews", `${(learned.part("reports") ?? []).length} finished`),
  );
  const head = ["Lesson", "Read", "Quiz, right at once"].map((name) => make("th", { scope: "col" }, name));
  place.replaceChildren(
    make("p", {}, last ? make("a", { href: `${learned.root}${last.page}.html` }, `Continue: ${last.title}`) : "Nothing is begun yet."),
    make("table", { class: "table" }, make("caption", {}, "All together"), summary),
    make("table", { class: "table" }, make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...lessons.map(lessonRow))),
    files(),
  );
}

function files() {
  const said = make("span", { role: "status" });
  const input = make("input", { type: "file", accept: ".json", "aria-label": "Read from a file", change: () => readFile(input.files[0], said) });
  return make("p", { class: "hb-files" }, make("button", { type: "button", click: saveFile }, "Save to a file"), make("label", {}, "Read from a file ", input), said);
}

function saveFile() {
  download({ version: 1, ...learned.content() }, "halfbits-progress.json");
}

function takeCards(theirs) {
  const mine = read();
  merge(mine, theirs);
  write(mine);
}

async function readFile(file, said) {
  try {
    const content = JSON.parse(await file.text());
    if (content.version !== 1 || typeof (content.entries ?? {}) !== "object") throw new Error("version");
    const cards = content.cards && parse(content.cards);
    learned.take(content);
    if (cards) takeCards(cards);
  } catch {
    said.textContent = "This file holds no progress.";
    return;
  }
  await learned.send();
  await show();
  place.querySelector("[role=status]").textContent = "Taken over: of each entry the later one.";
}

document.addEventListener("halfbits-learned", show);
show();
