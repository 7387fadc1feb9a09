// The state of all flashcards and every review: checked, merged, kept in the browser. The same
// content as the cards.json of `python course.py cards`.
import { review } from "./fsrs.mjs";
import { load, save } from "./storage.mjs";

const KEY = "halfbits-cards";
export const empty = () => ({ version: 1, cards: {}, reviews: [] });

/** The cards and reviews of a file's content. Throws when it is something else. */
export function parse(content) {
  if (content.version !== 1 || !Array.isArray(content.reviews)) throw new Error("version");
  for (const { state, stability, difficulty, due, last_review } of Object.values(content.cards)) {
    const numbers = [stability, difficulty, Date.parse(due), Date.parse(last_review)];
    if (![1, 2, 3].includes(state) || !numbers.every(Number.isFinite)) throw new Error("card");
  }
  for (const [id, rating, moment] of content.reviews) {
    if (typeof id !== "string" || !(rating >= 1 && rating <= 4)) throw new Error("review");
    if (!Number.isFinite(Date.parse(moment))) throw new Error("moment");
  }
  if (!(content.suspended ?? []).every((id) => typeof id === "string")) throw new Error("suspended");
  return content;
}

/** Take back the last review of one of the cards, which becomes what its other reviews make of it. */
export function undo(content, ids) {
  const last = content.reviews.findLastIndex(([id]) => ids.has(id));
  if (last < 0) return null;
  const [[id]] = content.reviews.splice(last, 1);
  delete content.cards[id];
  for (const [other, rating, moment] of content.reviews) {
    if (other === id) content.cards[id] = review(content.cards[id], rating, Date.parse(moment));
  }
  return id;
}

/** Show cards no more, or again. */
export function suspend(content, ids, away = true) {
  const kept = new Set(content.suspended);
  for (const id of ids) away ? kept.add(id) : kept.delete(id);
  content.suspended = [...kept].sort();
  if (!kept.size) delete content.suspended;
}

/** Of each card the later state, and every review once; how many cards were taken. */
export function merge(mine, theirs) {
  let taken = 0;
  for (const [id, card] of Object.entries(theirs.cards)) {
    const old = mine.cards[id];
    if (old && Date.parse(old.last_review) >= Date.parse(card.last_review)) continue;
    mine.cards[id] = card;
    taken++;
  }
  const name = ([id, , moment]) => `${id} ${Date.parse(moment)}`;
  const known = new Set(mine.reviews.map(name));
  mine.reviews.push(...theirs.reviews.filter((entry) => !known.has(name(entry))));
  suspend(mine, theirs.suspended ?? []);
  mine.reviews.sort((a, b) => Date.parse(a[2]) - Date.parse(b[2]));
  return taken;
}

/** What the browser keeps; something unreadable is put aside, not thrown away. */
export function read() {
  const content = load(KEY);
  try {
    return content === null ? empty() : parse(content);
  } catch {
    save(`${KEY}-unreadable-${Date.now()}`, content);
    save(KEY, null);
    return empty();
  }
}

/** Keep the progress; false when the browser refuses. */
export const write = (content) => save(KEY, content);
