"""Right answers to methods/smooth, each in its own style."""

from halfbits.course.authoring.contract import swap

RESULT = "return gain / s, [w * s for w in weights]"
CONCATENATED = """
import torch
def smooth(gain, weights, amax, alpha):
    top = torch.vstack(list(weights)).abs().max(dim=0).values
    s = torch.exp(alpha * torch.log(amax) - (1 - alpha) * torch.log(top))
    s[(amax == 0) | (top == 0)] = 1
    return gain / s, tuple(w @ torch.diag(s) for w in weights)
"""
NUMPY = """
import numpy as np
import torch
def smooth(gain, weights, amax, alpha):
    a = amax.numpy().astype(np.float64)
    w = np.max([np.abs(m.numpy()).max(axis=0) for m in weights], axis=0).astype(np.float64)
    alive = (a > 0) & (w > 0)
    s = np.ones_like(a)
    s[alive] = a[alive] ** alpha * w[alive] ** (alpha - 1)
    s = torch.from_numpy(s.astype(np.float32))
    return [gain.div(s), [m.mul(s) for m in weights]]
"""
LOOPS = """
import torch
def smooth(gain, weights, amax, alpha):
    gain, weights = gain.clone(), [w.clone() for w in weights]
    for j in range(len(gain)):
        largest = max(float(w[:, j].abs().max()) for w in weights)
        if float(amax[j]) and largest:
            factor = float(amax[j]) ** alpha / largest ** (1 - alpha)
            gain[j] /= factor
            for w in weights:
                w[:, j] *= factor
    return gain, weights
"""

RIGHT = {
    "logarithms, and a diagonal matrix": CONCATENATED,
    "numpy in float64": NUMPY,
    "loops over copies": LOOPS,
    "one side's inverse": swap(
        "smooth", RESULT, "r = 1 / s\n    return gain * r, [w / r for w in weights]"
    ),
}
