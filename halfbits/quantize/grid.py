"""Quantizers to whole numbers of equal steps: symmetric around zero, or with a zero point."""

from __future__ import annotations

import torch
from torch import Tensor

from halfbits.quantize.quantized import Granularity, Quantized, grouped, stored_scale


def quantize_symmetric(w: Tensor, bits: int, granularity: Granularity = "channel") -> Quantized:
    """code = round(w / scale) in [-(2^(b-1) - 1), 2^(b-1) - 1], scale = amax / (2^(b-1) - 1)."""
    groups = grouped(w, granularity)
    top = 2 ** (bits - 1) - 1
    scale, scale_bits = stored_scale(groups.abs().amax(1, keepdim=True) / top, granularity)
    codes = (groups / scale).round().clamp(-top, top).to(torch.int8)
    return Quantized(codes, scale, w.shape, bits, scale_bits)


def quantize_affine(w: Tensor, bits: int, granularity: Granularity = "channel") -> Quantized:
    """code = round(w / scale) + zero_point in [0, 2^b - 1]; the range is stretched to hold 0."""
    groups = grouped(w, granularity)
    top = 2**bits - 1
    low = groups.amin(1, keepdim=True).clamp(max=0)
    high = groups.amax(1, keepdim=True).clamp(min=0)
    scale, scale_bits = stored_scale((high - low) / top, granularity)
    zero_point = (-low / scale).round().clamp(0, top)
    codes = ((groups / scale).round() + zero_point).clamp(0, top).to(torch.uint8)
    return Quantized(codes, scale, w.shape, bits, scale_bits + bits, zero_point)
