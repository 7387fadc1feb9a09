"""The table of number formats: widths, bias, what the last codes mean, the types of libraries.

The one source of these facts, for arithmetic (`halfbits.formats`), bytes (`halfbits.perf.storage`)
and figures. It needs no other library.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

# What the codes at the end of the range mean:
#   ieee    exponent all ones: infinity (fraction 0) or NaN. Too large becomes infinity.
#   fn      all ones: NaN; no infinity. Too large becomes NaN.
#   fnuz    the code of -0: NaN; no infinity, no -0. Too large becomes NaN.
#   finite  every code is a number. Too large saturates; NaN cannot be encoded.
#   scale   like fn, but no sign, no zero, no subnormals: powers of two.
#   integer two's complement. Too large saturates; NaN cannot be encoded.
#   unsigned integer from 0 on. Too large and negative saturate; NaN cannot be encoded.
Ends = Literal["ieee", "fn", "fnuz", "finite", "scale", "integer", "unsigned"]


@dataclass(frozen=True)
class Format:
    """A format: widths in bits, the exponent's bias, and what the last codes mean.

    `torch` and `ml_dtypes` are the names of the same type in PyTorch and in ml_dtypes, or in numpy
    where that has it; empty where there is none.
    """

    name: str
    exponent: int
    mantissa: int
    bias: int
    ends: Ends
    torch: str = ""
    ml_dtypes: str = ""

    @property
    def bits(self) -> int:
        """Bits of a code, the sign included."""
        return self.exponent + self.mantissa + (self.ends not in ("scale", "unsigned"))

    @property
    def smallest_exponent(self) -> int:
        """Exponent of the smallest normal value."""
        return -self.bias if self.ends == "scale" else 1 - self.bias

    @property
    def sign(self) -> int:
        """The code's sign bit; 0 when there is none."""
        is_signed = self.ends not in ("scale", "unsigned")
        return is_signed << (self.exponent + self.mantissa)

    @property
    def largest_code(self) -> int:
        """Code of the largest finite value."""
        every_one = (1 << (self.exponent + self.mantissa)) - 1
        unused = {"ieee": 1 << self.mantissa, "fn": 1, "scale": 1}
        return every_one - unused.get(self.ends, 0)

    @property
    def nan_code(self) -> int | None:
        """The code that `encode` gives NaN; None when the format has none."""
        if self.ends == "ieee":
            return self.largest_code + 1 + (1 << (self.mantissa - 1))
        if self.ends == "fnuz":
            return self.sign
        return self.largest_code + 1 if self.ends in ("fn", "scale") else None


FORMATS = {
    made.name: made
    for made in (
        Format("fp64", 11, 52, 1023, "ieee", "float64", "float64"),
        Format("fp32", 8, 23, 127, "ieee", "float32", "float32"),
        Format("tf32", 8, 10, 127, "ieee"),  # what a tensor core reads of an fp32 operand
        Format("bf16", 8, 7, 127, "ieee", "bfloat16", "bfloat16"),
        Format("fp16", 5, 10, 15, "ieee", "float16", "float16"),
        Format("fp8_e5m2", 5, 2, 15, "ieee", "float8_e5m2", "float8_e5m2"),
        Format("fp8_e4m3fn", 4, 3, 7, "fn", "float8_e4m3fn", "float8_e4m3fn"),
        Format("fp8_e5m2fnuz", 5, 2, 16, "fnuz", "float8_e5m2fnuz", "float8_e5m2fnuz"),
        Format("fp8_e4m3fnuz", 4, 3, 8, "fnuz", "float8_e4m3fnuz", "float8_e4m3fnuz"),
        Format("fp6_e3m2", 3, 2, 3, "finite", "", "float6_e3m2fn"),
        Format("fp6_e2m3", 2, 3, 1, "finite", "", "float6_e2m3fn"),
        Format("fp4_e2m1", 2, 1, 1, "finite", "", "float4_e2m1fn"),
        Format("e8m0", 8, 0, 127, "scale", "float8_e8m0fnu", "float8_e8m0fnu"),
        Format("int8", 0, 7, 0, "integer", "int8", "int8"),
        Format("int4", 0, 3, 0, "integer", "", "int4"),
    )
}


def named(name: str) -> Format:
    """The format called `name`: one of FORMATS, int2 to int8, or uint2 to uint8.

    Raises ValueError with the known names for any other.
    """
    if name in FORMATS:
        return FORMATS[name]
    if integer := re.fullmatch(r"(u?)int([2-8])", name):
        is_unsigned, bits = bool(integer[1]), int(integer[2])
        return Format(
            name, 0, bits - (not is_unsigned), 0, "unsigned" if is_unsigned else "integer"
        )
    known = f"{', '.join(FORMATS)}, int2 to int8, uint2 to uint8"
    raise ValueError(f"unknown format {name!r}; known are {known}")
