"""Right answers to evaluation/first_divergence, each in its own style."""

from halfbits.course.authoring.contract import swap

WHILE = """
import math
def first_divergence(first, second):
    if first == second:
        return None
    n = 0
    while first[: n + 1] == second[: n + 1]:
        n += 1
    return n
def median_divergence(pairs):
    if len(pairs) == 0:
        raise ValueError("empty")
    places = sorted(
        math.inf if a == b else first_divergence(a, b) for a, b in pairs
    )
    middle = len(places) // 2
    if len(places) % 2:
        return float(places[middle])
    return (places[middle - 1] + places[middle]) / 2
"""
NUMPY = """
import numpy as np
from itertools import zip_longest
def first_divergence(first, second):
    a, b = np.array(list(zip_longest(first, second, fillvalue=-1))).reshape(-1, 2).T
    differ = np.flatnonzero(a != b)
    return int(differ[0]) if differ.size else None
def median_divergence(pairs):
    places = [first_divergence(*pair) for pair in pairs]
    if not places:
        raise ValueError
    places = np.sort([np.inf if p is None else p for p in places])
    low, high = places[(len(places) - 1) // 2], places[len(places) // 2]
    return float(low + (high - low) / 2) if high < np.inf else float(high)
"""
TAKEWHILE = """
from itertools import takewhile
from statistics import median
def first_divergence(first, second):
    shared = len(list(takewhile(lambda p: p[0] == p[1], zip(first, second))))
    if shared == len(first) == len(second):
        return None
    return shared
def median_divergence(pairs):
    if not pairs:
        raise ValueError("nothing to take the median of")
    never = float("inf")
    places = []
    for first, second in pairs:
        at = first_divergence(first, second)
        places.append(never if at is None else at)
    return median(places)
"""

RIGHT = {
    "slices that grow": WHILE,
    "numpy, filled up": NUMPY,
    "takewhile": TAKEWHILE,
    "next with a default": swap(
        "first_divergence",
        "return None if len(first) == len(second) else min(len(first), len(second))",
        "shorter, longer = sorted((len(first), len(second)))\n"
        "    return shorter if shorter < longer else None",
    ),
}
