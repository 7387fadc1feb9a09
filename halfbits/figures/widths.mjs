// Name, exponent and fraction in bits, bias, and what the last codes mean.
// Made from halfbits/format_table.py by `python -m halfbits.figures.widths`.
export const WIDTHS = [
  ["fp64", 11, 52, 1023, "ieee"],
  ["fp32", 8, 23, 127, "ieee"],
  ["tf32", 8, 10, 127, "ieee"],
  ["bf16", 8, 7, 127, "ieee"],
  ["fp16", 5, 10, 15, "ieee"],
  ["fp8_e5m2", 5, 2, 15, "ieee"],
  ["fp8_e4m3fn", 4, 3, 7, "fn"],
  ["fp8_e5m2fnuz", 5, 2, 16, "fnuz"],
  ["fp8_e4m3fnuz", 4, 3, 8, "fnuz"],
  ["fp6_e3m2", 3, 2, 3, "finite"],
  ["fp6_e2m3", 2, 3, 1, "finite"],
  ["fp4_e2m1", 2, 1, 1, "finite"],
  ["e8m0", 8, 0, 127, "scale"],
  ["int8", 0, 7, 0, "integer"],
  ["int4", 0, 3, 0, "integer"],
];
