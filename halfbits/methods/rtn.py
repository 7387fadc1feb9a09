"""Round to nearest: the baseline of every method, with the best clip.

A block's scale is s = share * amax / top with top = 2^(b-1) - 1. A share below 1 clips the largest
values and gives all others a finer step. Two ways find the share with the least squared error:

    "mse"      a grid of 40 shares, the error of each measured
    "octav"    a fixed point: with a step s / top, rounding costs s^2 / (12 top^2) for a value
               inside, clipping costs (|x| - s)^2 outside; setting the derivative to 0,
                   s = sum_{|x| > s} |x| / (n_in / (12 top^2) + n_out)
               (Sakr et al., Optimal Clipping and Magnitude-aware Differentiation, 2022, OCTAV)

The second takes the rounding error for uniform noise, which a block of few values is not.
"""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from halfbits.models.llama import Llama
from halfbits.models.quantized import weight_only
from halfbits.quantize import (
    Granularity,
    Quantized,
    grouped,
    quantize_affine,
    quantize_symmetric,
)

OCTAV_STEPS = 20


def quantize(
    model: Llama,
    calibration: Tensor | None = None,
    bits: int = 4,
    granularity: Granularity = 64,
    clip: float | str = "mse",
    symmetric: bool = True,
) -> tuple[Llama, float]:
    """Every block matrix rounded to nearest; no data is looked at."""
    return weight_only(
        model,
        partial(
            round_to_nearest, bits=bits, granularity=granularity, clip=clip, symmetric=symmetric
        ),
    )


def round_to_nearest(
    w: Tensor,
    bits: int = 4,
    granularity: Granularity = 64,
    clip: float | str = "mse",
    symmetric: bool = True,
) -> Quantized:
    """Codes and scales of one weight [..., out, in]. `clip`: a share, "mse" or "octav".

    Raises ValueError for a clip of an affine grid, whose range is that of the block.
    """
    if not symmetric:
        if clip != 1:
            raise ValueError("an affine grid takes the block's whole range: clip has to be 1")
        return quantize_affine(w, bits, granularity)
    share = octav(grouped(w, granularity), bits) if clip == "octav" else clip
    return quantize_symmetric(w, bits, granularity, clip=share)


def octav(groups: Tensor, bits: int) -> Tensor:
    """The share of each block's amax [blocks, 1] at OCTAV's fixed point, from `groups` [blocks, n].

    Zeros are left out of the count, as the filling of a last block is zeros and has no error.
    """
    size, top = groups.abs().double(), 2 ** (bits - 1) - 1
    amax = size.amax(1, keepdim=True)
    clip = size.sum(1, keepdim=True) / (size > 0).sum(1, keepdim=True).clamp(min=1)
    for _ in range(OCTAV_STEPS):
        outside = size > clip
        inside = ((size > 0) & ~outside).sum(1, keepdim=True)
        weight = inside / (12 * top**2) + outside.sum(1, keepdim=True)
        clip = (size * outside).sum(1, keepdim=True) / weight.clamp(min=1e-300)
        clip = torch.where(clip > 0, torch.minimum(clip, amax), amax)
    return torch.where(amax > 0, clip / amax, 1.0).float()
