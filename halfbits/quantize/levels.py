"""Quantizers to the levels of a 4-bit or 8-bit format: NF4, MXFP4, FP8."""

from __future__ import annotations

import torch
from torch import Tensor

from halfbits.quantize.quantized import Granularity, Quantized, grouped, stored_scale

# Dettmers et al., QLoRA (2023), appendix E: quantiles of a standard normal, scaled to [-1, 1].
NF4_LEVELS = (
    *(-1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453),
    *(-0.28444138169288635, -0.18477343022823334, -0.09105003625154495, 0.0),
    *(0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224),
    *(0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1.0),
)
# OCP Microscaling Formats v1.0 (2023), section 5.3.3: the magnitudes of E2M1.
FP4_LEVELS = (-6.0, -4.0, -3.0, -2.0, -1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0)
MX_GROUP = 32


def nearest(values: Tensor, levels: Tensor) -> Tensor:
    """Index of the level nearest to each value; a tie takes the level with the even index.

    In FP4_LEVELS, an odd number of levels around 0, the index differs from the E2M1 code by a
    constant, so this is the format's ties-to-even.
    """
    middles = (levels[1:] + levels[:-1]) / 2
    right = torch.bucketize(values, middles, right=True)
    left = torch.bucketize(values, middles, right=False)
    even = levels.numel() // 2 % 2
    return torch.where(left % 2 == even, left, right)


def quantize_nf4(w: Tensor, granularity: Granularity = 64) -> Quantized:
    """The nearest of 16 normal quantiles times the group's amax."""
    groups = grouped(w, granularity)
    scale, scale_bits = stored_scale(groups.abs().amax(1, keepdim=True), granularity)
    levels = torch.tensor(NF4_LEVELS)
    codes = nearest(groups / scale, levels).to(torch.uint8)
    return Quantized(codes, scale, w.shape, 4, scale_bits, levels=levels)


def quantize_mxfp4(w: Tensor) -> Quantized:
    """E2M1 codes in groups of 32, scale 2^(floor(log2 amax) - 2) in 8 bits (OCP MX, 6.3)."""
    groups = grouped(w, MX_GROUP)
    amax = groups.abs().amax(1, keepdim=True)
    exponent = (torch.frexp(amax).exponent - 1 - 2).clamp(-127, 127)
    scale = torch.where(amax > 0, torch.exp2(exponent.float()), torch.ones_like(amax))
    levels = torch.tensor(FP4_LEVELS)
    codes = nearest(groups / scale, levels).to(torch.uint8)
    return Quantized(codes, scale, w.shape, 4, 8, levels=levels)


def quantize_fp8(w: Tensor, granularity: Granularity = "tensor") -> Quantized:
    """float8_e4m3fn codes with scale = amax / 448."""
    groups = grouped(w, granularity)
    amax = groups.abs().amax(1, keepdim=True)
    scale, scale_bits = stored_scale(amax / torch.finfo(torch.float8_e4m3fn).max, granularity)
    codes = (groups / scale).clamp(-448, 448).to(torch.float8_e4m3fn)
    return Quantized(codes, scale, w.shape, 8, scale_bits)
