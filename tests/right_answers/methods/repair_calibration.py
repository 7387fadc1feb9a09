"""Right answers to methods/repair_calibration, each in its own style."""

from halfbits.course.authoring.contract import swap

FIRST = "mean, count = total / len(batch), len(batch)"
SUMS = """
import torch
def mean_magnitude(batches):
    total, count = torch.zeros(batches[0].shape[1], dtype=torch.float64), 0
    for batch in batches:
        total += batch.double().abs().sum(dim=0)
        count += batch.shape[0]
    return (total / count).float()
"""
JOINED = """
import torch
def mean_magnitude(batches):
    return torch.vstack(list(batches)).abs().mean(dim=0)
"""
WEIGHTED = """
import numpy as np
import torch
def mean_magnitude(batches):
    means = np.stack([np.abs(b.numpy()).mean(axis=0) for b in batches])
    weights = [len(b) for b in batches]
    return torch.from_numpy(np.average(means, axis=0, weights=weights).astype(np.float32))
"""

RIGHT = {
    "a sum in float64, divided once": SUMS,
    "all tokens joined": JOINED,
    "numpy's weighted average of means": WEIGHTED,
    "from 0 on": swap(
        "mean_magnitude", FIRST, "mean, count = torch.mean(batch.abs(), 0), batch.size(0)"
    ),
}
