"""Wrong and right answers to formats/decode_float: each wrong one is one misconception."""

from halfbits.course.authoring.contract import RightAnswer, swap

SUBNORMAL = "sign * fraction * 2.0 ** (1 - bias - mantissa_bits)"
NORMAL = "(1 + fraction / 2**mantissa_bits) * 2.0 ** (field - bias)"

WRONG = {
    "test_normal_numbers_have_a_hidden_one": [
        ("no hidden one", "is not stored", NORMAL, NORMAL.replace("1 + ", "")),
        ("a bias of float16 for all", "exponent's width", "2 ** (exponent_bits - 1) - 1", "15"),
        ("a bias without the - 1", "expected", "(exponent_bits - 1) - 1", "(exponent_bits - 1)"),
        ("the sign in the exponent", "expected", "mantissa_bits) & all_ones", "mantissa_bits)"),
    ],
    "test_subnormal_numbers_have_none": [
        ("a hidden one everywhere", "no hidden 1", "if field == 0:", "if field == fraction == 0:"),
        ("the exponent -bias", "not -bias", SUBNORMAL, SUBNORMAL.replace("1 - ", "")),
        ("subnormals flushed to zero", "close up to 0", SUBNORMAL, "sign * 0.0"),
    ],
    "test_zero_keeps_its_sign": [
        ("one zero", "-0.0", SUBNORMAL, f"{SUBNORMAL} + 0.0"),
    ],
    "test_ieee_formats_end_in_infinity_and_nan": [
        ("infinity without a sign", "-inf", "sign * math.inf", "math.inf"),
        ("no NaN", "nan", "math.nan if fraction else sign * math.inf", "sign * math.inf"),
        ("only the last code is NaN", "nan", "nan if fraction else", "nan if fraction == 1 else"),
    ],
    "test_e4m3_has_one_nan_and_no_infinity": [
        ("E4M3 read as IEEE", "end E4M3 at 240", 'ends == "ieee" and', 'ends != "finite" and'),
        ("480 for NaN", "nan", 'ends == "fn" and', "False and"),
        ("all of the last exponent NaN", "240", " and fraction == full", ""),
    ],
    "test_fp6_and_fp4_spend_every_code_on_a_number": [
        ("FP4 with infinities", "no one can be spared", 'ends == "ieee" and', 'ends != "fn" and'),
        ("FP4 with a NaN", "no one can be spared", 'ends == "fn" and', 'ends != "ieee" and'),
    ],
}

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

RIGHT = [
    RightAnswer("strings of bits", AS_TEXT),
    RightAnswer("divmod, then ldexp", LDEXP),
    RightAnswer("octave by octave, the sign by recursion", SPACINGS),
    RightAnswer(
        "the hidden one from a comparison",
        swap(
            "decode_float",
            f"    if field == 0:\n        return {SUBNORMAL}\n",
            "",
            NORMAL,
            "((field > 0) + fraction / 2**mantissa_bits) * 2.0 ** (max(field, 1) - bias)",
        ),
    ),
]
