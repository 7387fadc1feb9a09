"""Right answers to evaluation/non_inferior, each in its own style."""

from halfbits.course.authoring.contract import swap

STATISTICS = """
import math
import statistics
def non_inferior(differences, margin):
    values = differences.tolist()
    if len(values) < 2:
        raise ValueError("one document has no spread")
    if not margin > 0 or any(math.isnan(v) for v in values):
        raise ValueError("no margin, or no number")
    z = statistics.NormalDist().inv_cdf(0.95)
    error = statistics.stdev(values) / math.sqrt(len(values))
    lower, upper = (statistics.fmean(values) + sign * z * error for sign in (-1, 1))
    if upper < margin:
        verdict = "non-inferior"
    elif margin < lower:
        verdict = "inferior"
    else:
        verdict = "undecided"
    return verdict, upper
"""
NUMPY = """
import numpy as np
def non_inferior(differences, margin):
    d = differences.numpy()
    if d.size < 2 or not (margin > 0) or np.isnan(d).any():
        raise ValueError
    half = 1.645 * np.sqrt(d.var(ddof=1) / d.size)
    verdict = np.select([d.mean() + half < margin, d.mean() - half > margin],
                        ["non-inferior", "inferior"], "undecided")
    return str(verdict), d.mean() + half
"""
STATISTIC = """
import torch
def non_inferior(differences, margin):
    if differences.numel() < 2 or not margin > 0 or torch.isnan(differences.sum()):
        raise ValueError("cannot be judged")
    spread, mean = torch.std_mean(differences)
    error = spread / differences.numel() ** 0.5
    upper = mean + 1.645 * error
    gap = margin - mean
    verdict = "undecided"
    if gap > 1.645 * error:
        verdict = "non-inferior"
    if -gap > 1.645 * error:
        verdict = "inferior"
    return [verdict, upper]
"""

RIGHT = {
    "the statistics module, the exact quantile": STATISTICS,
    "numpy": NUMPY,
    "distances to the margin, tensors": STATISTIC,
    "a root of the variance": swap(
        "non_inferior",
        "1.645 * differences.std().item() / math.sqrt(n)",
        "math.sqrt(1.645**2 * differences.var().item() / n)",
    ),
}
