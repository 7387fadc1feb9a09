"""Right answers to amp/repair_rope, each in its own style."""

from halfbits.course.authoring.contract import swap

ANGLE = "angle.cos().to(x.dtype), angle.sin().to(x.dtype)"
RESULT = "torch.cat([a * cos - b * sin, b * cos + a * sin], dim=1)"
COMPLEX = """
import torch
def rotary(x, positions, base=10000.0):
    half = x.size(-1) // 2
    inverse = 1.0 / torch.pow(base, torch.arange(0, 2 * half, 2).float() / (2 * half))
    angles = torch.outer(positions.to(torch.float32), inverse)
    turned = torch.complex(x[:, :half].float(), x[:, half:].float())
    turned = turned * torch.polar(torch.ones_like(angles), angles)
    return torch.cat([turned.real, turned.imag], -1).type_as(x)
"""
AS_IN_LLAMA = """
import torch
def rotary(x, positions, base=10000.0):
    dim = x.shape[-1]
    inverse = 1.0 / (base ** (torch.arange(0, dim, 2, dtype=torch.int64).float() / dim))
    half = positions[:, None].float() * inverse[None, :]
    angles = torch.cat((half, half), dim=-1)
    cos, sin = angles.cos().to(dtype=x.dtype), angles.sin().to(dtype=x.dtype)
    turned = torch.cat((-x[..., dim // 2 :], x[..., : dim // 2]), dim=-1)
    return (x * cos) + (turned * sin)
"""
NUMPY = """
import numpy as np
import torch
def rotary(x, positions, base=10000.0):
    rows = x.to(torch.float64).numpy()
    half = rows.shape[1] // 2
    angle = np.outer(positions.numpy(), base ** (-np.arange(half) / half))
    a, b = rows[:, :half], rows[:, half:]
    cos, sin = np.cos(angle), np.sin(angle)
    out = np.concatenate([a * cos - b * sin, b * cos + a * sin], axis=1)
    return torch.from_numpy(out).to(x.dtype)
"""

RIGHT = {
    "complex numbers": COMPLEX,
    "as the Llama of transformers": AS_IN_LLAMA,
    "numpy in float64": NUMPY,
    "converted at the end": swap(
        "rotary", ANGLE, "angle.cos(), angle.sin()", RESULT, f"{RESULT}.to(x.dtype)"
    ),
}
