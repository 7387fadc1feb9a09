// Quantizers for weights in float32: the same steps as halfbits/quantize, checked bit for bit.

import { decode, encode, neighbor, rint } from "./formats.mjs";

const f32 = Math.fround;

/** Rows of numbers from the base64 text of a packed matrix. */
export function unpacked({ rows, columns, float32, float16 }) {
  const bytes = Uint8Array.from(atob(float32 ?? float16), (letter) => letter.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  const at = (i) =>
    float32 ? view.getFloat32(4 * i, true) : decode(BigInt(view.getUint16(2 * i, true)), "fp16");
  return Array.from({ length: rows }, (_, row) =>
    Array.from({ length: columns }, (_, column) => at(row * columns + column)),
  );
}

/** The matrix cut into groups that share a scale: "tensor", "channel" or a group's size. */
export function grouped(matrix, granularity) {
  if (granularity === "tensor") return [matrix.flat()];
  if (granularity === "channel") return matrix;
  const size = Number(granularity);
  return matrix.flatMap((row) =>
    Array.from({ length: row.length / size }, (_, i) => row.slice(i * size, (i + 1) * size)),
  );
}

// Small groups keep their scale in float16, rounded up where the largest value would clip.
function stored(scale, granularity) {
  if (granularity === "tensor" || granularity === "channel") return scale > 0 ? scale : 1;
  const code = encode(scale, "fp16");
  const half = decode(code, "fp16");
  const up = half < scale ? decode(neighbor(code, "fp16", 1), "fp16") : half;
  return up > 0 ? up : 1;
}

function clamp(x, low, high) {
  return Math.min(Math.max(x, low), high);
}

/** Groups of codes with scale and zero point, restored values, SQNR in dB, true bits a weight. */
export function quantized(matrix, { bits, kind, granularity, clip }) {
  const affine = kind === "affine";
  const groups = grouped(matrix, granularity).map((group) =>
    (affine ? affineGroup : symmetricGroup)(group, bits, granularity, clip),
  );
  const whole = groups.reduce((sum, { values }) => sum + values.length, 0);
  const scaleBits = granularity === "tensor" || granularity === "channel" ? 32 : 16;
  const groupBits = scaleBits + (affine ? bits : 0);
  const values = groups.flatMap((group) => group.values);
  return {
    groups,
    values,
    trueBits: bits + (groups.length * groupBits) / whole,
    sqnr: sqnr(matrix.flat(), values),
  };
}

function symmetricGroup(group, bits, granularity, clip) {
  const top = 2 ** (bits - 1) - 1;
  const amax = f32(clip * group.reduce((most, x) => Math.max(most, Math.abs(x)), 0));
  const scale = stored(f32(amax / top), granularity);
  const codes = group.map((x) => clamp(rint(f32(clamp(x, -amax, amax) / scale)), -top, top));
  return { codes, scale, zero: 0, values: codes.map((code) => f32(code * scale)) };
}

function affineGroup(group, bits, granularity, clip) {
  const top = 2 ** bits - 1;
  const low = f32(clip * group.reduce((least, x) => Math.min(least, x), 0));
  const high = f32(clip * group.reduce((most, x) => Math.max(most, x), 0));
  const scale = stored(f32(f32(high - low) / top), granularity);
  const zero = clamp(rint(f32(-low / scale)), 0, top);
  const codes = group.map((x) => clamp(rint(f32(clamp(x, low, high) / scale)) + zero, 0, top));
  return { codes, scale, zero, values: codes.map((code) => f32((code - zero) * scale)) };
}

/** 10 log10 of the values' squares over the errors' squares. */
export function sqnr(exact, near) {
  let [signal, noise] = [0, 0];
  exact.forEach((x, i) => {
    signal += x * x;
    noise += (x - near[i]) ** 2;
  });
  return noise ? 10 * Math.log10(signal / noise) : Infinity;
}
