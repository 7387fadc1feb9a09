"""Codes with the scales that place them: groups, true bytes, and the way back."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

Granularity = str | int


@dataclass(frozen=True)
class Quantized:
    """`codes` [groups, size] count levels, `scale` and `zero_point` [groups, 1] place them.

    value = (levels[code] or code - zero_point) * scale, reshaped to `shape`; `code_bits` and
    `group_bits` are what one code and one group's parameters take when packed.
    """

    codes: Tensor
    scale: Tensor
    shape: torch.Size
    code_bits: int
    group_bits: int
    zero_point: Tensor | None = None
    levels: Tensor | None = None

    @property
    def nbytes(self) -> float:
        """True bytes: packed codes and the parameters of every group."""
        return (self.codes.numel() * self.code_bits + len(self.scale) * self.group_bits) / 8

    def dequantize(self) -> Tensor:
        """Float32 values in the original shape."""
        levels = self.levels
        values = self.codes.float() if levels is None else levels[self.codes.long()]
        if self.zero_point is not None:
            values = values - self.zero_point
        return (values * self.scale).view(self.shape)


def grouped(w: Tensor, granularity: Granularity) -> Tensor:
    """`w` [out, in] as float32 [groups, size]; ValueError when groups do not divide the input."""
    if granularity == "tensor":
        return w.detach().float().reshape(1, -1)
    if granularity == "channel":
        return w.detach().float().reshape(w.shape[0], -1)
    if not isinstance(granularity, int) or granularity < 1 or w.shape[-1] % granularity:
        raise ValueError(f"groups of {granularity!r} do not divide an input of {w.shape[-1]}")
    return w.detach().float().reshape(-1, granularity)


def positive(scale: Tensor) -> Tensor:
    """The scale with 1 in place of 0, so that a group of zeros has a finite one."""
    return torch.where(scale > 0, scale, torch.ones_like(scale))


def stored_scale(scale: Tensor, granularity: Granularity) -> tuple[Tensor, int]:
    """Scales as they are kept, and their bits: float16 for small groups, else float32."""
    if isinstance(granularity, int):
        # Up to the next float16 when rounding fell, or the group's largest value would clip.
        half = scale.half()
        up = torch.nextafter(half, torch.full_like(half, torch.inf))
        return positive(torch.where(half.float() < scale, up, half).float()), 16
    return positive(scale), 32
