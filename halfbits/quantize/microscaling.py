"""Block formats with low-precision scales: MXFP8, MXFP6, MXFP4, and NVFP4 with its two levels."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor

from halfbits import formats
from halfbits.quantize.blocks import grouped
from halfbits.quantize.levels import FP4_LEVELS, FP8_MAX, levels_of, nearest
from halfbits.quantize.quantized import Quantized, positive

MX_GROUP, NVFP4_GROUP = 32, 16
MX_ELEMENTS = ("fp8_e4m3fn", "fp8_e5m2", "fp6_e3m2", "fp6_e2m3", "fp4_e2m1")
# floor: OCP MX section 6.3, values up to twice the largest level clip. ceil: the smallest power of
# two with which nothing clips. nearest: the floor of amax rounded to the element's fraction bits.
ScaleRounding = Literal["floor", "ceil", "nearest"]
SMALLEST_EXPONENT, LARGEST_EXPONENT = -127, 127  # of e8m0


def quantize_mx(w: Tensor, element: str, scale_rounding: ScaleRounding = "floor") -> Quantized:
    """Codes of `element` in groups of 32 along the input of w [..., out, in], each with a power of
    two in 8 bits.

    OCP Microscaling Formats v1.0 (2023): X = 2^(floor(log2 amax) - emax) (section 6.3), where
    2^emax is the largest power of two of the element. Codes index the element's levels. Raises
    ValueError for another element or rounding, and for what `grouped` refuses.
    """
    if element not in MX_ELEMENTS:
        raise ValueError(f"an MX element is one of {', '.join(MX_ELEMENTS)}, not {element!r}")
    groups = grouped(w, MX_GROUP)
    levels = torch.tensor(levels_of(element))
    amax = groups.abs().amax(1, keepdim=True)
    exponent = _shared_exponent(amax, element, scale_rounding)
    exponent = exponent.clamp(SMALLEST_EXPONENT, LARGEST_EXPONENT)
    scale = torch.where(amax > 0, torch.ldexp(torch.ones_like(amax), exponent), 1.0)
    codes = nearest(_divided(groups, scale), levels).to(torch.uint8)
    bits = formats.named(element).bits
    return Quantized(codes, scale, w.shape, bits, 8, None, levels, MX_GROUP)


def quantize_mxfp4(w: Tensor, scale_rounding: ScaleRounding = "floor") -> Quantized:
    """E2M1 codes of w [..., out, in] in groups of 32, scale 2^(floor(log2 amax) - 2) in 8 bits:
    4.25 bits a weight.
    """
    return quantize_mx(w, "fp4_e2m1", scale_rounding)


def quantize_nvfp4(w: Tensor, tensor_scale: float | None = None) -> Quantized:
    """E2M1 codes of w [..., out, in] in groups of 16, an e4m3 scale each, and one float32 scale for
    the tensor.

    scale = e4m3(amax_group / 6 / tensor_scale) * tensor_scale, where tensor_scale is
    amax / (6 * 448) unless given (NVIDIA, Pretraining LLMs with NVFP4, 2025, appendix C). A
    scale above 448 saturates and its group clips; below 2^-6 it is subnormal and coarse; below
    2^-10 it is zero and takes the group with it. 4.5 bits a weight. Raises ValueError for a
    tensor scale that is not positive and finite, and for what `grouped` refuses.
    """
    groups = grouped(w, NVFP4_GROUP)
    amax = groups.abs().amax(1, keepdim=True)
    levels = torch.tensor(FP4_LEVELS)
    whole = _tensor_scale(amax, tensor_scale)
    block = (amax / levels[-1] / whole).clamp(max=FP8_MAX).to(torch.float8_e4m3fn).float()
    scale = block * whole
    codes = nearest(torch.where(block > 0, groups / positive(scale), 0.0), levels)
    return Quantized(
        codes.to(torch.uint8), scale, w.shape, 4, 8, None, levels, NVFP4_GROUP, tensor_bits=32
    )


def _tensor_scale(amax: Tensor, given: float | None) -> Tensor:
    if given is None:
        return positive(amax.max() / FP4_LEVELS[-1] / FP8_MAX)
    if not 0 < given < float("inf"):
        raise ValueError(f"a tensor scale is positive and finite, not {given!r}")
    return torch.tensor(given)


def _shared_exponent(amax: Tensor, element: str, rounding: ScaleRounding) -> Tensor:
    if rounding not in (known := get_args(ScaleRounding)):
        raise ValueError(f"the rounding of a scale is {', '.join(known)}, not {rounding!r}")
    largest = torch.tensor(formats.limits(element).largest)
    emax = torch.frexp(largest).exponent - 1
    fraction, exponent = torch.frexp(amax)  # amax = fraction 2^exponent, fraction in [0.5, 1)
    if rounding == "floor":
        return exponent - 1 - emax
    if rounding == "ceil":
        too_small = fraction > torch.frexp(largest).mantissa
        return exponent - 1 - emax + too_small.int()
    steps = 2.0 ** (formats.named(element).mantissa + 1)
    carries = (fraction * steps + 0.5).floor() == steps
    return exponent - 1 - emax + carries.int()


def _divided(groups: Tensor, scale: Tensor) -> Tensor:
    """groups / scale where 1 / scale may be beyond float32: in float64, which changes no result."""
    return (groups.double() / scale.double()).float()
