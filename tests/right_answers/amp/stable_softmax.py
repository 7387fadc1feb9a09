"""Right answers to amp/stable_softmax, each in its own style."""

from halfbits.course.authoring.contract import swap

FLOAT64 = """
import torch
def stable_softmax(scores):
    s = scores.to(torch.float64)
    largest = s.max(dim=-1, keepdim=True).values
    e = torch.exp(s - largest.masked_fill(largest.isinf(), 0.0))
    return torch.nan_to_num(e / e.sum(dim=-1, keepdim=True), nan=0.0).to(scores.dtype)
"""
NUMPY = """
import numpy as np
import torch
def stable_softmax(scores):
    s = scores.double().numpy()
    top = s.max(axis=-1, keepdims=True)
    e = np.exp(s - np.where(np.isneginf(top), 0, top))
    total = e.sum(axis=-1, keepdims=True)
    return torch.from_numpy(e / np.where(total > 0, total, 1)).to(scores.dtype)
"""
ONLINE = """
import torch
def stable_softmax(scores):
    wide = scores.float()
    top = torch.full_like(wide[..., 0], -3.4e38)
    total = torch.zeros_like(top)
    for part in torch.split(wide, 100, dim=-1):
        new = torch.maximum(top, part.max(-1)[0])
        total = total * torch.exp(top - new) + torch.exp(part - new[..., None]).sum(-1)
        top = new
    out = torch.exp(wide - top[..., None]) / torch.where(total == 0, 1.0, total)[..., None]
    return out.type_as(scores)
"""
POWERS_OF_TWO = swap(
    "stable_softmax", "(wide - top).exp()", "torch.exp2((wide.double() - top) / 0.6931471805599453)"
)

RIGHT = {
    "float64, NaN becomes zero": FLOAT64,
    "numpy": NUMPY,
    "piece by piece": ONLINE,
    "powers of two": POWERS_OF_TWO,
}
