"""Right answers to quantization/affine_parameters, each in its own style."""

from halfbits.course.authoring.contract import swap

ZERO = "first - round(low / scale)"
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

RIGHT = {
    "counted from the upper end": FROM_ABOVE,
    "numpy, with a floor under the scale": NUMPY,
    "the code that misses 0 the least, as a list": SEARCHED,
    "halves up": swap("affine_parameters", ZERO, "first - int(low / scale - 0.5)"),
}
