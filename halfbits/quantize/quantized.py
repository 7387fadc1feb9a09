"""Codes with the scales that place them: true bytes, and the way back."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from halfbits.quantize.blocks import Granularity, ungrouped


@dataclass(frozen=True)
class Quantized:
    """`codes` [blocks, size] count levels, `scale` and `zero_point` [blocks, 1] place them.

    value = levels[code] * scale with a table of levels, (code - zero_point) * scale without one
    (zero_point 0 if there is none), put back to `shape` by `granularity`.
    `code_bits` is what one code takes when packed, `group_bits` what the parameters of one block
    take, `tensor_bits` what the whole tensor shares.
    """

    codes: Tensor
    scale: Tensor
    shape: torch.Size
    code_bits: int
    group_bits: float
    zero_point: Tensor | None = None
    levels: Tensor | None = None
    granularity: Granularity = "channel"
    tensor_bits: int = 0

    @property
    def nbytes(self) -> float:
        """True bytes: packed codes, the parameters of every block, and the tensor's own."""
        codes = self.shape.numel() * self.code_bits
        return (codes + len(self.scale) * self.group_bits + self.tensor_bits) / 8

    @property
    def bits_per_weight(self) -> float:
        """True bits of a weight, everything counted."""
        return 8 * self.nbytes / self.shape.numel()

    def dequantize(self) -> Tensor:
        """Float32 values in the original shape."""
        levels = self.levels
        values = self.codes.float() if levels is None else levels[self.codes.long()]
        if self.zero_point is not None:
            values = values - self.zero_point
        return ungrouped(values * self.scale, self.shape, self.granularity)


def positive(scale: Tensor) -> Tensor:
    """The scale, of any shape, with 1 in place of 0: a block of zeros needs a finite one."""
    return torch.where(scale > 0, scale, torch.ones_like(scale))


def stored_scale(scale: Tensor, granularity: Granularity) -> tuple[Tensor, int]:
    """Scales [blocks, 1] as they are kept, and their bits: float16 for groups along a row, else
    float32.

    Raises ValueError for a scale that float16 cannot hold.
    """
    if not isinstance(granularity, int):
        return positive(scale), 32
    # Up to the next float16 when rounding fell, or the group's largest value would clip.
    half = scale.half()
    up = torch.nextafter(half, torch.full_like(half, torch.inf))
    kept = torch.where(half.float() < scale, up, half).float()
    if torch.isinf(kept).any():
        raise ValueError(
            f"the largest scale of a group is {scale.max():.4g}, and float16 ends at 65504: "
            'take "channel" or "tensor", whose scales are float32'
        )
    return positive(kept), 16
