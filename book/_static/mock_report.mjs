// What the page shows of interviews that ended: the report of one, and the earlier ones.
import { score } from "./interview.mjs";
import { fill, make } from "./storage.mjs";

/** Minutes and seconds, such as 3:07. */
export const clock = (seconds) =>
  `${Math.floor(seconds / 60)}:${String(Math.floor(seconds) % 60).padStart(2, "0")}`;

const percent = (counts) => `${Math.round(100 * score(counts))}%`;

/** A table that scrolls by itself where the page is narrow. */
function table(heads, rows) {
  const cells = (tag, row) => make("tr", {}, ...row.map((cell) => make(tag, {}, cell)));
  const box = { class: "hb-scroll", tabindex: "0", role: "region", "aria-label": heads[0] };
  return make("div", box, make("table", { class: "table" },
    make("thead", {}, cells("th", heads)), make("tbody", {}, ...rows.map((r) => cells("td", r)))));
}

/** The scores of the reports in the page's language, as a table; nothing without any. */
export function earlier(reports, { language, words, data }) {
  const row = (r) => [r.began.slice(0, 16).replace("T", " "), data.levels[r.level],
    r.minutes, `${r.got} ${words.of} ${r.of}`, percent(r)];
  const heads = ["earlier", "level", "minutes", "score"].map((name) => words[name]);
  const rows = reports.filter((found) => found.language === language).map(row);
  return rows.length ? table([...heads, "%"], rows) : "";
}

/** The elements of one report; `rises` is the change since the last one. */
export function reported(found, rises, { words, data, bank }) {
  const rise = (by) => (by === undefined ? "" : `${by < 0 ? "" : "+"}${Math.round(100 * by)}`);
  const compared = "" in rises;
  const row = (name, counts, by) => [name, `${counts.got} ${words.of} ${counts.of}`,
    percent(counts), ...(compared ? [rise(by)] : []), clock(counts.seconds)];
  const heads = [words.topic, words.score, "%", ...(compared ? [words.change] : []), words.time];
  const topics = Object.entries(found.topics).sort((a, b) => score(a[1]) - score(b[1]));
  const rows = topics.map(([name, counts]) => row(data.topics[name], counts, rises[name]));
  const weak = found.weakest.map((name) => data.topics[name]).join(words.comma);
  const question = (slug) => {
    const { url, question: html } = bank.get(slug);
    return make("a", { href: url, html });
  };
  const missed = found.questions.filter((entry) => entry.missed.length).map((entry) =>
    make("li", {}, question(entry.slug), make("ul", {}, ...entry.missed.map((i) =>
      make("li", { html: bank.get(entry.slug).points[i] })))));
  const links = (names, all) => names.map((name) =>
    make("li", {}, make("a", { href: all[name][1] }, all[name][0])));
  const list = (name, items) =>
    items.length ? [make("h3", {}, words[name]), make("ul", {}, ...items)] : [];
  return [
    make("h2", { tabindex: "-1" }, `${words.report} · ${data.levels[found.level]}`),
    table(heads, [...rows, row(words.total, found, rises[""])]),
    make("p", {}, weak ? fill(words.weakest, { topics: weak }) : words.none_weak),
    ...list("missed", missed),
    ...list("lessons", links(found.lessons, data.lessons)),
    ...list("exercises", links(found.exercises, data.exercises)),
    ...list("not_reached", found.not_reached.map((slug) => make("li", {}, question(slug)))),
  ];
}
