// <hb-number-line>: the values of a format on an axis, under the numbers that have to fit them.

import { brief, h, s } from "./builders.mjs";
import { Figure, widget } from "./figure.mjs";
import { SHAPES, fitted, sample, values } from "./fitting.mjs";
import { FORMATS } from "./formats.mjs";

const NAMES = Object.keys(FORMATS).filter((name) => FORMATS[name].bits <= 16 && name !== "e8m0");
const LOW = 140; // where the histogram stands
export class NumberLine extends Figure {
  static state = {
    format: "fp4_e2m1",
    source: "bell",
    scaling: "largest to largest",
    axis: "linear",
    spread: "0",
  };
  static allowed = {
    format: NAMES,
    source: [...Object.keys(SHAPES), "yours"],
    scaling: ["largest to largest", "none"],
    axis: ["linear", "log"],
  };
  static tasks = [
    {
      text: "Choose the heavy tail and largest to largest. int8 turns many numbers into 0. Which format of 8 bits loses fewer than 1 in 100 of them, and why?",
      done: ({ state, result }) =>
        state.source === "heavy tail" &&
        state.scaling !== "none" &&
        result.zeros < 0.01 &&
        FORMATS[state.format].bits === 8,
      said: "A float's steps are small where the numbers are small; int8 has one step everywhere.",
    },
  ];

  build() {
    const own = this.data.samples ? ["yours"] : [];
    if (own.length) this.state.source = "yours";
    this.live = h("p", { class: "hb-live", "aria-live": "polite" });
    this.plot = h("div", {});
    return [
      h(
        "div",
        { class: "hb-controls" },
        this.choice("format", "Format"),
        this.choice("source", "Numbers", [...own, ...Object.keys(SHAPES)]),
        this.choice("scaling", "Scale"),
        this.choice("axis", "Axis"),
        this.slider("spread", "Spread of the numbers", -16, 12, 1, (text) =>
          brief(2 ** Number(text), 3),
        ),
      ),
      this.live,
      this.plot,
    ];
  }

  update() {
    const { format, source, scaling, axis, spread } = this.state;
    const numbers =
      source === "yours"
        ? this.data.samples.map((x) => x * 2 ** Number(spread))
        : sample(source, Number(spread));
    this.result = fitted(numbers, format, scaling);
    const { scale, sqnr, zeros, clipped } = this.result;
    const share = (part) => `${brief(100 * part, 3)}%`;
    const count = (this.grid?.[format] ?? values(format)).length;
    this.grid = { ...this.grid, [format]: this.grid?.[format] ?? values(format) };
    this.live.textContent =
      `${count.toLocaleString("en-US")} values, scale ${brief(scale, 3)}: ${share(zeros)} of the numbers become 0, ` +
      `${share(clipped)} are clipped, SQNR ${brief(sqnr, 3)} dB.`;
    this.plot.replaceChildren(
      drawn(
        numbers,
        this.grid[format].map((x) => x * scale),
        axis,
        this.result.amax,
        this.room - 40,
      ),
    );
  }
}

function drawn(numbers, grid, axis, amax, width) {
  const place = axis === "linear" ? linear(amax, width) : logarithmic(amax, width);
  const bars = histogram(numbers, place, width);
  const most = Math.max(...bars);
  const wide = width / bars.length;
  const columns = bars.map(
    (n, i) =>
      n &&
      `M${(i * wide).toFixed(1)} ${LOW}v${((-n / most) * (LOW - 15)).toFixed(1)}h${(wide - 1).toFixed(1)}V${LOW}z`,
  );
  const at = new Set(
    grid
      .map(place.at)
      .filter((x) => x >= 0 && x <= width)
      .map((x) => x.toFixed(1)),
  );
  const ticks = [...at].map((x) => `M${x} ${LOW + 6}v26`).join("");
  const label = `histogram of the numbers above the values of the format, ${axis} axis`;
  return s(
    "svg",
    { viewBox: `-20 0 ${width + 40} 215`, role: "img", "aria-label": label },
    s("path", {
      class: "a",
      d: columns.filter(Boolean).join(""),
      "fill-opacity": "0.75",
      "stroke-width": 0,
    }),
    s("path", { class: "b", d: ticks, "stroke-width": 1.6 }),
    s("line", { class: "axis", x1: 0, x2: width, y1: LOW + 38, y2: LOW + 38 }),
    place.marks.map((x) =>
      s("text", { x: place.at(x), y: LOW + 55, "text-anchor": "middle" }, brief(x, 2)),
    ),
    s(
      "text",
      { class: "soft", x: width, y: LOW + 72, "text-anchor": "end" },
      axis === "linear" ? "value" : "magnitude, on a logarithmic axis",
    ),
  );
}

function linear(amax, width) {
  const end = amax || 1;
  return {
    at: (x) => ((x / end + 1) / 2) * width,
    marks: [-1, -0.5, 0, 0.5, 1].map((part) => part * end),
  };
}

function logarithmic(amax, width) {
  const high = Math.ceil(Math.log2(amax || 1));
  const low = high - 18;
  const at = (x) => (x > 0 ? ((Math.log2(x) - low) / (high - low)) * width : -1);
  return { at, magnitude: true, marks: [0, 3, 6, 9, 12, 15, 18].map((up) => 2 ** (low + up)) };
}

function histogram(numbers, place, width) {
  const bars = Array(72).fill(0);
  for (const x of numbers) {
    const i = Math.floor((place.at(place.magnitude ? Math.abs(x) : x) / width) * bars.length);
    if (i >= 0) bars[Math.min(i, bars.length - 1)] += 1;
  }
  return bars;
}

export default widget("hb-number-line", NumberLine);
