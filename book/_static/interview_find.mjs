// Filters the tables of questions as one types. The filter stands in the address, so that it can be
// kept, sent and gone back to; without this script both tables are shown whole.
const form = document.querySelector(".hb-find");
const fields = [...form.elements].filter((field) => field.name);
const tables = [...document.querySelectorAll("[data-table]")];

/** The fields that differ from their first choice, as the address's fragment. */
function toHash() {
  const kept = fields.filter((field) => field.value !== (field.name === "lang" ? "en" : ""));
  return new URLSearchParams(kept.map((field) => [field.name, field.value])).toString();
}

function fromHash() {
  const wanted = new URLSearchParams(location.hash.slice(1));
  for (const field of fields) {
    field.value = wanted.get(field.name) ?? (field.name === "lang" ? "en" : "");
    if (field.selectedIndex === -1) field.selectedIndex = 0;
  }
}

function fits(row, wanted, words) {
  if (wanted.topic && !row.dataset.topic.split(" ").includes(wanted.topic)) return false;
  if (wanted.level && row.dataset.level !== wanted.level) return false;
  if (wanted.kind && row.dataset.kind !== wanted.kind) return false;
  const text = `${row.textContent} ${row.dataset.text}`.toLowerCase();
  return words.every((word) => text.includes(word));
}

function show() {
  const wanted = Object.fromEntries(fields.map((field) => [field.name, field.value]));
  const words = wanted.text.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  for (const table of tables) {
    table.hidden = table.dataset.table !== wanted.lang;
    for (const row of table.querySelectorAll("tbody tr")) {
      row.hidden = !fits(row, wanted, words);
      count += !table.hidden && !row.hidden;
    }
  }
  const output = form.querySelector("output");
  const phrase = output.dataset[`${wanted.lang}${count === 1 ? "One" : "Several"}`];
  output.value = phrase.replace("{}", count);
}

/** Chinese text is looked for in Chinese; other text in the table that has it. */
function switchLanguage() {
  const { text, lang } = form.elements;
  const count = (name) => {
    lang.value = name;
    show();
    return tables.find((table) => !table.hidden).querySelectorAll("tbody tr:not([hidden])").length;
  };
  const before = lang.value;
  const names = /[\u3400-\u9fff]/.test(text.value) ? ["zh"] : [before, "en", "zh"];
  lang.value = names.find(count) ?? names[0];
}

function changed(event) {
  if (event?.target === form.elements.text && event.target.value.trim()) switchLanguage();
  const hash = toHash();
  history.replaceState(null, "", hash ? `#${hash}` : location.pathname + location.search);
  show();
}

form.addEventListener("input", changed);
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("reset", () => setTimeout(changed));
addEventListener("hashchange", () => {
  fromHash();
  show();
});
form.hidden = false;
fromHash();
show();
