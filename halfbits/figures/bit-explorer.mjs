// <hb-bit-explorer>: flip the bits of a number in any format, beside the same number in another one.

import { brief, facts, h } from "./builders.mjs";
import { Figure, widget } from "./figure.mjs";
import { FORMATS, decode, encode, fields, neighbor, spacing } from "./formats.mjs";
import { exact, parsed, text } from "./numbers.mjs";

const NAMES = Object.keys(FORMATS);
const POWERS = "⁰¹²³⁴⁵⁶⁷⁸⁹";

function bitsOf(code, name) {
  return code.toString(2).padStart(FORMATS[name].bits, "0");
}

function raised(power) {
  return `2${String(power)
    .replace("-", "⁻")
    .replace(/\d/g, (digit) => POWERS[digit])}`;
}

export class BitExplorer extends Figure {
  static state = { value: "0.1", format: "fp16", second: "bf16", bits: "" };
  static allowed = { format: NAMES, second: ["none", ...NAMES] };
  static tasks = [
    {
      text: "In fp16, set every exponent bit to 0 and leave one fraction bit on. How small is the number, and what does the next step cost?",
      done: ({ state }) =>
        state.format === "fp16" && /^.0{5}0*10*$/.test(state.bits) && state.bits.length === 16,
      said: "A subnormal: no hidden 1, steps of 2⁻²⁴ all the way to 0.",
    },
  ];

  settle(changes) {
    const next = { ...this.state, ...changes };
    const form = FORMATS[next.format];
    const value = parsed(next.value);
    const code = value === undefined ? null : encode(value, next.format);
    this.problem = "";
    if (changes.bits && RegExp(`^[01]{${form.bits}}$`).test(changes.bits)) {
      const set = BigInt(`0b${changes.bits}`);
      return { ...changes, value: set === code ? next.value : text(decode(set, next.format)) };
    }
    this.problem = value === undefined ? `“${next.value}” is not a number.` : "";
    if (code === null && !this.problem) this.problem = `${next.format} has no NaN.`;
    const fallback = code === null && this.state.bits.length !== form.bits;
    if (fallback) return { ...changes, bits: "0".repeat(form.bits) };
    return code === null
      ? { ...changes, bits: this.state.bits }
      : { ...changes, bits: bitsOf(code, next.format) };
  }

  traits() {
    const stored = decode(BigInt(`0b${this.state.bits}`), this.state.format);
    return { ...this.state, value: text(parsed(this.state.value) ?? stored) };
  }

  build() {
    const typed = h("input", {
      type: "text",
      inputmode: "text",
      size: "14",
      spellcheck: "false",
      autocomplete: "off",
    });
    this.first = h("div", { class: "hb-panel" });
    this.other = h("div", { class: "hb-panel" });
    this.live = h("p", { class: "hb-live", "aria-live": "polite" });
    const controls = h(
      "div",
      { class: "hb-controls" },
      this.labeled("value", "Value", typed, "input"),
      this.choice("format", "Format"),
      this.choice("second", "Beside it"),
      h("button", { type: "button", onclick: () => this.step(-1) }, "Next smaller"),
      h("button", { type: "button", onclick: () => this.step(1) }, "Next larger"),
    );
    return [controls, this.live, this.first, this.other];
  }

  step(direction) {
    const next = neighbor(BigInt(`0b${this.state.bits}`), this.state.format, direction);
    if (next !== null) this.set({ bits: bitsOf(next, this.state.format) });
  }

  update() {
    const { value, format, second, bits } = this.state;
    const code = BigInt(`0b${bits}`);
    const typed = parsed(value);
    this.drawBits(bits, format);
    this.facts ??= h("div", {});
    this.facts.replaceChildren(explained(code, format, typed));
    const stored = decode(code, format);
    this.live.textContent =
      this.problem || `${format} stores ${brief(stored, format === "fp64" ? 17 : 9)}.`;
    const beside = second === "none" || typed === undefined ? null : encode(typed, second);
    this.other.hidden = beside === null;
    if (beside === null) return;
    const row = h(
      "p",
      {
        class: "hb-bits",
        role: "img",
        "aria-label": `bits in ${second}: ${bitsOf(beside, second)}`,
      },
      [...bitsOf(beside, second)].map((bit, i) => h("span", { class: part(i, second) }, bit)),
    );
    this.other.replaceChildren(
      h("p", { class: "hb-head" }, `The same value in ${second}`),
      row,
      explained(beside, second, typed),
    );
  }

