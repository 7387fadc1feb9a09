"""Packed weights as the kernels read them, and the slow product that every kernel must equal.

A weight [outputs, inputs] is kept as codes, row by row, with one scale (and perhaps one zero
point) for each group of neighbors along the input: value = (code - zero point) * scale.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from halfbits.quantize import Quantized

GROUPS = (32, 128)  # of int4; int8 has one group a row
NIBBLES = 8  # codes of 4 bits in one word of 32
MOST_ROWS = 64  # of x that the GPU kernels take
MIDDLE = 8  # the zero point of symmetric int4, whose codes -7..7 are stored as 1..15
# What the kernel of one row adds to each code with a zero point; both leave with the group's sum.
COUNTED = {torch.float16: 64, torch.bfloat16: 128}


@dataclass(frozen=True)
class Packed:
    """`codes`: int8 [outputs, inputs], or int32 words [outputs, inputs / 8] of eight int4 codes.

    `scale` [outputs, inputs / group]; `zero_point`, uint8 of the same shape, or None. In a group
    of g codes there are g / 8 words; bits 4i..4i+3 of word j hold code g / 8 * i + j, so that
    neighbors in one thread's words are neighbors in x.
    """

    codes: Tensor
    scale: Tensor
    group: int
    bits: int
    zero_point: Tensor | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """(outputs, inputs)"""
        rows, width = self.codes.shape
        return rows, width * NIBBLES if self.bits == 4 else width

    @property
    def nbytes(self) -> int:
        """Bytes that one product reads of the weight."""
        zeros = 0 if self.zero_point is None else self.zero_point.nbytes
        return self.codes.nbytes + self.scale.nbytes + zeros

    def to(self, device: torch.device | str) -> Packed:
        """A copy on `device`, of the same shapes."""
        zeros = None if self.zero_point is None else self.zero_point.to(device)
        return Packed(self.codes.to(device), self.scale.to(device), self.group, self.bits, zeros)


def pack(quantized: Quantized) -> Packed:
    """From int8 codes per channel, or int4 codes in groups of 32 or 128, symmetric or affine.

    Raises ValueError for any other width or granularity.
    """
    outputs, inputs = quantized.shape
    size = quantized.codes.shape[1]
    if quantized.code_bits == 8 and size == inputs and quantized.zero_point is None:
        return Packed(quantized.codes.view(outputs, inputs), quantized.scale, inputs, 8)
    fits = size in GROUPS and inputs % size == 0
    if quantized.code_bits != 4 or not fits or quantized.levels is not None:
        raise ValueError(
            "the kernels read int8 per channel and int4 in groups of 32 or 128, "
            f"not {quantized.code_bits} bits in groups of {size} of {inputs} inputs"
        )
    scale = quantized.scale.view(outputs, -1).half()
    if quantized.zero_point is None:
        return Packed(words(quantized.codes + MIDDLE, outputs), scale, size, 4)
    zeros = quantized.zero_point.view(outputs, -1).to(torch.uint8)
    return Packed(words(quantized.codes, outputs), scale, size, 4, zeros)


def words(codes: Tensor, outputs: int) -> Tensor:
    """int32 words [outputs, inputs / 8] from codes 0..15 [groups, size], in `Packed`'s order."""
    size = codes.shape[1]
    places = 4 * torch.arange(NIBBLES, device=codes.device)
    wide = codes.long().view(-1, NIBBLES, size // NIBBLES) << places[:, None]
    return wide.sum(1).to(torch.uint32).view(torch.int32).view(outputs, -1)


def nibbles(packed: Packed) -> Tensor:
    """The codes 0..15 of int4 words, [outputs, groups, group]: the inverse of `words`."""
    places = 4 * torch.arange(NIBBLES, device=packed.codes.device)
    grouped = packed.codes.view(len(packed.codes), -1, 1, packed.group // NIBBLES)
    return (grouped >> places[:, None] & 15).flatten(2)


def dequantize(packed: Packed) -> Tensor:
    """The values, float64 [outputs, inputs]: exact, as a code of 8 bits and a scale of 24 fit."""
    scale = packed.scale.double()[..., None]
    if packed.bits == 8:
        return packed.codes.double() * scale[:, 0]
    zeros = MIDDLE if packed.zero_point is None else packed.zero_point[..., None]
    return ((nibbles(packed) - zeros) * scale).flatten(1)


def reference(x: Tensor, packed: Packed) -> Tensor:
    """y = x W^T, float64 [batch, outputs] of x [batch, inputs], from a full copy of the weight:
    what a kernel must equal.
    """
    return x.double() @ dequantize(packed).T


def error_bound(x: Tensor, packed: Packed, out: torch.dtype) -> Tensor:
    """How far a kernel may be from `reference`, float64 [batch, outputs].

    (2 (inputs + 4) 2^-24) sum of |x| |w| for products, sums and scales in float32 in any order
    (twice Higham's gamma, 2002, section 3.1), and one unit in the last place of the result. A zero
    point may be taken off the sums instead of the codes, so |w| counts both: |code - 8| and
    |zero point - 8|, times the scale; `counted_bound` is what one row adds. No kernel rounds a
    decoded weight.
    """
    sums = x.double().abs() @ largest(packed).T
    limit = torch.finfo(out)
    rounding = reference(x, packed).abs() * limit.eps + limit.smallest_normal
    most = sums * 2 * (x.shape[-1] + 4) * 2.0**-24 + rounding
    one_row = packed.zero_point is not None and len(x) == 1 and out in COUNTED
    return most + counted_bound(x, packed, COUNTED[out]) if one_row else most


def counted_bound(x: Tensor, packed: Packed, first: int) -> Tensor:
    """How far the sums of a group may be off where codes and zero points count from `first`.

    float64 [1, outputs]: (2 (group + 4) 2^-24) sum of |x| (2 first + code + zero point) scale.
    """
    zeros = packed.zero_point
    terms = 2 * first + nibbles(packed) + (0 if zeros is None else zeros.int()[..., None])
    weight = (terms * packed.scale.double()[..., None]).flatten(1)
    return x.double().abs() @ weight.T * 2 * (packed.group + 4) * 2.0**-24


def largest(packed: Packed) -> Tensor:
    """|w| [outputs, inputs], or the sum of the two terms whose difference it is, in float64."""
    if packed.zero_point is None:
        return dequantize(packed).abs()
    terms = (nibbles(packed) - MIDDLE).abs() + (packed.zero_point.int() - MIDDLE).abs()[..., None]
    return (terms * packed.scale.double()[..., None]).flatten(1)
