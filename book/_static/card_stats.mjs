// How far somebody has come with the flashcards, by topic; counted as `python course.py cards --stats`.
import { make } from "./storage.mjs";

const FIRM = 21; // days of stability from which a card counts as known
const RECENT = 30 * 24 * 60 * 60_000;

/** The counts of the cards with these ids; reviews are those of the last 30 days. */
export function count(ids, { cards, reviews, suspended = [] }, now) {
  const wanted = new Set(ids);
  const seen = Object.entries(cards).filter(([id]) => wanted.has(id));
  const recent = reviews.filter(([id, , moment]) =>
    wanted.has(id) && Date.parse(moment) >= now - RECENT);
  return {
    cards: wanted.size,
    seen: seen.length,
    known: seen.filter(([, card]) => card.stability >= FIRM).length,
    suspended: suspended.filter((id) => wanted.has(id)).length,
    reviews: recent.length,
    remembered: recent.filter(([, rating]) => rating > 1).length,
  };
}

/** A table with a row for each topic of the cards and one for all; `topics` gives their names. */
export function table(all, content, topics, words) {
  const first = (card) => card.dataset.topic.split(" ")[0];
  const ids = (cards) => cards.map((card) => card.dataset.id);
  const row = (name, cards) => {
    const found = count(ids(cards), content, Date.now());
    const share = found.reviews ? `${Math.round((100 * found.remembered) / found.reviews)}%` : "";
    const cells = [found.cards, found.seen, found.known, found.suspended, found.reviews, share];
    return make("tr", {}, ...[name, ...cells].map((cell) => make("td", {}, cell)));
  };
  const names = [...new Set(all.map(first))];
  const heads = ["topic", "stat_cards", "stat_seen", "stat_known", "stat_suspended", "stat_reviews",
    "stat_remembered"].map((name) => make("th", { scope: "col" }, words[name]));
  const rows = names.map((name) => row(topics[name], all.filter((card) => first(card) === name)));
  const box = { class: "hb-scroll", tabindex: "0", role: "region", "aria-label": words.stats };
  return make("div", box, make("table", { class: "table" },
    make("thead", {}, make("tr", {}, ...heads)),
    make("tbody", {}, ...rows, row(words.total, all))));
}
