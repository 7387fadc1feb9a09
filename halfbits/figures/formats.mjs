// Number formats: the same arithmetic as halfbits/formats.py, checked against it bit for bit.
// A code is a BigInt; a value is a Number (float64), which holds every value of every format.

import { WIDTHS } from "./widths.mjs";

export const FORMATS = Object.fromEntries(WIDTHS.map((row) => [row[0], described(...row)]));

function described(name, exponent, mantissa, bias, ends) {
  const signed = ends === "scale" ? 0 : 1;
  const sign = signed ? 1n << BigInt(exponent + mantissa) : 0n;
  const ones = (1n << BigInt(exponent + mantissa)) - 1n;
  const unused = { ieee: 1n << BigInt(mantissa), fn: 1n, scale: 1n }[ends] ?? 0n;
  const largestCode = ones - unused;
  const nanCode = {
    ieee: largestCode + 1n + (mantissa ? 1n << BigInt(mantissa - 1) : 0n),
    fnuz: sign,
    fn: largestCode + 1n,
    scale: largestCode + 1n,
  }[ends];
  const smallestExponent = ends === "scale" ? -bias : 1 - bias;
  const bits = exponent + mantissa + signed;
  return {
    name,
    exponent,
    mantissa,
    bias,
    ends,
    bits,
    sign,
    ones,
    largestCode,
    nanCode,
    smallestExponent,
  };
}

/** The value of a code: (-1)^s 2^(E - bias) (1 + M / 2^m), subnormal where E = 0. */
export function decode(code, name) {
  const form = FORMATS[name];
  if (form.ends === "integer") return Number(BigInt.asIntN(form.bits, code));
  const negative = (code & form.sign) !== 0n;
  const magnitude = code & form.ones;
  if (form.ends === "fnuz" && code === form.sign) return NaN;
  if (magnitude > form.largestCode) {
    const infinite = form.ends === "ieee" && magnitude === form.largestCode + 1n;
    return infinite ? (negative ? -Infinity : Infinity) : NaN;
  }
  const { field, fraction } = fields(code, name);
  const normal = field > 0 || form.ends === "scale";
  const whole = fraction + (normal ? 1n << BigInt(form.mantissa) : 0n);
  const power = Math.max(field - form.bias, form.smallestExponent) - form.mantissa;
  return (negative ? -1 : 1) * Number(whole) * 2 ** power;
}

/** Sign, exponent field and fraction of a code. */
export function fields(code, name) {
  const form = FORMATS[name];
  const magnitude = code & form.ones;
  return {
    negative: (code & form.sign) !== 0n,
    field: Number(magnitude >> BigInt(form.mantissa)),
    fraction: magnitude & ((1n << BigInt(form.mantissa)) - 1n),
  };
}

/** The code nearest to a value, ties to even; null for NaN where the format has none. */
export function encode(value, name, overflow = "format") {
  const form = FORMATS[name];
  if (Number.isNaN(value)) return form.nanCode ?? null;
  if (form.ends === "integer") {
    const whole = Math.min(Math.max(rint(value), -Number(form.sign)), Number(form.sign) - 1);
    return BigInt.asUintN(form.bits, BigInt(whole));
  }
  const code = overflowed(roundedCode(Math.abs(value), form), form, overflow);
  if (form.ends === "scale") return value > 0 ? code : form.nanCode;
  const negative = value < 0 || Object.is(value, -0);
  if (form.ends === "fnuz" && code === 0n) return 0n; // a negative zero would be the NaN
  return negative ? code | form.sign : code;
}

function roundedCode(magnitude, form) {
  if (magnitude === Infinity) return form.largestCode + 1n;
  const [whole, power] = split(magnitude);
  const exponent = Math.max(magnitude ? exponentOf(magnitude) : -Infinity, form.smallestExponent);
  const steps = shifted(whole, power + form.mantissa - exponent);
  // A carry out of the fraction raises the exponent by itself: codes are ordered like values.
  const code = steps + (BigInt(exponent - form.smallestExponent) << BigInt(form.mantissa));
  if (form.ends !== "scale") return code;
  return code > 0n ? code - 1n : 0n;
}

