// Numbers as a person writes and reads them.

import { brief } from "./builders.mjs";
import { split } from "./formats.mjs";

/** The Number that a person wrote: 0.1, 1e-5, 1/3, 2^-14, inf, nan; undefined if it is none. */
export function parsed(text) {
  const plain = text
    .trim()
    .toLowerCase()
    .replace("−", "-")
    .replace(/(?<=\d),(?=\d{3})/g, "");
  const words = { nan: NaN, inf: Infinity, "+inf": Infinity, "-inf": -Infinity };
  words.infinity = Infinity;
  words["-infinity"] = -Infinity;
  if (plain in words) return words[plain];
  const [, left, sign, right] = plain.match(/^(.+?)\s*(\/|\^|\*\*)\s*(.+)$/) ?? [];
  const [a, b] = [left, right].map(Number);
  const value = sign === "/" ? a / b : sign ? a ** b : Number(plain);
  return plain === "" || Number.isNaN(value) ? undefined : value;
}

/** All decimal digits of a Number; at most `most` of them. */
export function exact(x, most = 60) {
  if (!Number.isFinite(x)) return brief(x);
  const [whole, power] = split(x);
  const sign = x < 0 || Object.is(x, -0) ? "−" : "";
  if (power >= 0) return sign + (whole << BigInt(power)).toLocaleString("en-US");
  const places = -power;
  const digits = (whole * 5n ** BigInt(places)).toString().padStart(places + 1, "0");
  const left = BigInt(digits.slice(0, -places)).toLocaleString("en-US");
  const right = digits.slice(-places).replace(/0+$/, "");
  if (right.length > most) return `${sign}${brief(Math.abs(x), 17)}…`;
  return sign + left + (right && `.${right}`);
}

/** The text of a Number that `parsed` reads back. */
export function text(x) {
  return Number.isNaN(x) ? "nan" : String(Object.is(x, -0) ? "-0" : x).replace("Infinity", "inf");
}
