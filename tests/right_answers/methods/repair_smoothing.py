"""Right answers to methods/repair_smoothing, each in its own style."""

from halfbits.course.authoring.contract import swap

GAIN = "(offset + weight) / s - offset"
TWO_CASES = """
import torch
def smooth_norm(weight, offset, readers, amax, alpha=0.5):
    wmax = torch.cat(list(readers)).abs().max(dim=0)[0]
    s = amax.pow(alpha) * wmax.pow(alpha - 1)
    new = weight / s if offset == 0 else (1 + weight).div(s).sub(1)
    return new, tuple(w.mul(s) for w in readers)
"""
LOGARITHMS = """
import torch
def smooth_norm(weight, offset, readers, amax, alpha=0.5):
    wmax = torch.cat(readers).abs().amax(0).double()
    s = torch.exp(alpha * amax.double().log() - (1 - alpha) * wmax.log()).float()
    gain = weight + offset
    return [gain / s - offset, [torch.einsum("oi,i->oi", w, s) for w in readers]]
"""
DIFFERENCE = """
import numpy as np
import torch
def smooth_norm(weight, offset, readers, amax, alpha=0.5):
    matrices = [w.numpy() for w in readers]
    wmax = np.max([np.abs(m).max(axis=0) for m in matrices], axis=0)
    s = amax.numpy() ** np.float32(alpha) / wmax ** np.float32(1 - alpha)
    new = weight.numpy() / s + np.float32(offset) * (1 / s - 1)
    return torch.from_numpy(new), [torch.from_numpy(m * s) for m in matrices]
"""

RIGHT = {
    "the two families apart": TWO_CASES,
    "logarithms in float64": LOGARITHMS,
    "numpy, and weight / s plus what the offset needs": DIFFERENCE,
    "the inverse": swap("smooth_norm", GAIN, "(offset + weight) * (1 / s) - offset"),
}
