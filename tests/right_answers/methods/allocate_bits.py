"""Right answers to methods/allocate_bits, each in its own style."""

from halfbits.course.authoring.contract import swap

RESULT = "return list(min(fitting, key=loss))"
RECURSION = """
def allocate_bits(errors, sizes, budget):
    def best(i, left):
        if i == len(errors):
            return 0.0, []
        found = None
        for width, error in errors[i].items():
            if width * sizes[i] <= left:
                rest = best(i + 1, left - width * sizes[i])
                if rest and (found is None or error + rest[0] < found[0]):
                    found = error + rest[0], [width, *rest[1]]
        return found
    result = best(0, budget)
    if result is None:
        raise ValueError("the budget is too small")
    return result[1]
"""
FRONTS = """
def allocate_bits(errors, sizes, budget):
    front = {0: (0.0, [])}
    for layer, size in zip(errors, sizes):
        grown = {}
        for used, (loss, widths) in front.items():
            for width, error in layer.items():
                total = used + width * size
                if total <= budget and (total not in grown or loss + error < grown[total][0]):
                    grown[total] = (loss + error, [*widths, width])
        front = grown
    if not front:
        raise ValueError(f"{budget} bits hold no choice")
    return min(front.values(), key=lambda one: one[0])[1]
"""
NUMPY = """
import itertools
import numpy as np
def allocate_bits(errors, sizes, budget):
    choices = np.array(list(itertools.product(*[sorted(e) for e in errors])))
    choices = choices[choices @ np.array(sizes) <= budget]
    if not len(choices):
        raise ValueError("nothing fits")
    loss = [sum(e[w] for e, w in zip(errors, row)) for row in choices.tolist()]
    return choices[np.argmin(loss)].tolist()
"""

RIGHT = {
    "recursion": RECURSION,
    "dynamic programming over the memory": FRONTS,
    "numpy": NUMPY,
    "a sorted list": swap("allocate_bits", RESULT, "return list(sorted(fitting, key=loss)[0])"),
}
