// Int8 activations with outliers, and what cures them; checked against the library.

import { rint } from "./formats.mjs";

const CHANNELS = [17, 63, 128, 201];
const TOP = 127;

/** x in the Walsh-Hadamard basis, times 1 / sqrt(n): a rotation that is its own inverse. */
export function rotated(x) {
  const y = [...x];
  for (let half = 1; half < y.length; half *= 2) {
    for (let i = 0; i < y.length; i++) {
      if (i & half) continue;
      [y[i], y[i + half]] = [y[i] + y[i + half], y[i] - y[i + half]];
    }
  }
  return y.map((value) => value / Math.sqrt(x.length));
}

function columnMax(matrix) {
  return matrix[0].map((_, j) => matrix.reduce((most, row) => Math.max(most, Math.abs(row[j])), 0));
}

function rowMax(row) {
  return row.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
}

function rounded(row, scale) {
  return row.map((x) => Math.min(Math.max(rint(x / scale), -TOP), TOP) * scale);
}

function times(matrix, factors) {
  return matrix.map((row) => row.map((x, j) => x * factors[j]));
}

function products(x, weights) {
  return x.map((row) => weights.map((w) => row.reduce((sum, value, j) => sum + value * w[j], 0)));
}

/** What int8 on both sides does to x W^T; the cures change both sides and not the product. */
export function treated(x, weights, { planted, scaling, smooth, alpha, rotate }) {
  let factors = x[0].map((_, j) => (CHANNELS.includes(j) ? planted : 1));
  let [left, right] = [
    times(x, factors),
    times(
      weights,
      factors.map((f) => 1 / f),
    ),
  ];
  if (smooth) {
    const [a, w] = [columnMax(left), columnMax(right)];
    const shares = a.map((most, j) => most ** alpha / w[j] ** (1 - alpha));
    factors = factors.map((f, j) => f / shares[j]);
    [left, right] = [
      times(
        left,
        shares.map((share) => 1 / share),
      ),
      times(right, shares),
    ];
  }
  if (rotate) [left, right] = [left.map(rotated), right.map(rotated)];
  const whole = left.reduce((most, row) => Math.max(most, rowMax(row)), 0);
  const near = left.map((row) =>
    rounded(row, (scaling === "token" ? rowMax(row) : whole) / TOP || 1),
  );
  const codes = right.map((row) => rounded(row, rowMax(row) / TOP || 1));
  const back = (rotate ? near.map(rotated) : near).map((row) =>
    row.map((value, j) => value / factors[j]),
  );
  return { seen: left, near, back, error: relative(products(near, codes), products(x, weights)) };
}

function relative(made, exact) {
  let [noise, signal] = [0, 0];
  exact.forEach((row, i) =>
    row.forEach((value, j) => {
      noise += (made[i][j] - value) ** 2;
      signal += value * value;
    }),
  );
  return Math.sqrt(noise / signal);
}
