"""Wrong and right answers to quantization/affine_parameters: each wrong one is a misconception."""

from halfbits.course.authoring.contract import RightAnswer, swap

STRETCH = "low, high = min(low, 0.0), max(high, 0.0)"
ZERO = "first - round(low / scale)"
CUT = f"min(max({ZERO}, first), last)"

OTHER_SCALE = "any scale serves where there is no range"
EQUIVALENT = {"scale = (high - low) / (last - first) or 2.0": OTHER_SCALE}

WRONG = {
    "test_range_on_both_sides_of_zero": [
        ("as many steps as codes", "scale", "(last - first)", "(last - first + 1)"),
        ("the first code taken for 0", "not always 0", ZERO, "-round(low / scale)"),
        ("the sign turned round", "not always 0", ZERO, "first + round(low / scale)"),
        ("a zero point that is no code", "an int from", ZERO, "first - low / scale"),
        ("cut off, not rounded", "within 0.5", ZERO, "first - int(low / scale)"),
        ("symmetric", "scale", STRETCH, "high = max(abs(low), abs(high)); low = -high"),
        ("the center", "zero_point", ZERO, "(first + last) // 2"),
    ],
    "test_range_above_zero_is_stretched_down_to_it": [
        ("a zero point beyond the codes", "every padded place", "min(low, 0.0), ", "low, "),
        ("cut off to the codes", "every padded place", "min(low, 0.0), ", "low, ", ZERO, CUT),
    ],
    "test_range_below_zero_is_stretched_up_to_it": [
        ("a zero point beyond the codes", "the same care", "max(high, 0.0)", "high"),
        ("cut off to the codes", "the same care", "max(high, 0.0)", "high", ZERO, CUT),
    ],
    "test_a_single_value_still_has_a_range": [
        ("a range of 1", "scale", STRETCH, f"if low == high: return 1.0, first\n    {STRETCH}"),
    ],
    "test_an_end_at_zero_is_the_first_or_last_code": [
        (
            "one-sided means symmetric",
            "a ReLU",
            STRETCH,
            f"{STRETCH}\n    if low == 0: low = -high",
        ),
    ],
    "test_nothing_but_zeros_gives_a_usable_scale": [
        ("divides by zero", "raised ZeroDivisionError", " or 1.0", ""),
        (
            "a scale of zero",
            "finite and above 0",
            STRETCH,
            f"if low == high == 0: return 0.0, first\n    {STRETCH}",
        ),
    ],
}

FROM_ABOVE = """
def affine_parameters(low, high, first, last):
    if low > 0:
        low = 0.0
    if high < 0:
        high = 0.0
    if low == high:
        return 2.0**-20, last
    scale = (high - low) / (last - first)
    return scale, round(last - high / scale)
"""

NUMPY = """
import numpy as np

def affine_parameters(low, high, first, last):
    ends = np.array([low, high, 0.0])
    scale = max(np.ptp(ends) / (last - first), np.finfo(np.float32).tiny)
    zero_point = np.clip(np.rint(first - ends.min() / scale), first, last)
    return float(scale), int(zero_point)
"""

SEARCHED = """
def affine_parameters(low, high, first, last):
    low, high = sorted([low, high, 0.0])[::2]
    scale = (high - low) / (last - first) if high > low else 1.0
    def off(code):
        return abs((first - code) * scale - low)
    return [scale, min(range(first, last + 1), key=off)]
"""

RIGHT = [
    RightAnswer("counted from the upper end", FROM_ABOVE),
    RightAnswer("numpy, with a floor under the scale", NUMPY),
    RightAnswer("the code that misses 0 the least, as a list", SEARCHED),
    RightAnswer("halves up", swap("affine_parameters", ZERO, "first - int(low / scale - 0.5)")),
]
