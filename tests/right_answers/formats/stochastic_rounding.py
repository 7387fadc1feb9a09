"""Right answers to formats/stochastic_rounding, each in its own style."""

from halfbits.course.authoring.contract import swap

ADDED = """
import torch
def stochastic_round(x, u):
    noise = (2**16 - 1 - u * 2**16).to(torch.int32)
    bits = (x.view(torch.int32) + noise) & ~0xFFFF
    result = bits.view(torch.float32).to(torch.bfloat16)
    result[x.isnan()] = torch.nan
    return result
"""
ARITHMETIC = """
import torch
def stochastic_round(x, u):
    info, size = torch.finfo(torch.bfloat16), x.abs().double()
    floored = size.clamp(min=info.smallest_normal, max=info.max)
    step = info.eps * floored / (2 * torch.frexp(floored).mantissa)
    whole = torch.floor(size / step)
    rounded = (whole + (u < size / step - whole)) * step
    rounded = torch.where(x.isfinite(), rounded, size)
    return torch.copysign(rounded, x.double()).to(torch.bfloat16)
"""
NUMPY = """
import numpy as np
import torch
def stochastic_round(x, u):
    bits = np.ascontiguousarray(x.numpy()).view(np.uint32).astype(np.uint64)
    upper, low = bits >> 16, bits & 0xFFFF
    upper = np.where(np.isnan(x.numpy()), 0x7FC0, upper + (u.numpy() * 65536.0 < low))
    result = (upper << 16).astype(np.uint32).view(np.float32)
    return torch.from_numpy(result).reshape(x.shape).bfloat16()  # numpy made a scalar a vector
"""

RIGHT = {
    "noise below the cut": ADDED,
    "spacing and floor": ARITHMETIC,
    "numpy": NUMPY,
    "a remainder for a mask": swap("stochastic_round", "bits & 0xFFFF", "bits % 2**16"),
}
