"""Quantizers to whole numbers of equal steps: symmetric around zero, with a zero point, ternary.

One step and one zero point for a block: Jacob et al., 2018; symmetric ones: Nagel et al., 2021.
"""

from __future__ import annotations

import torch
from torch import Tensor

from halfbits.quantize.blocks import Granularity, grouped
from halfbits.quantize.quantized import Quantized, positive, stored_scale

Clip = float | str | Tensor
CLIPS = tuple(1 - step / 50 for step in range(40))  # 1 to 0.22 of the largest magnitude


def quantize_symmetric(
    w: Tensor, bits: int, granularity: Granularity = "channel", clip: Clip = 1.0
) -> Quantized:
    """code = round(w / scale) in [-(2^(b-1) - 1), 2^(b-1) - 1], scale = clip amax / (2^(b-1) - 1).

    `w` [..., out, in]; `bits` 2 to 8. `clip` is a share of each block's largest magnitude, for all
    or for each block [blocks, 1], or "mse" for the share among CLIPS that leaves each block the
    least squared error. Raises ValueError for other widths and shares, and for what `grouped`
    refuses.
    """
    check_bits(bits)
    groups = grouped(w, granularity)
    top = 2 ** (bits - 1) - 1
    amax = groups.abs().amax(1, keepdim=True)
    share: Tensor | float
    if isinstance(clip, str) and clip == "mse":
        share = best_clip(groups, amax, top)
    else:
        share = checked_clip(clip, len(groups))
    scale, scale_bits = stored_scale(share * amax / top, granularity)
    codes = (groups / scale).round().clamp(-top, top).to(torch.int8)
    return Quantized(codes, scale, w.shape, bits, scale_bits, granularity=granularity)


def quantize_affine(w: Tensor, bits: int, granularity: Granularity = "channel") -> Quantized:
    """code = round(w / scale) + zero_point in [0, 2^b - 1]; the range is stretched to hold 0.

    scale = (max - min) / (2^b - 1), zero_point = round(-min / scale); `bits` 2 to 8. Raises
    ValueError for other widths and for what `grouped` refuses.
    """
    check_bits(bits)
    groups = grouped(w, granularity)
    top = 2**bits - 1
    low = groups.amin(1, keepdim=True).clamp(max=0)
    high = groups.amax(1, keepdim=True).clamp(min=0)
    width = high - low
    step = torch.where(torch.isinf(width), high / top - low / top, width / top)
    scale, scale_bits = stored_scale(step, granularity)
    zero_point = (-low / scale).round().clamp(0, top)
    codes = ((groups / scale).round() + zero_point).clamp(0, top).to(torch.uint8)
    group_bits = scale_bits + bits
    return Quantized(codes, scale, w.shape, bits, group_bits, zero_point, granularity=granularity)


def quantize_ternary(w: Tensor, granularity: Granularity = "tensor") -> Quantized:
    """code = round(w / scale) in {-1, 0, 1}, scale = mean |w| (Ma et al., BitNet b1.58, 2024,
    eq. 1-3), for `w` [..., out, in].

    Three levels hold log2(3) = 1.58 bits; packed, a code takes 2 here.
    """
    groups = grouped(w, granularity)
    real = grouped(torch.ones_like(w), granularity).sum(1, keepdim=True)  # filling does not count
    mean = (groups.double().abs().sum(1, keepdim=True) / real).float()
    scale, scale_bits = stored_scale(mean, granularity)
    codes = (groups / scale).round().clamp(-1, 1).to(torch.int8)
    return Quantized(codes, scale, w.shape, 2, scale_bits, granularity=granularity)


def best_clip(groups: Tensor, amax: Tensor, top: int) -> Tensor:
    """The share of `amax` [blocks, 1], among CLIPS, with the least squared error of each block."""
    best = torch.ones_like(amax)
    least = torch.full_like(amax, torch.inf)
    for share in CLIPS:
        scale = positive(share * amax / top)
        error = groups - (groups / scale).round().clamp(-top, top) * scale
        squared = error.square().sum(1, keepdim=True)
        best = torch.where(squared < least, share, best)
        least = torch.minimum(least, squared)
    return best


def check_bits(bits: int) -> None:
    """ValueError unless `bits` is a whole number from 2 to 8."""
    if not isinstance(bits, int) or not 2 <= bits <= 8:
        raise ValueError(f"a code has 2 to 8 bits, not {bits!r}")


def checked_clip(clip: Clip, blocks: int) -> Tensor | float:
    """The share, or the shares [blocks, 1]; ValueError unless all lie in (0, 1]."""
    if isinstance(clip, Tensor):
        if clip.shape != (blocks, 1) or not bool(((clip > 0) & (clip <= 1)).all()):
            raise ValueError(f"shares are [{blocks}, 1] values in (0, 1], one for each block")
        return clip.float()
    if not isinstance(clip, int | float) or not 0 < clip <= 1:
        raise ValueError(
            f'clip is "mse" or a share of the largest magnitude in (0, 1], not {clip!r}'
        )
    return float(clip)
