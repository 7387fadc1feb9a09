// <hb-roofline>: the least time of a token or a prompt on a chosen machine, and what sets it.

import { brief, facts, h, s } from "./builders.mjs";
import { bitsOf, layerWeights, predicted } from "./cost.mjs";
import { Figure, widget } from "./figure.mjs";

const STORED = ["fp32", "bf16", "fp8", "int8", "int4", "mxfp4", "nvfp4"];
const COMPUTED = ["fp32", "tf32", "fp16", "bf16", "fp8", "int8", "fp4"];
const UNITS = [
  ["P", 1e15],
  ["T", 1e12],
  ["G", 1e9],
  ["M", 1e6],
  ["k", 1e3],
];

function scaled(x, unit) {
  const [letter, size] = UNITS.find(([, least]) => x >= least) ?? ["", 1];
  return `${brief(x / size, 3)} ${letter}${unit}`;
}

function time(seconds) {
  if (seconds >= 1) return `${brief(seconds, 3)} s`;
  return seconds >= 1e-3 ? `${brief(seconds * 1e3, 3)} ms` : `${brief(seconds * 1e6, 3)} µs`;
}

export class Roofline extends Figure {
  static state = {
    machine: "H100 SXM",
    model: "Llama 3 8B",
    phase: "decode",
    batch: "0",
    context: "0",
    weights: "bf16",
    cache: "bf16",
    arithmetic: "bf16",
    bandwidth: "100",
    peak: "1",
    memory: "16",
  };
  static allowed = {
    phase: ["decode", "prefill"],
    weights: STORED,
    cache: ["fp32", "bf16", "fp8", "int8"],
    arithmetic: COMPUTED,
  };
  static tasks = [
    {
      text: "Take Llama 3 8B on an H100, context 16, arithmetic bf16. From which batch does arithmetic set the time with bf16 weights? Then find it with int4 weights.",
      done: ({ state, now }) =>
        now &&
        !now.memoryBound &&
        state.phase === "decode" &&
        state.weights === "int4" &&
        state.arithmetic === "bf16" &&
        now.batch <= 128,
      said: "Fewer bytes, a smaller batch: with int4 weights arithmetic becomes the limit sooner. They still help until bf16 weights reach it too.",
    },
  ];

  build() {
    this.live = h("p", { class: "hb-live", "aria-live": "polite" });
    this.facts = h("div", {});
    this.plot = h("div", {});
    const number = (name, label) => {
      const field = h("input", { type: "text", inputmode: "decimal", size: "7" });
      return this.labeled(name, label, field, "input");
    };
    this.own = h(
      "div",
      { class: "hb-controls" },
      number("bandwidth", "Bandwidth, GB/s"),
      number("peak", "Peak, 10¹² operations/s"),
      number("memory", "Memory, GB"),
    );
    const power = (text) => (2 ** Number(text)).toLocaleString("en-US");
    return [
      h(
        "div",
        { class: "hb-controls" },
        this.choice("machine", "Hardware", [...Object.keys(this.data.machines), "yours"]),
        this.choice("model", "Model", Object.keys(this.data.models)),
        this.choice("phase", "Work", [
          ["decode", "decode: one token each"],
          ["prefill", "prefill: the prompt"],
        ]),
        this.slider("batch", "Batch", 0, 10, 1, power),
        this.slider("context", "Tokens of context", 0, 17, 1, power),
        this.choice("weights", "Weights"),
        this.choice("cache", "KV cache"),
        this.choice("arithmetic", "Arithmetic"),
      ),
      this.own,
      this.live,
      this.facts,
      this.plot,
    ];
  }

  get machine() {
    const { machine, bandwidth, peak, memory } = this.state;
    const known = this.data.machines[machine];
    if (known) return known;
    const every = Object.fromEntries(COMPUTED.map((name) => [name, Number(peak) * 1e12]));
    return { memory: Number(memory) * 1e9, bandwidth: Number(bandwidth) * 1e9, peak: every };
  }

