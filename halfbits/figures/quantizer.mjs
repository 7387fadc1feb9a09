// <hb-quantizer>: real weights of the tiny LM, rounded the way a person chooses.

import { brief, facts, h, s, table } from "./builders.mjs";
import { Figure, widget } from "./figure.mjs";
import { quantized, unpacked } from "./quantize.mjs";
import { WEIGHTS } from "./weights.mjs";

const SIZES = [
  ["tensor", "the matrix"],
  ["channel", "each row"],
  ["128", "128 weights"],
  ["64", "64 weights"],
  ["32", "32 weights"],
  ["16", "16 weights"],
];

export class Quantizer extends Figure {
  static state = { bits: "4", kind: "symmetric", granularity: "channel", clip: "100", row: "0" };
  static allowed = { kind: ["symmetric", "affine"], granularity: SIZES.map(([name]) => name) };
  static tasks = [
    {
      text: "Bring 4-bit weights above 20 dB with at most 4.25 true bits a weight. Which choices pay for themselves?",
      done: ({ state, result }) =>
        state.bits === "4" && result.sqnr > 20 && result.trueBits <= 4.25,
      said: "A zero point or a clip costs nearly nothing; small groups pay with scale bits.",
    },
    {
      text: "Symmetric codes of 4 bits, a scale for each row: which part of the range should be kept? Find the highest SQNR.",
      done: (figure) => figure.isBestClip(),
      said: "A finer step for all weights is worth more than the few that are cut off.",
    },
  ];

  settle(changes) {
    const within = { bits: [2, 8], clip: [40, 100], row: [0, WEIGHTS.rows - 1] };
    const kept = Object.entries(changes).map(([name, text]) => {
      const [low, high] = within[name] ?? [];
      return [
        name,
        low === undefined
          ? text
          : String(Math.min(Math.max(Math.round(Number(text)) || low, low), high)),
      ];
    });
    return Object.fromEntries(kept);
  }

  build() {
    this.weights = unpacked(WEIGHTS);
    this.live = h("p", { class: "hb-live", "aria-live": "polite" });
    this.facts = h("div", {});
    this.plot = h("div", {});
    this.list = h("div", {});
    return [
      h(
        "div",
        { class: "hb-controls" },
        this.slider("bits", "Bits", 2, 8, 1),
        this.choice("kind", "Codes"),
        this.choice("granularity", "One scale for", SIZES),
        this.slider("clip", "Range kept", 40, 100, 5, (text) => `${text}%`),
        this.slider("row", "Row shown", 0, WEIGHTS.rows - 1, 1),
      ),
      this.live,
      this.facts,
      this.plot,
      this.list,
    ];
  }

  update() {
    const { bits, kind, granularity, clip, row } = this.state;
    this.result = quantized(this.weights, {
      bits: Number(bits),
      kind,
      granularity,
      clip: Number(clip) / 100,
    });
    const { groups, sqnr, trueBits, values } = this.result;
    this.live.textContent = `SQNR ${brief(sqnr)} dB with ${brief(trueBits)} true bits a weight.`;
    const exact = this.weights.flat();
    const worst = exact.reduce((most, x, i) => Math.max(most, Math.abs(x - values[i])), 0);
    const zeros = values.filter((x) => x === 0).length / values.length;
    this.facts.replaceChildren(
      facts([
        ["weights shown here", `${exact.length.toLocaleString("en-US")} of the tiny LM`],
        ["scales", groups.length.toLocaleString("en-US")],
        ["largest error", brief(worst, 3)],
        ["become 0", `${brief(100 * zeros, 3)}%`],
        ["smaller than bf16", `${brief(16 / trueBits, 3)} times`],
      ]),
    );
    const own = this.groupOf(Number(row));
    this.plot.replaceChildren(
      this.drawn(
        own,
        exact.map((x, i) => x - values[i]),
      ),
    );
    const shown = this.weights[Number(row)].slice(0, 8);
    this.list.replaceChildren(
      table(
        `The first weights of row ${row}: scale ${brief(own.scale, 5)}, zero point ${own.zero}`,
        ["number", ...shown.map((_, i) => String(i))],
        [
          ["weight", ...shown.map((x) => brief(x, 3))],
          ["code", ...shown.map((_, i) => brief(own.codes[own.from + i]))],
          ["restored", ...shown.map((_, i) => brief(own.values[own.from + i], 3))],
        ],
      ),
    );
  }

  isBestClip() {
    const { bits, kind, granularity, clip } = this.state;
    if (bits !== "4" || kind !== "symmetric" || granularity !== "channel") return false;
    const nearby = [-5, 5].map((more) => Math.min((Number(clip) + more) / 100, 1));
    return nearby.every(
      (part) =>
        part * 100 === Number(clip) ||
        quantized(this.weights, { bits: 4, kind, granularity, clip: part }).sqnr < this.result.sqnr,
    );
  }

  /** The group that holds the first weight of a row, and where it stands in it. */
  groupOf(row) {
    const { granularity } = this.state;
    const size = WEIGHTS.columns;
    if (granularity === "tensor") return { ...this.result.groups[0], from: row * size };
    const each = granularity === "channel" ? 1 : size / Number(granularity);
    return { ...this.result.groups[row * each], from: 0 };
  }

  drawn(group, errors) {
    const half = Math.max(120, (this.room - 30) / 2);
    const { bits, kind } = this.state;
    const low = kind === "affine" ? 0 : -(2 ** (Number(bits) - 1) - 1);
    const high = kind === "affine" ? 2 ** Number(bits) - 1 : -low;
    const codes = counted(
      this.result.groups.flatMap(({ codes }) => codes),
      low - 0.5,
      high + 0.5,
      high - low + 1,
    );
    const end = errors.reduce((most, x) => Math.max(most, Math.abs(x)), 1e-12);
    const parts = [
      bars(codes, half, "a", brief(low), brief(high), "codes"),
      bars(counted(errors, -end, end, 41), half, "b", brief(-end, 2), brief(end, 2), "errors"),
    ];
    return s(
      "svg",
      {
        viewBox: `0 0 ${2 * half + 30} 160`,
        role: "img",
        "aria-label": "histograms of the codes, and of the errors of all weights",
      },
      s("g", {}, parts[0]),
      s("g", { transform: `translate(${half + 30})` }, parts[1]),
    );
  }
}

function counted(numbers, low, high, places) {
  const counts = Array(places).fill(0);
  for (const x of numbers)
    counts[Math.min(Math.floor(((x - low) / (high - low)) * places), places - 1)] += 1;
  return counts;
}

function bars(counts, width, color, first, last, what) {
  const most = Math.max(...counts);
  const wide = width / counts.length;
  const gap = wide > 4 ? 1 : 0;
  const d = counts.map(
    (n, i) =>
      `M${(i * wide).toFixed(2)} 120v${((-n / most) * 100).toFixed(1)}h${(wide - gap).toFixed(2)}V120z`,
  );
  return [
    s("path", { class: color, d: d.join(""), "stroke-width": 0 }),
    s("path", { class: "axis", d: `M0 120.5H${width}` }),
    s("text", { x: 0, y: 138 }, first),
    s("text", { x: width, y: 138, "text-anchor": "end" }, last),
    s("text", { class: "soft", x: width / 2, y: 138, "text-anchor": "middle" }, what),
  ];
}

export default widget("hb-quantizer", Quantizer);
