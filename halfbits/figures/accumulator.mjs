// <hb-accumulator>: a sum in a small format, step by step, beside better ways to add.

import { brief, facts, h, s } from "./builders.mjs";
import { Figure, widget } from "./figure.mjs";
import { spacing } from "./formats.mjs";
import { SERIES, kahan, naive, pairwise, terms, wide } from "./sums.mjs";

const NAMES = ["fp8_e4m3fn", "fp8_e5m2", "bf16", "fp16", "fp32"];
const WAYS = [
  ["one accumulator", "b"],
  ["Kahan", "c"],
  ["pairwise", "d"],
  ["fp32 accumulator", "a"],
];

export class Accumulator extends Figure {
  static state = { format: "bf16", series: "ones", added: "200", length: "10" };
  static allowed = { format: NAMES, series: Object.keys(SERIES) };
  static tasks = [
    {
      text: "Move to the first term that no longer changes the bf16 sum of ones. What is the spacing of the sum there, and which ways go on?",
      done: ({ state, row }) =>
        state.format === "bf16" && state.series === "ones" && row.stalled && state.added <= 260,
      said: "At 256 the spacing is 2: adding 1 is half a step, and the tie goes back to the even 256.",
    },
  ];

  settle(changes) {
    const most = 2 ** Number(changes.length ?? this.state.length);
    const added = Math.round(Number(changes.added ?? this.state.added)) || 1;
    return { ...changes, added: String(Math.min(Math.max(added, 1), most)) };
  }

  build() {
    this.live = h("p", { class: "hb-live", "aria-live": "polite" });
    this.plot = h("div", {});
    this.facts = h("div", {});
    const step = (by, label) =>
      h(
        "button",
        {
          type: "button",
          onclick: () => this.set({ added: String(Number(this.state.added) + by) }),
        },
        label,
      );
    return [
      h(
        "div",
        { class: "hb-controls" },
        this.choice("format", "Format of the sum"),
        this.choice("series", "Terms"),
        this.slider("length", "How many", 4, 13, 1, (text) =>
          (2 ** Number(text)).toLocaleString("en-US"),
        ),
        this.slider("added", "Added so far", 1, 1024, 1),
        step(-1, "Back one"),
        step(1, "Add one"),
        step(16, "Add 16"),
      ),
      this.live,
      this.facts,
      this.plot,
    ];
  }

  update() {
    const { format, series, length } = this.state;
    const key = `${format} ${series} ${length}`;
    if (this.key !== key) this.compute(key);
    this.inputs.added.max = String(2 ** Number(length));
    this.inputs.added.value = this.state.added;
    const n = Number(this.state.added);
    const { x, sums } = this;
    const before = n > 1 ? sums[0][n - 2] : 0;
    this.row = {
      term: x[n - 1],
      before,
      sum: sums[0][n - 1],
      stalled: sums[0][n - 1] === before && x[n - 1] !== 0,
    };
    const change = this.row.stalled
      ? "the sum does not change"
      : `the sum becomes ${brief(this.row.sum, 7)}`;
    this.live.textContent = `Term ${n.toLocaleString("en-US")}: ${brief(before, 7)} + ${brief(this.row.term, 5)}, ${change}.`;
    const exact = this.exact[n - 1];
    const error = (sum) =>
      `${brief(sum, 7)} (${exact ? brief((100 * (sum - exact)) / exact, 2) : 0}%)`;
    const now = [sums[0][n - 1], sums[1][n - 1], pairwise(x.slice(0, n), format), sums[3][n - 1]];
    this.facts.replaceChildren(
      facts([
        ["spacing of the sum", brief(spacing(before, format), 5)],
        ["exact sum of the terms", brief(exact, 7)],
        ...WAYS.map(([label, color], i) => [mark(label, color), error(now[i])]),
      ]),
    );
    this.plot.replaceChildren(this.drawn(n));
  }

  compute(key) {
    const { format, series, length } = this.state;
    this.key = key;
    this.x = terms(series, 2 ** Number(length), format);
    this.exact = naive(this.x, "fp64");
    const at = this.places();
    const pairs = Object.fromEntries(at.map((n) => [n - 1, pairwise(this.x.slice(0, n), format)]));
    this.sums = [naive(this.x, format), kahan(this.x, format), pairs, wide(this.x, format)];
  }

  places() {
    const n = this.x.length;
    return [
      ...new Set(Array.from({ length: 65 }, (_, i) => Math.max(1, Math.round((i * n) / 64)))),
    ];
  }

  drawn(n) {
    const [width, height] = [this.room - 60, 200];
    const top = Math.max(this.exact.at(-1), 1e-9) * 1.05;
    const x = (k) => ((k / this.x.length) * width).toFixed(1);
    const y = (sum) => (height - (Math.min(sum, top) / top) * height).toFixed(1);
    const line = (sums) =>
      this.places()
        .filter((k) => Number.isFinite(sums[k - 1]))
        .map((k) => `${x(k)},${y(sums[k - 1])}`)
        .join(" ");
    const label = `running sums against the number of terms: ${WAYS.map(([way]) => way).join(", ")}`;
    return s(
      "svg",
      { viewBox: `-50 -8 ${this.room} ${height + 45}`, role: "img", "aria-label": label },
      s("path", { class: "axis", d: `M0 0V${height}H${width}` }),
      s("polyline", { class: "axis", "stroke-dasharray": "3 4", points: line(this.exact) }),
      WAYS.map(([, color], i) =>
        s("polyline", {
          class: `${color} thin`,
          points: line(this.sums[i]),
          "stroke-dasharray": ["", "9 4", "2 3", "14 3 2 3"][i],
        }),
      ),
      s("line", { class: "grid", x1: x(n), x2: x(n), y1: 0, y2: height }),
      s("circle", { class: "b", cx: x(n), cy: y(this.sums[0][n - 1]), r: 5 }),
      [0, 0.5, 1].map((part) =>
        s(
          "text",
          { x: -6, y: Number(y((part * top) / 1.05)) + 4, "text-anchor": "end" },
          brief((part * top) / 1.05),
        ),
      ),
      s(
        "text",
        { x: width, y: height + 18, "text-anchor": "end" },
        `${this.x.length.toLocaleString("en-US")} terms`,
      ),
      s("text", { class: "soft", x: 0, y: height + 34 }, "gray, dotted: the exact sum"),
    );
  }
}

function mark(label, color) {
  return h("span", {}, h("span", { class: color, "aria-hidden": "true" }, "■ "), label);
}

export default widget("hb-accumulator", Accumulator);