function overflowed(code, form, overflow) {
  if (code <= form.largestCode) return code;
  if (overflow === "saturate" || form.ends === "finite") return form.largestCode;
  return form.ends === "ieee" ? form.largestCode + 1n : form.nanCode;
}

const view = new DataView(new ArrayBuffer(8));

/** [whole, power] with |x| = whole * 2^power, whole a BigInt of at most 53 bits. */
export function split(x) {
  view.setFloat64(0, Math.abs(x));
  const bits = view.getBigUint64(0);
  const field = Number(bits >> 52n);
  const fraction = bits & ((1n << 52n) - 1n);
  return field ? [fraction | (1n << 52n), field - 1075] : [fraction, -1074];
}

/** floor(log2 |x|) of a finite x that is not 0. */
export function exponentOf(x) {
  const [whole, power] = split(x);
  return power + whole.toString(2).length - 1;
}

function shifted(whole, places) {
  if (places >= 0) return whole << BigInt(places);
  const down = BigInt(-places);
  const rest = whole & ((1n << down) - 1n);
  const half = 1n << (down - 1n);
  const floor = whole >> down;
  return rest > half || (rest === half && floor & 1n) ? floor + 1n : floor;
}

/** The nearest whole number, ties to even. */
export function rint(x) {
  const near = Math.round(x);
  return Math.abs(x % 1) === 0.5 && near % 2 ? near - 1 : near;
}

/** Distance from |x| to the next larger magnitude; NaN if x is not finite. */
export function spacing(x, name) {
  const form = FORMATS[name];
  if (!Number.isFinite(x)) return NaN;
  if (form.ends === "integer") return 1;
  const exponent = Math.max(x ? exponentOf(x) : -Infinity, form.smallestExponent);
  return 2 ** (exponent - form.mantissa);
}

/** Largest value, smallest normal and positive value, and the distance from 1 to the next. */
export function limits(name) {
  const form = FORMATS[name];
  if (form.ends === "integer") {
    return { largest: Number(form.sign) - 1, smallestNormal: 1, smallest: 1, eps: 1 };
  }
  return {
    largest: decode(form.largestCode, name),
    smallestNormal: 2 ** form.smallestExponent,
    smallest: decode(form.mantissa && form.ends !== "scale" ? 1n : 0n, name),
    eps: spacing(1, name),
  };
}

/** The code of the next larger (direction 1) or smaller (-1) value; null where there is none. */
export function neighbor(code, name, direction) {
  const form = FORMATS[name];
  if (Number.isNaN(decode(code, name))) return null;
  if (form.ends === "integer") {
    const next = BigInt.asIntN(form.bits, code) + BigInt(direction);
    return next < -form.sign || next >= form.sign ? null : BigInt.asUintN(form.bits, next);
  }
  const magnitude = code & form.ones;
  const next = (code & form.sign ? -magnitude : magnitude) + BigInt(direction);
  const size = next < 0n ? -next : next;
  const last = form.largestCode + (form.ends === "ieee" ? 1n : 0n);
  if (size > last || (form.ends === "scale" && next < 0n)) return null;
  return next < 0n ? form.sign | size : size;
}

/** A fast function that rounds a Number to the format's nearest value: decode(encode(x)). */
export function rounder(name) {
  const form = FORMATS[name];
  if (name === "fp64") return (x) => x;
  if (form.ends === "integer" || form.ends === "scale") return (x) => decode(encode(x, name), name);
  const { largest } = limits(name);
  return (x) => {
    if (x === 0 && form.ends !== "fnuz") return x;
    view.setFloat64(0, x);
    const exponent = ((view.getUint16(0) >> 4) & 0x7ff) - 1023;
    const step = 2 ** (Math.max(exponent, form.smallestExponent) - form.mantissa);
    const near = rint(x / step) * step;
    const usual = Math.abs(near) <= largest && (near !== 0 || form.ends !== "fnuz");
    return usual || Number.isNaN(x) ? near : decode(encode(x, name), name);
  };
}
