"""Packed weights in the order of the matrix units: 16-bit words, in tiles of 128 codes of a row.

A word has places for two codes of int8 or four of int4, so a tile has w = 64 or 32 words. The bits
of place i (8 i.. or 4 i..) of word j hold code w i + j of the tile: each place of the words is a
matrix of neighbors in x, as wide as the 16-bit numbers that it decodes to. Int4 lies in blocks of
16 rows of W: what one tile of a block takes, and its scales, are neighbors in memory.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import pad

from halfbits.kernels.packed import Packed, nibbles

TILE = 128  # codes of a row
BLOCK = 16  # rows of W, of int4
WORD_BITS = 16


@dataclass(frozen=True)
class Tiles:
    """`codes` int16 [outputs, tiles * 64] of int8, [blocks, tiles, 16, 32] of int4.

    `scale` of int8: float32 [1, outputs]. Of int4, where a thread copies four bytes at a time:
    int32 words [blocks, groups / 2, 16] of two float16 scales, the earlier group in the low bits;
    `zero_point`: words [blocks, groups / 4, 16] of four uint8, or None. `outputs` and `inputs` are
    those before padding.
    """

    codes: Tensor
    scale: Tensor
    outputs: int
    inputs: int
    group: int
    bits: int
    zero_point: Tensor | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """(outputs, inputs)"""
        return self.outputs, self.inputs

    @property
    def across(self) -> int:
        """Tiles of a row."""
        return -(-self.inputs // TILE)

    @property
    def groups(self) -> int:
        """Scales of a tile."""
        return TILE // self.group if self.bits == 4 else 1

    @property
    def nbytes(self) -> int:
        """Bytes that one product reads of the weight."""
        zeros = 0 if self.zero_point is None else self.zero_point.nbytes
        return self.codes.nbytes + self.scale.nbytes + zeros


def arrange(packed: Packed) -> Tiles:
    """The same codes, scales and zero points; the last tile of a row and the last block are filled
    up."""
    (outputs, inputs), zeros = packed.shape, packed.zero_point
    codes = nibbles(packed).flatten(1) if packed.bits == 4 else packed.codes
    kept = words(pad(codes, (0, -inputs % TILE)), packed.bits)
    if packed.bits == 8:
        scale = packed.scale.float().T.contiguous()
        return Tiles(kept, scale, outputs, inputs, packed.group, 8)
    groups = TILE // packed.group
    scale = of_groups(packed.scale.view(torch.int16).int() & 0xFFFF, 2, groups)
    filled = None if zeros is None else of_groups(zeros.int(), 4, groups)
    kept = in_blocks(kept.unflatten(1, (-1, TILE // 4)))
    return Tiles(kept, scale, outputs, inputs, packed.group, 4, filled)


def in_blocks(rows: Tensor) -> Tensor:
    """[blocks, n, 16, ...] from [outputs, n, ...]; the last block is filled up with zeros."""
    missing = rows.new_zeros(-len(rows) % BLOCK, *rows.shape[1:])
    return torch.cat([rows, missing]).unflatten(0, (-1, BLOCK)).transpose(1, 2).contiguous()


def of_groups(parts: Tensor, each: int, groups: int) -> Tensor:
    """int32 words [blocks, groups / each, 16] of `each` numbers of 32 / each bits, from [outputs,
    groups]; the last tile of `groups`, and the last word, are filled up with zeros."""
    places = 32 // each * torch.arange(each, device=parts.device)
    filled = pad(parts, (0, -parts.shape[1] % max(each, groups))).long()
    filled = filled.unflatten(1, (-1, each)) << places
    return in_blocks(filled.sum(2).to(torch.uint32).view(torch.int32))


def words(codes: Tensor, bits: int) -> Tensor:
    """int16 words [outputs, columns / places] from codes [outputs, columns]."""
    places = bits * torch.arange(WORD_BITS // bits, device=codes.device)
    kept = codes.int() & (1 << bits) - 1
    tiles = kept.view(len(codes), -1, len(places), TILE // len(places)) << places[:, None].int()
    return tiles.sum(2, dtype=torch.int32).to(torch.int16).view(len(codes), -1)
