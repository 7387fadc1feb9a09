"""Right answers to quantization/best_clip, each in its own style."""

from halfbits.course.authoring.contract import swap

CODES = "torch.round(w / scale).clamp(-top, top)"
LOOPS = """
import torch
def best_clip(w, bits, shares):
    top = (1 << bits - 1) - 1
    best = []
    for row in w.double():
        def error(share, row=row):
            limit = share * float(row.abs().max())
            if limit == 0:
                return 0.0
            clipped = row.clip(-limit, limit)
            back = (clipped * top / limit).round() * limit / top
            return float(((row - back) ** 2).mean())
        best.append(min(shares, key=error))
    return torch.tensor(best, dtype=torch.float32)
"""
RUNNING = """
import torch
def best_clip(w, bits, shares):
    top = 2 ** (bits - 1) - 1
    least = torch.full((w.shape[0],), torch.inf)
    best = torch.full_like(least, shares[0])
    for share in sorted(shares, reverse=True):
        step = (w.abs().max(1).values * share / top).clamp(min=1e-30).unsqueeze(1)
        error = torch.norm(w - step * (w / step).round().clip(-top, top), dim=1)
        best, least = torch.where(error < least, share, best), torch.minimum(error, least)
    return best
"""
BROADCAST = """
import numpy as np
import torch
def best_clip(w, bits, shares):
    x, s = w.numpy()[None].astype(float), np.array(shares)[:, None, None]
    top = 2 ** (bits - 1) - 1
    scale = np.maximum(s * abs(x).max(2, keepdims=True) / top, 1e-300)
    off = x - np.clip(np.rint(x / scale), -top, top) * scale
    return torch.from_numpy(s[(off**2).sum(2).argmin(0), 0, 0].astype(np.float32))
"""

RIGHT = {
    "row by row, the mean of squares": LOOPS,
    "a running minimum of the norm, shares sorted": RUNNING,
    "numpy, all shares at once": BROADCAST,
    "the codes' clamp as a clamp of w": swap(
        "best_clip",
        CODES,
        "torch.round(w.clamp(-share * amax, share * amax) / scale)",
    ),
}
