// <hb-precision-ladder>: the recorded formats of the tiny LM, quality against true bytes.

import { brief, facts, h, s, table } from "./builders.mjs";
import { Figure, widget } from "./figure.mjs";

const GROUPS = {
  all: () => true,
  floats: (name) => /^(fp|bf|mxfp|nf)/.test(name),
  "int, no groups": (name) => /^int\d (channel|tensor)$/.test(name),
  "int, in groups": (name) => /^int\d g/.test(name),
  "8 bits on both sides": (name) => name.startsWith("w8a8"),
  "planted outliers": (name) => name.startsWith("outliers"),
};

/** Rows that no other row beats in bytes and in perplexity at once. */
export function front(rows) {
  return rows.filter(
    (row) =>
      !rows.some(
        (other) =>
          other.bytes <= row.bytes &&
          other.perplexity <= row.perplexity &&
          (other.bytes < row.bytes || other.perplexity < row.perplexity),
      ),
  );
}

/** The 95% interval of a row's change of perplexity against the first row, in percent of it. */
export function change(row, base) {
  const [middle, half] = [row.difference, 1.96 * row.difference_standard_error];
  const percent = (x) => (100 * x) / base.perplexity;
  return { middle: percent(middle), low: percent(middle - half), high: percent(middle + half) };
}

export class PrecisionLadder extends Figure {
  static state = { group: "all", row: "fp32", pareto: "true" };
  static allowed = { group: Object.keys(GROUPS), pareto: ["true", "false"] };
  static tasks = [
    {
      text: "Choose the smallest entry whose whole interval stays below a change of 5%.",
      done: ({ state, data }) => state.row === smallestBelow(data.rows, 5),
      said: "Below it the error bar, not only the dot, crosses the limit you set.",
    },
  ];

  build() {
    this.live = h("p", { class: "hb-live", "aria-live": "polite" });
    this.facts = h("div", {});
    this.plot = h("div", {});
    this.list = h("details", {}, h("summary", {}, "All numbers"));
    this.list.append(
      table(
        "The ladder",
        ["Format", "MB", "Perplexity", "Change, %", "95% interval"],
        this.data.rows.map((row) => [
          row.name,
          megabytes(row),
          brief(row.perplexity),
          ...changed(row, this.data.rows[0]),
        ]),
      ),
    );
    return [
      h(
        "div",
        { class: "hb-controls" },
        this.choice("group", "Show"),
        this.choice(
          "row",
          "Format",
          this.data.rows.map(({ name }) => name),
        ),
        this.check("pareto", "Pareto front"),
      ),
      this.live,
      this.facts,
      this.plot,
      this.list,
    ];
  }

  update() {
    const { rows } = this.data;
    const row = rows.find(({ name }) => name === this.state.row) ?? rows[0];
    const [middle, interval] = changed(row, rows[0]);
    this.live.textContent = `${row.name}: ${megabytes(row)} MB, perplexity ${brief(row.perplexity)}.`;
    const best = front(rows.filter(({ name }) => !GROUPS["planted outliers"](name)));
    this.facts.replaceChildren(
      facts([
        ["change against fp32", row === rows[0] ? "none: this is fp32" : `${middle}%`],
        ["95% interval of the change", row === rows[0] ? "none" : `${interval}%`],
        ["smaller than fp32", `${brief(rows[0].bytes / row.bytes, 3)} times`],
        ["on the Pareto front", best.includes(row) ? "yes: nothing is smaller and better" : "no"],
      ]),
    );
    this.plot.replaceChildren(
      this.drawn(
        rows.filter(({ name }) => GROUPS[this.state.group](name)),
        row,
        best,
      ),
    );
  }

  drawn(rows, chosen, best) {
    const [width, height] = [this.room - 60, 230];
    const most = this.data.rows[0].bytes / 1e6;
    const x = ({ bytes }) => (Math.log2(bytes / 1e6 / 3) / Math.log2(most / 2.8)) * width;
    const y = (percent) =>
      height - (Math.log10(Math.min(Math.max(percent, 0.01), 1e4) / 0.01) / 6) * height;
    const dots = rows
      .slice()
      .sort((a, b) => (a === chosen) - (b === chosen))
      .map((row) => this.dot(row, row === chosen, x, y));
    const line = best.filter((row) => rows.includes(row)).sort((a, b) => a.bytes - b.bytes);
    const label =
      "change of perplexity in percent against megabytes, both on logarithmic axes; the list above chooses a format";
    return s(
      "svg",
      { viewBox: `-55 -10 ${this.room} ${height + 50}`, role: "img", "aria-label": label },
      s("path", { class: "axis", d: `M0 0V${height}H${width}` }),
      [0.01, 0.1, 1, 10, 100, 1000]
        .map((mark) => [
          s("line", { class: "grid", x1: 0, x2: width, y1: y(mark), y2: y(mark) }),
          s("text", { x: -6, y: y(mark) + 4, "text-anchor": "end" }, `${mark}%`),
        ])
        .flat(),
      [4, 6, 10, 20].map((mark) =>
        s(
          "text",
          { x: x({ bytes: mark * 1e6 }), y: height + 18, "text-anchor": "middle" },
          `${mark} MB`,
        ),
      ),
      this.state.pareto === "true" && line.length > 1
        ? s("polyline", {
            class: "c thin",
            points: line
              .map((row) => `${x(row)},${y(change(row, this.data.rows[0]).middle)}`)
              .join(" "),
          })
        : "",
      dots,
      s("text", { class: "soft", x: 0, y: height + 36 }, "change of perplexity, at least 0.01%"),
    );
  }

  dot(row, chosen, x, y) {
    const { middle, low, high } = change(row, this.data.rows[0]);
    const made = s(
      "g",
      { class: chosen ? "b" : "a" },
      s("title", {}, `${row.name}: ${brief(middle, 3)}%`),
      s("line", {
        class: chosen ? "b" : "a",
        x1: x(row),
        x2: x(row),
        y1: y(low),
        y2: y(high),
        "stroke-width": 1.5,
      }),
      s("circle", { class: chosen ? "b" : "a", cx: x(row), cy: y(middle), r: chosen ? 7 : 5 }),
      s("circle", { cx: x(row), cy: y(middle), r: 12, fill: "transparent", stroke: "none" }),
      chosen ? s("text", { x: x(row) + 10, y: y(middle) - 8 }, row.name) : "",
    );
    made.addEventListener("click", () => this.set({ row: row.name }));
    made.style.cursor = "pointer";
    return made;
  }
}

function smallestBelow(rows, limit) {
  const good = rows.filter(
    (row) => !GROUPS["planted outliers"](row.name) && change(row, rows[0]).high < limit,
  );
  return good.reduce((least, row) => (row.bytes < least.bytes ? row : least), rows[0]).name;
}

function megabytes({ bytes }) {
  return (bytes / 1e6).toFixed(2);
}

function changed(row, base) {
  const { middle, low, high } = change(row, base);
  return [brief(middle, 3), `${brief(low, 2)} to ${brief(high, 2)}`];
}

export default widget("hb-precision-ladder", PrecisionLadder);
