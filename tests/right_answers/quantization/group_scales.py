"""Right answers to quantization/group_scales, each in its own style."""

from halfbits.course.authoring.contract import swap

GUARD = "torch.where(scale == 0, 1.0, scale)"
LOOPS = """
import torch
def group_scales(w, group_size):
    codes = torch.zeros(w.shape, dtype=torch.int8)
    scales = []
    for r, row in enumerate(w):
        scales.append([])
        for start in range(0, len(row), group_size):
            part = row[start : start + group_size]
            step = max(abs(v) for v in part.tolist()) / 7 or 1.0
            scales[-1].append(step)
            rounded = [round(v / step) for v in part.tolist()]
            codes[r, start : start + group_size] = torch.tensor(rounded)
    return codes, torch.tensor(scales)
"""
SPLIT = """
import torch
def group_scales(w, group_size):
    scales, codes = [], []
    for part in w.split(group_size, dim=1):
        s = part.abs().max(dim=1, keepdim=True).values.mul(1 / 7).clamp_min(1e-12)
        scales.append(s)
        codes.append((part / s).round().clamp(-7, 7))
    return torch.hstack(codes).type(torch.int8), torch.hstack(scales)
"""
NUMPY = """
import numpy as np
import torch
def group_scales(w, group_size):
    x = w.numpy()
    starts = np.arange(0, x.shape[1], group_size)
    scale = np.maximum.reduceat(np.abs(x), starts, axis=1) / np.float32(7)
    scale[scale == 0] = 1
    codes = np.rint(x / scale[:, np.arange(x.shape[1]) // group_size]).astype(np.int8)
    return [torch.from_numpy(codes), torch.from_numpy(scale)]
"""

RIGHT = {
    "two loops and Python floats": LOOPS,
    "split, and the reciprocal of 7": SPLIT,
    "numpy's reduceat, as a list": NUMPY,
    "a clamp for the zeros": swap("group_scales", GUARD, "scale.clamp(min=2**-126)"),
}
