"""Right answers to evaluation/paired_bootstrap, each in its own style."""

from halfbits.course.authoring.contract import swap

NUMPY = """
import numpy as np
def bootstrap_interval(first, second, groups, draws):
    a, b, g, d = (t.numpy() for t in (first, second, groups, draws))
    names = np.unique(g)
    parts = [(b - a)[g == name] for name in names]
    values = [np.concatenate([parts[k] for k in row]).mean() for row in d]
    return tuple(float(q) for q in np.percentile(values, [2.5, 97.5]))
"""
LISTS = """
import math
def bootstrap_interval(first, second, groups, draws):
    by_name = {}
    for a, b, g in zip(first.tolist(), second.tolist(), groups.tolist()):
        by_name.setdefault(g, []).append(b - a)
    parts = [by_name[name] for name in sorted(by_name)]
    values = []
    for row in draws.tolist():
        items = [x for k in row for x in parts[k]]
        values.append(math.fsum(items) / len(items))
    values.sort()
    def quantile(q):
        at = q * (len(values) - 1)
        low = math.floor(at)
        high = min(low + 1, len(values) - 1)
        return values[low] + (at - low) * (values[high] - values[low])
    return [quantile(0.025), quantile(0.975)]
"""
WEIGHTS = """
import torch
def bootstrap_interval(first, second, groups, draws):
    names = torch.unique(groups)
    member = (groups == names[:, None]).double()
    times = torch.zeros(len(draws), len(names), dtype=torch.float64)
    times.scatter_add_(1, draws, torch.ones_like(draws, dtype=torch.float64))
    weights = times @ member
    means = weights @ (second - first) / weights.sum(dim=1)
    return means.quantile(0.025), means.quantile(0.975)
"""

RIGHT = {
    "numpy, item by item": NUMPY,
    "lists and an own quantile": LISTS,
    "weights of the original items": WEIGHTS,
    "subtracts the two sums": swap(
        "bootstrap_interval",
        "means = sums[draws].sum(1) / counts[draws].sum(1)",
        "n = counts[draws].sum(dim=1)\n    means = sums.index_select(0, draws.flatten())"
        ".view(draws.shape).sum(-1).div(n)",
    ),
}
