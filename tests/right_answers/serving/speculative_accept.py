"""Right answers to serving/speculative_accept, each in its own style."""

from halfbits.course.authoring.contract import swap

SMALLER = """
import torch
def accept_probability(p, q):
    chance = torch.minimum(p, q) / torch.where(q == 0, 1.0, q)
    return torch.where(q == 0, torch.ones_like(q), chance)
"""
NUMPY = """
import numpy as np
import torch
def residual(p, q):
    gap = np.maximum(p.numpy() - q.numpy(), 0)
    total = gap.sum()
    return torch.from_numpy(gap / total) if total else p.clone()
"""
SEARCHED = """
import torch
def verify(drafted, p, q, uniforms):
    out = []
    for i, token in enumerate(drafted):
        if uniforms[i] * q[i, token] < p[i, token]:
            out.append(token)
            continue
        source = torch.relu(p[i] - q[i])
        break
    else:
        source = p[len(drafted)]
    sums = torch.cumsum(source / source.sum(), 0)
    out.append(torch.searchsorted(sums, uniforms[-1], right=True).item())
    return out
"""
PLAIN = """
def verify(drafted, p, q, uniforms):
    n = 0
    while n < len(drafted) and uniforms[n] < accept_probability(p[n], q[n])[drafted[n]].item():
        n += 1
    source = residual(p[n], q[n]) if n < len(drafted) else p[n]
    total = 0.0
    for token, chance in enumerate(source.tolist()):
        total += chance
        if total > uniforms[-1]:
            return drafted[:n] + [token]
    return drafted[:n] + [token]
"""

RIGHT = {
    "the smaller over q": SMALLER,
    "numpy": NUMPY,
    "no division, a search": SEARCHED,
    "a while loop and a running sum": PLAIN,
    "the sum at least tiny": swap(
        "residual", "if missing.sum() > 0 else p.clone()", "if bool((p > q).any()) else p + 0.0"
    ),
}
