// Four ways to add numbers in a small format.

import { rounder } from "./formats.mjs";

export const SERIES = {
  ones: () => 1,
  "0.1 each": () => 0.1,
  "1/k": (k) => 1 / k,
  "random, 0 to 1": (k) => ((Math.imul(k, 2654435761) >>> 0) + 0.5) / 2 ** 32,
  "one large, then ones": (k) => (k === 1 ? 512 : 1),
};

/** The first n terms of a series, each rounded to the format. */
export function terms(series, n, name) {
  const round = rounder(name);
  return Array.from({ length: n }, (_, k) => round(SERIES[series](k + 1)));
}

/** Running sums after each term: one accumulator of the format. */
export function naive(x, name) {
  const round = rounder(name);
  let total = 0;
  return x.map((term) => (total = round(total + term)));
}

/** Running sums with Kahan's correction: a second accumulator holds what the first just lost. */
export function kahan(x, name) {
  const round = rounder(name);
  let [total, lost] = [0, 0];
  return x.map((term) => {
    const corrected = round(term - lost);
    const next = round(total + corrected);
    lost = round(round(next - total) - corrected);
    return (total = next);
  });
}

/** Running sums in fp32, each rounded to the format when it is looked at. */
export function wide(x, name) {
  const round = rounder(name);
  return naive(x, "fp32").map(round);
}

/** The sum of neighbors, then of neighbors' sums; an odd one waits. */
export function pairwise(x, name) {
  const round = rounder(name);
  let rest = x;
  while (rest.length > 1) {
    const pairs = [];
    for (let i = 0; i < rest.length; i += 2) {
      pairs.push(i + 1 < rest.length ? round(rest[i] + rest[i + 1]) : rest[i]);
    }
    rest = pairs;
  }
  return rest[0] ?? 0;
}
