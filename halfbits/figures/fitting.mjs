// Numbers against the values of a format: samples, rounding and what it did to them.

import { FORMATS, decode, encode, limits } from "./formats.mjs";

const COUNT = 2001;

export const SHAPES = {
  bell: normalQuantile,
  "heavy tail": (p) => (2 * p - 1) / Math.sqrt(2 * p * (1 - p)), // Student's t, 2 degrees
  even: (p) => 2 * p - 1,
};

/** Evenly spaced quantiles of a shape, times 2^spread. */
export function sample(shape, spread) {
  return Array.from({ length: COUNT }, (_, i) => SHAPES[shape]((i + 0.5) / COUNT) * 2 ** spread);
}

/** Numbers rounded to scale times a value of the format, and what that did to them. */
export function fitted(numbers, name, scaling) {
  const { largest } = limits(name);
  const amax = numbers.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  const scale = scaling === "largest to largest" && amax > 0 ? amax / largest : 1;
  let [signal, noise, zeros, clipped] = [0, 0, 0, 0];
  for (const x of numbers) {
    const near = decode(encode(x / scale, name, "saturate"), name) * scale;
    signal += x * x;
    noise += (x - near) ** 2;
    zeros += x !== 0 && near === 0;
    clipped += Math.abs(x / scale) > largest;
  }
  const sqnr = noise ? 10 * Math.log10(signal / noise) : Infinity;
  return { scale, amax, sqnr, zeros: zeros / numbers.length, clipped: clipped / numbers.length };
}

/** All finite values of a format in order, without the second zero. */
export function values(name) {
  const { bits } = FORMATS[name];
  const all = Array.from({ length: 2 ** bits }, (_, code) => decode(BigInt(code), name));
  return [...new Set(all.filter(Number.isFinite))].sort((a, b) => a - b);
}

/** The normal distribution's quantile, by bisection on its own integral (Abramowitz 26.2.17). */
function normalQuantile(p) {
  let [low, high] = [-9, 9];
  for (let i = 0; i < 50; i++) {
    const middle = (low + high) / 2;
    if (normalShare(middle) < p) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

function normalShare(x) {
  const t = 1 / (1 + 0.2316419 * Math.abs(x));
  const weights = [0.31938153, -0.356563782, 1.781477937, -1.821255978, 1.330274429];
  const tail =
    (weights.reduceRight((sum, weight) => (sum + weight) * t, 0) * Math.exp((-x * x) / 2)) /
    Math.sqrt(2 * Math.PI);
  return x < 0 ? tail : 1 - tail;
}
