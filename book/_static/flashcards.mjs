// <hb-flashcards> shows the folded questions of the page one at a time and schedules them. Progress
// stays in this browser, in the file format of `python course.py cards`.
import { review } from "./fsrs.mjs";
import { table } from "./card_stats.mjs";
import { empty, merge, parse, read, suspend, undo, write } from "./progress.mjs";
import { download, fill, keySwitch, keysWork, make, span } from "./storage.mjs";

const NEW_PER_DAY = 10;
const AHEAD = 20 * 60_000;
const RATINGS = ["again", "hard", "good", "easy"];

const today = (moment) => new Date(moment).toDateString();

class Flashcards extends HTMLElement {
  connectedCallback() {
    this.words = JSON.parse(this.dataset.words);
    this.language = this.dataset.language;
    this.all = [...this.querySelectorAll("details[data-id]")];
    this.new = NEW_PER_DAY;
    this.kept = true;
    this.memory = empty();
    this.build();
    document.addEventListener("keydown", (event) => this.pressed(event));
    addEventListener("storage", () => this.show(false));
    this.show(false);
  }

  /** The progress: what the browser keeps, or else what this page remembers. */
  get progress() {
    return this.kept ? read() : this.memory;
  }

  set progress(content) {
    this.memory = content;
    this.kept = write(content);
  }

  build() {
    const { words } = this;
    const button = (name, action) => make("button", { type: "button", click: action }, words[name]);
    const choice = (names) => make("select", { change: () => this.show(false) },
      make("option", { value: "" }, words.all),
      ...Object.entries(names).map(([value, name]) => make("option", { value }, name)));
    this.topics = JSON.parse(this.dataset.topics);
    this.topic = choice(this.topics);
    this.level = choice(JSON.parse(this.dataset.levels));
    this.count = make("output", { "aria-live": "polite" });
    this.card = make("div", { class: "hb-card", tabindex: "-1" });
    this.buttons = make("div", { class: "hb-buttons" });
    this.status = make("p", { role: "status" });
    this.file = make("input", {
      type: "file", accept: ".json,application/json", hidden: true, change: () => this.take(),
    });
    this.stats = make("details", { class: "hb-fold", toggle: () => this.showStats() },
      make("summary", {}, words.stats), make("div"));
    this.append(
      make("div", { class: "hb-bar" }, make("label", {}, `${words.topic} `, this.topic),
        make("label", {}, `${words.level} `, this.level), this.count),
      this.card,
      this.buttons,
      make("div", { class: "hb-bar" },
        button("undo", () => this.press("u")), button("suspend", () => this.press("s")),
        button("restore", () => this.change((p) => suspend(p, p.suspended ?? [], false)))),
      make("div", { class: "hb-bar" },
        button("more", () => { this.new += NEW_PER_DAY; this.show(); }),
        button("export", () => download(this.progress, "halfbits-cards.json")),
        button("import", () => this.file.click()), this.file),
      this.status,
      this.stats,
      keySwitch(words),
    );
    this.querySelector(".hb-cards").hidden = true;
  }

  /** The cards of the chosen topic and level. */
  deck() {
    const [topic, level] = [this.topic.value, this.level.value];
    return this.all.filter(({ dataset }) =>
      (!topic || dataset.topic.split(" ").includes(topic)) && (!level || dataset.level === level));
  }

  /** The due cards, longest first, and the new ones that may begin today. */
  queue(now) {
    const { cards, reviews, suspended } = this.progress;
    const away = new Set(suspended);
    const all = this.deck().filter((card) => !away.has(card.dataset.id));
    const due = (card) => Date.parse(cards[card.dataset.id].due);
    const seen = all.filter((c) => c.dataset.id in cards).sort((a, b) => due(a) - due(b));
    const first = new Map();
    for (const [id, , moment] of reviews) if (!first.has(id)) first.set(id, moment);
    const begun = all.filter((c) => today(first.get(c.dataset.id) ?? 0) === today(now)).length;
    const unseen = all.filter((card) => !(card.dataset.id in cards));
    return {
      due: seen.filter((card) => due(card) <= now),
      fresh: unseen.slice(0, Math.max(0, this.new - begun)),
      nearly: seen.filter((c) => due(c) <= now + AHEAD && cards[c.dataset.id].state !== 2),
      next: seen.length ? due(seen[0]) : null,
    };
  }

