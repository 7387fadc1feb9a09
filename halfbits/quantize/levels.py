"""Quantizers to the levels of a 4-bit or 8-bit format: NF4, FP4, FP8."""

from __future__ import annotations

import torch
from torch import Tensor

from halfbits import formats
from halfbits.quantize.blocks import Granularity, grouped
from halfbits.quantize.quantized import Quantized, positive, stored_scale

# Dettmers et al., QLoRA (2023), appendix E: quantiles of a standard normal, scaled to [-1, 1].
NF4_LEVELS = (
    *(-1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453),
    *(-0.28444138169288635, -0.18477343022833234, -0.09105003625154495, 0.0),
    *(0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224),
    *(0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1.0),
)
DOUBLE_BLOCK = 256  # scales that share a second scale, QLoRA section 3


def levels_of(name: str) -> tuple[float, ...]:
    """The finite values of a format of at most 8 bits, in ascending order, zero once."""
    values = formats.decode(range(2 ** formats.named(name).bits), name)
    return tuple(sorted({float(value) + 0.0 for value in values if abs(value) < float("inf")}))


FP4_LEVELS = levels_of("fp4_e2m1")  # OCP Microscaling Formats v1.0 (2023), section 5.3.3
FP8_MAX = formats.limits("fp8_e4m3fn").largest


def nearest(values: Tensor, levels: Tensor) -> Tensor:
    """Index of the nearest of the levels [n], elementwise; a tie takes the even index.

    In the levels of a format, an odd number around 0, the index differs from the magnitude's code
    by a constant, so this is the format's ties-to-even.
    """
    middles = (levels[1:] + levels[:-1]) / 2
    right = torch.bucketize(values, middles, right=True)
    left = torch.bucketize(values, middles, right=False)
    even = levels.numel() // 2 % 2
    return torch.where(left % 2 == even, left, right)


def quantize_nf4(w: Tensor, granularity: Granularity = 64, double: bool = False) -> Quantized:
    """The nearest of 16 normal quantiles times the block's amax (Dettmers et al., QLoRA, 2023).

    `w` is [..., out, in]. With `double`, the amax of each block is kept as an e4m3 code of its
    distance from their mean, 256 of them with one float32 scale: 8 + 32 / 256 bits a block instead
    of 32.
    """
    groups = grouped(w, granularity)
    amax = groups.abs().amax(1, keepdim=True)
    if double:
        scale, scale_bits, tensor_bits = positive(_double_quantized(amax)), 8 + 32 / 256, 32
    else:
        (scale, scale_bits), tensor_bits = stored_scale(amax, granularity), 0
    levels = torch.tensor(NF4_LEVELS)
    codes = nearest(groups / scale, levels).to(torch.uint8)
    return Quantized(codes, scale, w.shape, 4, scale_bits, None, levels, granularity, tensor_bits)


def quantize_fp4(w: Tensor, granularity: Granularity = 32) -> Quantized:
    """E2M1 levels with an exact scale, amax / 6, of w [..., out, in]: what the element costs
    without MX's power of 2.
    """
    groups = grouped(w, granularity)
    levels = torch.tensor(FP4_LEVELS)
    amax = groups.abs().amax(1, keepdim=True)
    scale, scale_bits = stored_scale(amax / levels[-1], granularity)
    codes = nearest(groups / scale, levels).to(torch.uint8)
    return Quantized(codes, scale, w.shape, 4, scale_bits, None, levels, granularity)


def quantize_fp8(w: Tensor, granularity: Granularity = "tensor") -> Quantized:
    """float8_e4m3fn codes with scale = amax / 448.

    Activations [tokens, features] have one scale a token with "channel", and one for each 128
    features of a token with (1, 128); weights commonly one for each tile (128, 128).
    """
    groups = grouped(w, granularity)
    amax = groups.abs().amax(1, keepdim=True)
    scale, scale_bits = stored_scale(amax / FP8_MAX, granularity)
    codes = (groups / scale).clamp(-FP8_MAX, FP8_MAX).to(torch.float8_e4m3fn)
    return Quantized(codes, scale, w.shape, 8, scale_bits, granularity=granularity)


def _double_quantized(amax: Tensor) -> Tensor:
    """The blocks' amax [blocks, 1] as they come back from 8 bits."""
    mean = amax.double().mean().float()
    distance = quantize_fp8((amax - mean).view(1, -1), (1, DOUBLE_BLOCK)).dequantize()
    return (distance.view(-1, 1) + mean).clamp(min=0)
