// The mock interview of the page: <hb-mock> asks, times, lets the points be ticked, and reports.
// Every step is kept in this browser, so a closed page goes on where it was.
import { Interview, LEVELS, change, report } from "./interview.mjs";
import { clock, earlier, reported } from "./mock_report.mjs";
import { keepReport, keepState, readReports, readState } from "./mock_state.mjs";
import { fill, keySwitch, keysWork, make } from "./storage.mjs";

class Mock extends HTMLElement {
  async connectedCallback() {
    this.words = JSON.parse(this.dataset.words);
    this.language = this.dataset.language;
    this.data = await (await fetch(this.dataset.source)).json();
    this.bank = new Map(this.data.questions.map((question) => [question.slug, question]));
    this.page = make("div", { class: "hb-mock" });
    this.replaceChildren(this.page, keySwitch(this.words));
    document.addEventListener("keydown", (event) => this.pressed(event));
    addEventListener("pagehide", () => this.keep());
    setInterval(() => this.tick(), 1000);
    const state = readState(this.language, this.bank);
    if (state) this.hold(new Interview(this.bank, state), false);
    else this.start();
  }

  button(name, action, main = false) {
    return make("button", { type: "button", click: action, class: main && "hb-main" },
      this.words[name]);
  }

  /** The form that begins an interview, and how earlier ones went. */
  start() {
    this.interview = null;
    const { words } = this;
    const option = (level) => make("option", { value: level, selected: level === "onsite" },
      this.data.levels[level]);
    const level = make("select", { name: "level" }, ...LEVELS.map(option));
    const number = (name, value, min, max) =>
      make("input", { type: "number", name, value, min, max, required: true });
    const minutes = number("minutes", 30, 5, 180);
    const seed = number("seed", Math.floor(Math.random() * 10_000), 0, 4294967295);
    const submit = (event) => {
      event.preventDefault();
      this.hold(Interview.begin(this.bank, {
        language: this.language, level: level.value, minutes: Number(minutes.value),
        seed: Number(seed.value),
      }));
    };
    this.page.replaceChildren(
      make("form", { class: "hb-bar", submit },
        make("label", {}, `${words.level} `, level),
        make("label", {}, `${words.minutes} `, minutes),
        make("label", {}, `${words.seed} `, seed),
        make("button", { class: "hb-main" }, words.begin)),
      earlier(readReports(), this),
    );
  }

  hold(interview, focus = true) {
    this.interview = interview;
    this.last = performance.now();
    this.show(focus);
  }

  /** Keep the state and show its step. */
  show(focus = true) {
    this.keep();
    const { interview, words } = this;
    if (interview.step === "done") return this.finish();
    this.time = make("p", { class: "hb-time", role: "timer" });
    this.page.replaceChildren(this.head(), this.time, ...this[interview.step](),
      this.button("new_mock", () => {
        if (!confirm(words.sure)) return;
        keepState(this.language, null);
        this.start();
      }));
    this.tick();
    if (focus) this.page.querySelector(".hb-question-text").focus();
  }

  head() {
    const { state, entry, question } = this.interview;
    const names = [this.data.topics[question.topic], this.data.levels[question.level],
      this.data.kinds[question.kind], `${question.minutes} ${this.words.min}`];
    const number = `${this.words.question} ${state.asked.length}`;
    return make("p", { class: "hb-about" },
      [entry.chained && this.words.asks_on, number, ...names].filter(Boolean).join(" · "));
  }

  asked(html) {
    return make("p", { class: "hb-question-text", tabindex: "-1", html });
  }

  spoken() {
    const action = () => { this.spend(); this.interview.answered(); this.show(); };
    return [make("p", {}, this.words.aloud), this.button("spoken", action, true)];
  }

  ask() {
    return [this.asked(this.interview.question.question), ...this.spoken()];
  }

  rate() {
    const { interview, words } = this;
    const box = (point, i) => make("label", {},
      make("input", {
        type: "checkbox", checked: interview.ticks[i],
        change: () => { interview.toggle(i); this.keep(); },
      }), make("kbd", {}, i + 1), make("span", { html: point }));
    return [
      this.asked(interview.question.question),
      make("details", { class: "hb-fold hb-short", open: true },
        make("summary", {}, words.answer), make("div", { html: interview.question.short }),
        make("a", { href: interview.question.url }, words.full)),
      make("fieldset", {}, make("legend", {}, words.tick), ...interview.question.points.map(box)),
      this.button("go_on", () => { interview.rate(); this.show(); }, true),
    ];
  }

  probe() {
    const { question, ticks, probe } = this.interview;
    const missed = ticks.indexOf(false);
    const html = fill(this.words.missing, { point: question.points[missed] });
    return [make("p", {}, this.words.follow_up), missed < 0 ? "" : make("p", { html }),
      this.asked(probe[0]), ...this.spoken()];
  }

  judge() {
    const { probe } = this.interview;
    const button = (name, good) =>
      this.button(name, () => { this.interview.judge(good); this.show(); }, good);
    return [this.asked(probe[0]), make("div", { class: "hb-fold hb-short", html: probe[1] }),
      make("p", {}, this.words.well),
      make("div", { class: "hb-buttons" }, button("yes", true), button("no", false))];
  }

  finish() {
    keepState(this.language, null);
    const { state } = this.interview;
    if (!state.asked.length) {
      this.start();
      this.page.append(make("p", { role: "status" }, this.words.nothing_fits));
      return;
    }
    const found = report(this.bank, state);
    const others = keepReport(found);
    this.interview = null;
    this.page.replaceChildren(...reported(found, change(found, others), this),
      this.button("new_mock", () => this.start(), true));
    this.page.firstElementChild.focus();
  }

  /** Count the time since last counted, while somebody is to speak. */
  spend() {
    const now = performance.now();
    if (["ask", "probe"].includes(this.interview?.step)) {
      this.interview.spend((now - this.last) / 1000);
    }
    this.last = now;
  }

  tick() {
    this.spend();
    if (!this.interview) return;
    const { seconds, entry, state } = this.interview;
    const [spent, whole] = [clock(seconds), clock(60 * state.minutes)];
    this.time.textContent = `${clock(entry.seconds)} (${spent} ${this.words.of} ${whole})`;
    this.time.classList.toggle("hb-late", seconds > 60 * state.minutes);
    if (Math.floor(seconds) % 5 === 0) this.keep();
  }

  keep() {
    if (!this.interview || keepState(this.language, this.interview.state)) return;
    if (this.page.querySelector("[role=status]")) return;
    this.page.append(make("p", { role: "status" }, this.words.not_stored));
  }

  /** Space: answered; digits: tick; Enter: go on; y and n: judge the follow-up. */
  pressed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !this.interview || !keysWork()) return;
    const at = event.target.closest?.("input, select, textarea, a, summary, button");
    const free = !at || at.matches("[type=checkbox]") && event.key !== " ";
    const { step } = this.interview;
    const find = (selector) => [...this.page.querySelectorAll(selector)];
    let target = null;
    if (step === "rate" && /^[1-9]$/.test(event.key)) {
      target = find("[type=checkbox]")[event.key - 1];
    } else if (step === "judge" && ["y", "n"].includes(event.key)) {
      target = find(".hb-buttons button")[event.key === "y" ? 0 : 1];
    } else if (free && event.key === (step === "rate" ? "Enter" : " ") && step !== "judge") {
      [target] = find(".hb-main");
    }
    if (!target) return;
    event.preventDefault();
    target.click();
  }
}

customElements.define("hb-mock", Mock);
