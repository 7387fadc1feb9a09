"""The integer codes of one weight as other programs count them: unsigned, with a zero point."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from halfbits.checkpoints.files import CheckpointError
from halfbits.quantize import Quantized, ungrouped


@dataclass(frozen=True)
class Grid:
    """value = scale (code - zero), a scale and a zero for `size` neighbors of a row.

    `codes` uint8 [out, in] below 2^bits; `scale` float32 and `zero` uint8, [out, in / size].
    """

    bits: int
    size: int
    codes: Tensor
    scale: Tensor
    zero: Tensor

    @property
    def is_symmetric(self) -> bool:
        return bool((self.zero == 2 ** (self.bits - 1)).all())


def grid_of(name: str, found: Quantized) -> Grid:
    """The codes of matrix `name`; signed ones move up by 2^(bits-1), which is then their zero.

    Raises CheckpointError for a table of levels, blocks of several rows, rows that end within a
    group, and scales that float16 does not hold.
    """
    rows, width = found.shape
    size = width if found.granularity == "channel" else found.granularity
    if found.levels is not None:
        raise CheckpointError(
            f"{name} has codes of a table ({len(found.levels)} levels); files of integers hold "
            "evenly spaced ones: take int4 or int8."
        )
    if not isinstance(size, int) or width % size:
        raise CheckpointError(
            f"{name} has {width} inputs in groups of {found.granularity}; files hold groups of one "
            "size along a row: take 32 or 64."
        )
    scale = found.scale.view(rows, -1)
    if not torch.equal(scale.half().float(), scale):
        raise CheckpointError(
            f"{name} has float32 scales ({found.granularity!r}), and the file keeps float16 ones: "
            "take groups of 32 or 64."
        )
    codes = ungrouped(found.codes.float(), found.shape, found.granularity)
    half = 2 ** (found.code_bits - 1)
    if found.zero_point is None:
        zero, codes = torch.full_like(scale, half), codes + half
    else:
        zero = found.zero_point.view(rows, -1)
    return Grid(found.code_bits, size, codes.to(torch.uint8), scale, zero.to(torch.uint8))
