"""Right answers to amp/repair_rms_norm, each in its own style."""

from halfbits.course.authoring.contract import swap

SQUARE = "wide.square()"
AS_IN_LLAMA = """
import torch
def rms_norm(x, gain, eps=1e-6):
    h = x.to(torch.float32)
    h = h * torch.rsqrt(h.pow(2).mean(dim=-1, keepdim=True) + eps)
    return (gain * h.type_as(x)).type_as(x)
"""
BUILT_IN = """
import torch.nn.functional as F
def rms_norm(x, gain, eps=1e-6):
    return F.rms_norm(x.float(), x.shape[-1:], gain.float(), eps).to(x.dtype)
"""
SCALED = """
import torch
def rms_norm(x, gain, eps=1e-6):
    wide, dtype = x.double(), x.dtype
    length = torch.linalg.vector_norm(wide, dim=-1, keepdim=True)
    return torch.mul(wide / torch.sqrt(length**2 / x.size(-1) + eps), gain).to(dtype=dtype)
"""
NUMPY = """
import numpy as np
import torch
def rms_norm(x, gain, eps=1e-6):
    rows = x.to(torch.float32).numpy()
    mean = np.square(rows).mean(-1, keepdims=True)
    out = rows / np.sqrt(mean + np.float32(eps))
    return torch.from_numpy(out * gain.float().numpy()).to(x.dtype)
"""

RIGHT = {
    "as the Llama of transformers, rounded before the gain": AS_IN_LLAMA,
    "PyTorch's own norm on float32": BUILT_IN,
    "float64 and the length of a vector": SCALED,
    "numpy": NUMPY,
    "the conversion inside": swap("rms_norm", SQUARE, "(x.to(torch.float32) ** 2)"),
}
