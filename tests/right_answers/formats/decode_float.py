"""Right answers to formats/decode_float, each in its own style."""

from halfbits.course.authoring.contract import swap

SUBNORMAL = "sign * fraction * 2.0 ** (1 - bias - mantissa_bits)"
NORMAL = "(1 + fraction / 2**mantissa_bits) * 2.0 ** (field - bias)"
AS_TEXT = """
from math import copysign, inf, nan

def decode_float(code, exponent_bits, mantissa_bits, ends="ieee"):
    bits = format(code, f"0{1 + exponent_bits + mantissa_bits}b")
    e, m = bits[1 : 1 + exponent_bits], bits[1 + exponent_bits :]
    if "0" not in e:
        if ends == "ieee":
            return nan if "1" in m else copysign(inf, 0.5 - int(bits[0]))
        if ends == "fn" and "0" not in m:
            return nan
    value = int(m, 2) / (1 << mantissa_bits) + ("1" in e)
    shift = max(int(e, 2), 1) - (1 << (exponent_bits - 1)) + 1
    return copysign(value * 2.0**shift, 0.5 - int(bits[0]))
"""
LDEXP = """
import math

def decode_float(code, exponent_bits, mantissa_bits, ends="ieee"):
    magnitude = code % (1 << (exponent_bits + mantissa_bits))
    field, fraction = divmod(magnitude, 1 << mantissa_bits)
    special = {"ieee": ((1 << exponent_bits) - 1) << mantissa_bits,
               "fn": (1 << (exponent_bits + mantissa_bits)) - 1}.get(ends, 1 << 99)
    if magnitude >= special:
        value = math.inf if magnitude == special and ends == "ieee" else math.nan
    else:
        whole = fraction + (field > 0) * (1 << mantissa_bits)
        bias = (1 << (exponent_bits - 1)) - 1
        value = math.ldexp(whole, max(field, 1) - bias - mantissa_bits)
    return -value if code != magnitude else value
"""
SPACINGS = """
def decode_float(code, exponent_bits, mantissa_bits, ends="ieee"):
    sign_bit = 2 ** (exponent_bits + mantissa_bits)
    if code >= sign_bit:
        return -1.0 * decode_float(code - sign_bit, exponent_bits, mantissa_bits, ends)
    last = sign_bit - 2**mantissa_bits
    if ends == "ieee" and code >= last:
        return float("inf") if code == last else float("nan")
    if ends == "fn" and code == sign_bit - 1:
        return float("nan")
    step, left, octave = 2.0 ** (2 - 2 ** (exponent_bits - 1) - mantissa_bits), code, 0
    while left >= 2 ** (mantissa_bits + 1):
        left, octave = left - 2**mantissa_bits, octave + 1
    return left * step * 2.0**octave
"""

RIGHT = {
    "strings of bits": AS_TEXT,
    "divmod, then ldexp": LDEXP,
    "octave by octave, the sign by recursion": SPACINGS,
    "the hidden one from a comparison": swap(
        "decode_float",
        f"    if field == 0:\n        return {SUBNORMAL}\n",
        "",
        NORMAL,
        "((field > 0) + fraction / 2**mantissa_bits) * 2.0 ** (max(field, 1) - bias)",
    ),
}