  update() {
    const { state, machine } = this;
    this.own.hidden = state.machine in this.data.machines;
    const model = this.data.models[state.model] ?? Object.values(this.data.models)[0];
    const usable = machine.peak[state.arithmetic] > 0 && machine.bandwidth > 0;
    const { storage, usable: share } = this.data;
    this.now = usable ? predicted(machine, model, state, storage, share) : undefined;
    if (!usable) {
      this.live.textContent =
        state.machine in this.data.machines
          ? `The table lists no ${state.arithmetic} arithmetic for the ${state.machine}; choose ${Object.keys(machine.peak).join(", ")}.`
          : "Enter a bandwidth and a peak above 0.";
      this.facts.replaceChildren();
      this.plot.replaceChildren();
      return;
    }
    const { rate, memoryBound, seconds, needed, budget, rows, weightBytes } = this.now;
    const bound = memoryBound ? "memory" : "arithmetic";
    this.live.textContent = `At most ${brief(rate, 3)} tokens/s: bound by ${bound}.`;
    const fits = needed <= budget;
    this.facts.replaceChildren(
      facts([
        [
          state.phase === "decode" ? "least time of a step" : "least time of the prompts",
          time(seconds),
        ],
        [
          "reading weights",
          `${scaled(weightBytes, "B")}, ${time(weightBytes / machine.bandwidth)}`,
        ],
        [
          "reading or writing caches",
          `${scaled(this.now.cacheBytes, "B")}, ${time(this.now.cacheBytes / machine.bandwidth)}`,
        ],
        ["arithmetic", `${scaled(this.now.flops, "op")}, ${time(this.now.compute)}`],
        [
          "operations a byte",
          `${brief(this.now.intensity, 3)}; the ridge is at ${brief(this.now.ridge, 3)}`,
        ],
        [
          "memory needed",
          `${scaled(needed, "B")} of ${scaled(budget, "B")} usable: ${fits ? "fits" : "does not fit"}`,
        ],
        ["rows that fit at this context", rows.toLocaleString("en-US")],
        [
          "weights of the layers",
          `${brief(layerWeights(model) / 1e6)} million of ${brief(bitsOf(storage[state.weights]), 4)} bits`,
        ],
      ]),
    );
    this.plot.replaceChildren(this.drawn(machine));
  }

  drawn(machine) {
    const [width, height] = [this.room - 70, 190];
    const { intensity, ridge, memoryBound, seconds } = this.now;
    const peak = machine.peak[this.state.arithmetic];
    const x = (value) => (Math.min(Math.max(Math.log10(value) + 1, 0), 5) / 5) * width;
    const top = Math.ceil(Math.log10(peak));
    const y = (value) => height - (Math.max(Math.log10(value) - top + 5, 0) / 5) * height;
    const reached = this.now.flops / seconds;
    const label = `roofline: attainable operations a second against operations a byte; this work is bound by ${memoryBound ? "memory" : "arithmetic"}`;
    const start = Math.max(0.1, 10 ** (top - 5) / machine.bandwidth);
    return s(
      "svg",
      { viewBox: `-60 -10 ${this.room} ${height + 50}`, role: "img", "aria-label": label },
      s("path", { class: "axis", d: `M0 0V${height}H${width}` }),
      s("path", {
        class: "a thin",
        d: `M${x(start)} ${y(start * machine.bandwidth)}L${x(ridge)} ${y(peak)}H${width}`,
      }),
      s("line", { class: "grid", x1: x(ridge), x2: x(ridge), y1: y(peak), y2: height }),
      s("circle", { class: "b", cx: x(intensity), cy: y(reached), r: 6 }),
      s(
        "text",
        { x: Math.min(x(intensity) + 10, width - 90), y: y(reached) + 18 },
        scaled(reached, "op/s"),
      ),
      s("text", { class: "soft", x: x(ridge) + 4, y: height - 5 }, "ridge"),
      [0.1, 1, 10, 100, 1000, 10000].map((mark) =>
        s(
          "text",
          { x: x(mark), y: height + 18, "text-anchor": "middle" },
          mark.toLocaleString("en-US"),
        ),
      ),
      [0, 2, 4].map((down) =>
        s(
          "text",
          { x: -6, y: y(10 ** (top - down)) + 4, "text-anchor": "end" },
          scaled(10 ** (top - down), "op/s"),
        ),
      ),
      s(
        "text",
        { class: "soft", x: width, y: height + 36, "text-anchor": "end" },
        "operations a byte",
      ),
    );
  }
}

export default widget("hb-roofline", Roofline);