  /** Show the next question; `focus` moves there for screen readers. */
  show(focus = true) {
    const now = Date.now();
    const { due, fresh, nearly, next } = this.queue(now);
    const { words } = this;
    this.current = due[0] ?? fresh[0] ?? nearly[0];
    this.open = false;
    this.count.value = `${due.length} ${words.due} · ${fresh.length} ${words.new}`;
    if (!this.kept) this.status.textContent = words.not_stored;
    if (!this.current) {
      const wait = next && fill(words.next_at, { span: span(next - now, words) });
      this.card.replaceChildren(make("p", {}, `${words.cards_done} ${wait ?? ""}`));
      this.buttons.replaceChildren();
      return;
    }
    const question = this.current.querySelector("summary").innerHTML;
    this.card.replaceChildren(
      make("p", { class: "hb-question-text", html: question }), make("p", {}, words.say));
    const turn = make("button", { type: "button", class: "hb-main", click: () => this.turn() },
      words.show);
    this.buttons.replaceChildren(turn);
    if (focus) this.card.focus();
  }

  turn() {
    const now = Date.now();
    const before = this.progress.cards[this.current.dataset.id];
    this.open = true;
    this.card.lastElementChild.remove();
    for (const part of [...this.current.children].slice(1)) this.card.append(part.cloneNode(true));
    this.buttons.replaceChildren(...RATINGS.map((name, i) => {
      const wait = span(Date.parse(review(before, i + 1, now).due) - now, this.words);
      return make("button", { type: "button", click: () => this.rate(i + 1) },
        make("kbd", {}, i + 1), ` ${this.words[name]} `, make("small", {}, wait));
    }));
    this.card.focus();
  }

  rate(rating) {
    const { id } = this.current.dataset;
    const now = Date.now();
    const progress = this.progress;
    progress.cards[id] = review(progress.cards[id], rating, now);
    progress.reviews.push([id, rating, new Date(now).toISOString()]);
    this.progress = progress;
    this.show();
  }

  change(action) {
    const { progress } = this;
    action(progress);
    this.progress = progress;
    this.show();
    this.showStats();
  }

  /** Take the deck's last rating back (u), or put the card away (s). */
  press(key) {
    const ids = new Set(this.deck().map((card) => card.dataset.id));
    if (key === "u") this.change((p) => undo(p, ids));
    else if (this.current) this.change((p) => suspend(p, [this.current.dataset.id]));
  }

  showStats() {
    if (!this.stats.open) return;
    this.stats.lastElementChild.replaceChildren(
      table(this.all, this.progress, this.topics, this.words));
  }

  pressed(event) {
    const busy = event.target.closest?.("input, select, textarea, a, summary, button");
    if (event.ctrlKey || event.metaKey || event.altKey || !this.current || !keysWork()) return;
    const typing = busy?.matches("input, select, textarea");
    if (["u", "s"].includes(event.key) && !typing) this.press(event.key);
    else if (event.key === " " && !this.open && !busy) this.turn();
    else if (this.open && /^[1-4]$/.test(event.key) && !typing) {
      this.rate(Number(event.key));
    } else return;
    event.preventDefault();
  }

  async take() {
    try {
      const theirs = parse(JSON.parse(await this.file.files[0].text()));
      const mine = this.progress;
      const taken = merge(mine, theirs);
      this.progress = mine;
      this.show(false);
      this.status.textContent = fill(this.words.imported, { count: taken });
    } catch {
      this.status.textContent = this.words.not_cards;
    }
    this.file.value = "";
  }
}

customElements.define("hb-flashcards", Flashcards);
