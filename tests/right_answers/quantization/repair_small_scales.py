"""Right answers to quantization/repair_small_scales, each in its own style."""

from halfbits.course.authoring.contract import swap

FLOOR = "torch.finfo(torch.float32).tiny"
WHERE = """
import torch
def quantize_tokens(x):
    x32 = x.to(torch.float32)
    scale = x32.abs().max(dim=-1, keepdim=True).values / 127
    scale = torch.where(scale > 0, scale, torch.ones_like(scale))
    return (x32 / scale).round().clamp(-127, 127).char(), scale
"""
NUMPY = """
import numpy as np
import torch
def quantize_tokens(x):
    rows = x.float().numpy()
    scale = np.abs(rows).max(axis=1, keepdims=True) * np.float32(1 / 127)
    scale[scale == 0] = 1
    codes = np.clip(np.rint(rows / scale), -127, 127).astype(np.int8)
    return [torch.from_numpy(codes), torch.from_numpy(scale)]
"""
WIDER = """
import torch
def quantize_tokens(x):
    x = x.double()
    limit = torch.linalg.vector_norm(x, ord=float("inf"), dim=1).unsqueeze(1)
    limit[limit == 0] = 1
    return (127 * x / limit).round().to(torch.int8), (limit / 127).float()
"""

RIGHT = {
    "where, after the conversion": WHERE,
    "numpy and a reciprocal": NUMPY,
    "float64 and the norm of infinity": WIDER,
    "a very small number": swap("quantize_tokens", FLOOR, "1e-30"),
}
