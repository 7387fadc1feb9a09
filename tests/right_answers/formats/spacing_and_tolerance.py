"""Right answers to formats/spacing_and_tolerance, each in its own style."""

from halfbits.course.authoring.contract import swap

LOGARITHM = """
import torch
def spacing(x, dtype):
    info = torch.finfo(dtype)
    size = torch.maximum(torch.abs(x), torch.tensor(info.tiny, dtype=torch.float64))
    power = torch.exp2(torch.round(torch.log2(size)))
    return info.eps * torch.where(power > size, power / 2, power)
def is_close(got, want, dtype, roundings):
    off = torch.abs(got - want)
    close = 2 * off <= roundings * spacing(want, dtype)
    return close & torch.isfinite(got)
"""
BITS = """
import torch
def spacing(x, dtype):
    whole = torch.int16 if dtype.itemsize == 2 else torch.int32
    near = x.abs().to(dtype)
    bits = near.view(whole) - (near.double() > x.abs()).to(whole)
    here = bits.view(dtype).double()
    return (bits + 1).view(dtype).double() - here
def is_close(got, want, dtype, roundings):
    return torch.le((got - want).abs() / spacing(want, dtype), roundings / 2)
"""
NUMPY = """
import numpy as np
import torch
def spacing(x, dtype):
    info = torch.finfo(dtype)
    size = np.abs(x.numpy())
    _, exponent = np.frexp(np.maximum(size, info.smallest_normal))
    return torch.from_numpy(np.asarray(np.ldexp(np.float64(info.eps), exponent - 1)))
def is_close(got, want, dtype, roundings):
    with np.errstate(invalid="ignore"):
        off = np.abs(got.numpy() - want.numpy())
    room = roundings * spacing(want, dtype).numpy() / 2
    return torch.tensor(off <= room)
"""

RIGHT = {
    "a rounded logarithm that is mended, and a test for finite": LOGARITHM,
    "bit patterns, and a division": BITS,
    "numpy": NUMPY,
    "where in place of a clamp": swap(
        "spacing",
        "size = x.abs().clamp(min=info.smallest_normal)",
        "least = torch.full_like(x, info.smallest_normal)\n"
        "    size = torch.where(x.abs() < least, least, x.abs())",
    ),
}
