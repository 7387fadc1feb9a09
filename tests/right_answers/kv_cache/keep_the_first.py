"""Right answers to kv_cache/keep_the_first, each in its own style."""

from halfbits.course.authoring.contract import swap

MASK = "(places < first) | (places >= n - window)"
LISTS = """
import torch
def keep(n, first, window):
    kept = sorted({*range(min(first, n)), *range(max(n - window, 0), n)})
    return torch.tensor(kept, dtype=torch.int64)
"""
MASKED = """
import torch
def attend(q, k, v, first, window):
    place = torch.arange(k.shape[0])
    dropped = (place >= first) & (place < k.shape[0] - window)
    scores = (k * q).sum(-1) / q.numel() ** 0.5
    weights = scores.masked_fill(dropped, -torch.inf).softmax(0)
    return (weights[~dropped, None] * v[~dropped]).sum(0)
"""
BUILT_IN = """
import torch
import torch.nn.functional as F
def attend(q, k, v, first, window):
    n = len(k)
    if n > first + window:
        k, v = (torch.cat([t[:first], t[n - window :]]) for t in (k, v))
    return F.scaled_dot_product_attention(q[None, None], k[None], v[None])[0, 0]
"""
COUNTED = """
import torch
def cache_positions(n, first, window):
    return torch.tensor([i for i, _ in enumerate(keep(n, first, window))], dtype=torch.long)
"""

RIGHT = {
    "two ranges in a set": LISTS,
    "minus infinity before the softmax": MASKED,
    "PyTorch's attention over two slices": BUILT_IN,
    "an enumeration": COUNTED,
    "the places of a mask": swap(
        "keep",
        f"places[{MASK}]",
        "torch.nonzero((places < first) | (places + window >= n)).flatten()",
    ),
}
