// <hb-outliers>: activations with planted outliers in int8, and three cures for them.

import { ACTIVATIONS } from "./activations.mjs";
import { brief, facts, h, s } from "./builders.mjs";
import { treated } from "./cures.mjs";
import { Figure, widget } from "./figure.mjs";
import { unpacked } from "./quantize.mjs";
import { WEIGHTS } from "./weights.mjs";

const LEVELS = [0.01, 0.03, 0.1, 0.3, 1]; // of the typical activation

export class Outliers extends Figure {
  static state = { planted: "5", scaling: "tensor", smooth: "false", alpha: "50", rotate: "false" };
  static allowed = {
    scaling: ["tensor", "token"],
    smooth: ["true", "false"],
    rotate: ["true", "false"],
  };
  static tasks = [
    {
      text: "Four channels are 32 times too large and one scale serves all tokens. Bring the error of the layer's output below 1% without a scale for each token.",
      done: ({ state, result }) =>
        Number(state.planted) >= 5 && state.scaling === "tensor" && result.error < 0.01,
      said: "Smoothing moves the outliers into the weights, which have a scale for each row.",
    },
  ];

  settle(changes) {
    const within = { planted: [0, 7], alpha: [0, 100] };
    for (const [name, [low, high]] of Object.entries(within)) {
      if (name in changes)
        changes[name] = String(
          Math.min(Math.max(Math.round(Number(changes[name])) || 0, low), high),
        );
    }
    return changes;
  }

  build() {
    this.x = unpacked(ACTIVATIONS);
    this.weights = unpacked(WEIGHTS);
    const squares = this.x.flat().reduce((sum, value) => sum + value * value, 0);
    this.typical = Math.sqrt(squares / this.x.flat().length);
    this.live = h("p", { class: "hb-live", "aria-live": "polite" });
    this.facts = h("div", {});
    this.plot = h("div", {});
    return [
      h(
        "div",
        { class: "hb-controls" },
        this.slider("planted", "Four channels times", 0, 7, 1, (text) => String(2 ** Number(text))),
        this.choice("scaling", "One scale for", [
          ["tensor", "all tokens"],
          ["token", "each token"],
        ]),
        this.check("smooth", "Smoothing"),
        this.slider("alpha", "Strength", 0, 100, 5, (text) => `${text}%`),
        this.check("rotate", "Hadamard rotation"),
      ),
      this.live,
      this.facts,
      this.plot,
    ];
  }

  update() {
    const { planted, scaling, smooth, alpha, rotate } = this.state;
    const options = {
      planted: 2 ** Number(planted),
      scaling,
      smooth: smooth === "true",
      alpha: Number(alpha) / 100,
      rotate: rotate === "true",
    };
    this.result = treated(this.x, this.weights, options);
    const { seen, near, back, error } = this.result;
    this.inputs.alpha.disabled = smooth !== "true";
    this.live.textContent = `Error of the layer's output: ${brief(100 * error, 3)}%.`;
    const flat = seen
      .flat()
      .map(Math.abs)
      .sort((a, b) => a - b);
    const zeros = near.flat().filter((value) => value === 0).length / flat.length;
    this.facts.replaceChildren(
      facts([
        ["largest activation", brief(flat.at(-1), 3)],
        ["median activation", brief(flat[flat.length >> 1], 2)],
        ["largest over median", brief(flat.at(-1) / flat[flat.length >> 1], 3)],
        ["become 0 in int8", `${brief(100 * zeros, 3)}%`],
      ]),
    );
    const size = seen.map((row) => row.map((value) => Math.abs(value) / flat.at(-1)));
    const errors = back.map((row, i) =>
      row.map((value, j) => Math.abs(value - this.x[i][j]) / this.typical),
    );
    this.plot.replaceChildren(
      this.map(
        size,
        "a",
        "What int8 has to hold, against its largest number; rows are tokens, columns channels",
      ),
      this.map(errors, "b", "Error of each activation, against a typical one"),
    );
  }

  map(matrix, color, caption) {
    const columns = 64;
    const each = matrix[0].length / columns;
    const [wide, high] = [this.room / columns, 7];
    const paths = LEVELS.map(() => "");
    matrix.forEach((row, i) => {
      for (let c = 0; c < columns; c++) {
        const level = LEVELS.findLastIndex(
          (least) => Math.max(...row.slice(c * each, (c + 1) * each)) >= least,
        );
        if (level >= 0)
          paths[level] +=
            `M${(c * wide).toFixed(1)} ${i * high}h${wide.toFixed(1)}v${high}h-${wide.toFixed(1)}z`;
      }
    });
    const legend = [0.15, 0.35, 0.55, 0.8, 1].map((opacity, i) =>
      h(
        "span",
        {},
        h("span", { class: color, style: `opacity:${opacity}`, "aria-hidden": "true" }, "■"),
        ` ${100 * LEVELS[i]}% `,
      ),
    );
    return h(
      "div",
      {},
      h("p", {}, `${caption}: `, legend),
      s(
        "svg",
        { viewBox: `0 0 ${this.room} ${matrix.length * high}`, role: "img", "aria-label": caption },
        s("rect", { class: "grid", width: this.room, height: matrix.length * high }),
        paths.map((d, i) =>
          s("path", {
            class: color,
            d,
            "stroke-width": 0,
            "fill-opacity": [0.15, 0.35, 0.55, 0.8, 1][i],
          }),
        ),
      ),
    );
  }
}

export default widget("hb-outliers", Outliers);
