"""Right answers to amp/repair_masks, each in its own style."""

from halfbits.course.authoring.contract import swap

MASKED = "torch.where(seen, scores, torch.finfo(scores.dtype).min)"
CLAMPED = """
import torch
def attention_weights(scores, valid):
    lowest = torch.finfo(scores.dtype).min
    n = scores.size(-1)
    mask = torch.full((n, n), lowest, dtype=torch.float64).triu(1)
    mask = mask + torch.where(valid, 0.0, lowest).double()[:, None, :]
    total = (scores.double() + mask).clamp(min=lowest).to(scores.dtype)
    return total.softmax(-1)
"""
ZEROED = """
import torch
def attention_weights(scores, valid):
    n = scores.shape[-1]
    hidden = torch.ones(n, n, dtype=torch.bool).triu(1) | ~valid.unsqueeze(1)
    weights = scores.float().masked_fill(hidden, float("-inf")).softmax(dim=-1)
    return torch.nan_to_num(weights, nan=0.0).to(scores.dtype)
"""
LOOPS = """
import torch
def attention_weights(scores, valid):
    out = torch.zeros_like(scores)
    for b in range(scores.shape[0]):
        for i in range(scores.shape[1]):
            keys = [j for j in range(i + 1) if valid[b, j]]
            if keys:
                out[b, i, keys] = torch.softmax(scores[b, i, keys].float(), 0).to(scores.dtype)
    return out
"""

RIGHT = {
    "added in float64 and clamped": CLAMPED,
    "minus infinity, then zeros for NaN": ZEROED,
    "loops over the keys that are seen": LOOPS,
    "masked_fill": swap(
        "attention_weights", MASKED, "scores.masked_fill(~seen, torch.finfo(scores.dtype).min)"
    ),
}