  drawBits(bits, format) {
    if (this.shown !== format) {
      this.shown = format;
      this.row = h("div", { class: "hb-bits", role: "toolbar", "aria-label": `bits in ${format}` });
      this.row.append(
        ...[...bits].map((_, i) =>
          h("button", {
            type: "button",
            class: part(i, format),
            tabindex: i ? "-1" : "0",
            onclick: () => this.flip(i),
          }),
        ),
      );
      this.row.addEventListener("keydown", (event) => this.walk(event));
      this.facts = h("div", {});
      this.first.replaceChildren(h("p", { class: "hb-head" }, format), this.row, this.facts);
    }
    [...this.row.children].forEach((button, i) => {
      button.textContent = bits[i];
      button.setAttribute("aria-pressed", String(bits[i] === "1"));
      button.setAttribute(
        "aria-label",
        `${bits[i]}, ${part(i, format)} bit ${bits.length - 1 - i}`,
      );
    });
  }

  flip(i) {
    const bits = [...this.state.bits];
    bits[i] = bits[i] === "1" ? "0" : "1";
    this.set({ bits: bits.join("") });
  }

  walk(event) {
    const all = [...this.row.children];
    const at = all.indexOf(event.target);
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: all.length - 1 }[event.key];
    if (to === undefined || !all[to]) return;
    event.preventDefault();
    all[at].tabIndex = -1;
    all[to].tabIndex = 0;
    all[to].focus();
  }
}

function part(i, name) {
  const { ends, exponent } = FORMATS[name];
  if (ends === "integer") return i ? "fraction" : "sign";
  const at = ends === "scale" ? i + 1 : i;
  return at === 0 ? "sign" : at <= exponent ? "exponent" : "fraction";
}

function explained(code, name, typed) {
  const stored = decode(code, name);
  const error = stored === typed || Number.isNaN(stored) ? 0 : stored - typed;
  const digits = name === "fp64" ? 17 : 9;
  const around = [-1, 1].map((direction) => neighbor(code, name, direction));
  const shown = around.map((next) => (next === null ? "none" : brief(decode(next, name), digits)));
  const relative =
    Number.isFinite(error) && typed
      ? ` (${brief((100 * Math.abs(error)) / Math.abs(typed), 2)}%)`
      : "";
  return facts([
    ["stored", exact(stored)],
    ["made of", formula(code, name)],
    [
      "rounding error",
      error
        ? `${brief(error, 3)}${relative}`
        : name === "fp64"
          ? "none: this page computes in fp64"
          : "none",
    ],
    ["spacing here", brief(spacing(stored, name), 6)],
    ["neighbors", `${shown[0]} and ${shown[1]}`],
  ]);
}

function formula(code, name) {
  const { ends, mantissa, bias, smallestExponent, bits } = FORMATS[name];
  const { negative, field, fraction } = fields(code, name);
  const value = decode(code, name);
  if (!Number.isFinite(value))
    return Number.isNaN(value) ? "a code for NaN" : "a code for infinity";
  if (ends === "integer") return negative ? `${fraction} − ${raised(bits - 1)}` : `${fraction}`;
  if (ends === "scale") return `${raised(field - bias)}, a power of two and nothing else`;
  const sign = negative ? "−" : "";
  const part = `${fraction.toLocaleString("en-US")}/${raised(mantissa)}`;
  if (field) return `${sign}${raised(field - bias)} × (1 + ${part})`;
  return `${sign}${raised(smallestExponent)} × ${part}, ${fraction ? "subnormal" : "zero"}`;
}

export default widget("hb-bit-explorer", BitExplorer);
