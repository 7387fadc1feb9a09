"""Right answers to quantization/true_bits, each in its own style."""

from halfbits.course.authoring.contract import swap

LOOPS = """
def layer_bits(rows, columns, bits, group=None, scale_bits=16, zero_bits=0):
    total = 0
    for _ in range(rows):
        codes = columns * bits
        while codes % 8:
            codes += 1
        left = columns
        while left > 0:
            codes += scale_bits + zero_bits
            left -= columns if group is None else group
        total += codes
    return total
def bits_a_weight(layers):
    if len(layers) == 0:
        raise ValueError
    bits = weights = 0
    for layer in layers:
        bits += layer_bits(**layer)
        weights += layer["rows"] * layer["columns"]
    return bits / weights
"""
CEIL = """
import math
def layer_bits(rows, columns, bits, group=None, scale_bits=16, zero_bits=0):
    group = group or columns
    nbytes = rows * math.ceil(columns * bits / 8)
    return 8 * nbytes + rows * math.ceil(columns / group) * (scale_bits + zero_bits)
def bits_a_weight(layers):
    total = sum(layer_bits(**one) for one in layers)
    try:
        return total / sum(one["rows"] * one["columns"] for one in layers)
    except ZeroDivisionError:
        raise ValueError("no layers") from None
"""
NUMPY = """
import numpy as np
def layer_bits(rows, columns, bits, group=None, *, scale_bits=16, zero_bits=0):
    whole, rest = divmod(columns * bits, 8)
    groups = int(np.ceil(columns / (columns if group is None else group)))
    return rows * (8 * (whole + bool(rest)) + groups * scale_bits + groups * zero_bits)
def bits_a_weight(layers):
    if not layers:
        raise ValueError("no layers")
    sizes = np.array([one["rows"] * one["columns"] for one in layers], float)
    own = np.array([layer_bits(**one) for one in layers]) / sizes
    return float(np.average(own, weights=sizes))
"""

RIGHT = {
    "loops": LOOPS,
    "ceil, and a division that fails": CEIL,
    "divmod, and a weighted average": NUMPY,
    "adds before it shifts": swap(
        "layer_bits", "8 * -(-columns * bits // 8)", "(columns * bits + 7) // 8 * 8"
    ),
}
