"""Right answers to evaluation/mcnemar, each in its own style."""

from halfbits.course.authoring.contract import swap

FRACTIONS = """
from fractions import Fraction
from math import comb
def discordant(first, second):
    if first.shape != second.shape:
        raise ValueError(f"{len(first)} and {len(second)} items")
    pairs = list(zip(first.tolist(), second.tolist()))
    return pairs.count((True, False)), pairs.count((False, True))
def mcnemar(lost, gained):
    d, low = lost + gained, min(lost, gained)
    if lost == gained:
        return 1.0
    middle = sum(comb(d, k) for k in range(low + 1, d - low))
    return float(1 - Fraction(middle, 2**d))
"""
LOGARITHMS = """
import math
import numpy as np
def discordant(first, second):
    a, b = first.numpy().astype(np.int8), second.numpy().astype(np.int8)
    if a.size != b.size:
        raise ValueError("not the same items")
    change = b - a
    return int(np.count_nonzero(change == -1)), int(np.count_nonzero(change == 1))
def mcnemar(lost, gained):
    d = lost + gained
    log = [math.lgamma(d + 1) - math.lgamma(k + 1) - math.lgamma(d - k + 1) - d * math.log(2)
           for k in range(min(lost, gained) + 1)]
    top = max(log)
    return min(1.0, 2 * math.exp(top) * math.fsum(math.exp(x - top) for x in log))
"""
PASCAL = """
import torch
def discordant(first, second):
    if len(first) != len(second):
        raise ValueError
    lost = torch.logical_and(first, second.logical_not()).sum().item()
    return lost, (first != second).sum().item() - lost
def mcnemar(lost, gained):
    if lost > gained:
        return mcnemar(gained, lost)
    d = lost + gained
    ways = total = 1
    for k in range(lost):
        ways = ways * (d - k) // (k + 1)
        total += ways
    return min(2 * total, 2**d) / 2**d
"""

RIGHT = {
    "fractions, by what lies between the tails": FRACTIONS,
    "logarithms of the gamma function, numpy": LOGARITHMS,
    "term by term": PASCAL,
    "shifts for powers": swap(
        "mcnemar", "return min(1.0, 2 * tail / 2**d)", "return min(1.0, (tail << 1) / (1 << d))"
    ),
}
