"""The Triton kernel for one row of x and int4 weights: codes go from memory straight into the
registers that the matrix units read.

A matrix unit multiplies 16 rows of W with eight columns of x, and there is one. The eight columns
take the same x, each for another group: column n holds zeros outside group n. So the units keep the
sums of eight groups apart, and their scales meet all of them in one multiplication a lane. Lane
4 r + c of a warp reads words 8 c to 8 c + 7 of row r of a tile, 16 bytes, and the 8 numbers of x
that belong to each of their places: what the unit's layout asks of that lane, when the summed
dimension is taken in the order of the words. Nothing passes through shared memory.
"""
# Triton marks compile-time arguments by capitals, and gives types to none of the others.
# ruff: noqa: N803
# mypy: disallow-untyped-defs=False

from __future__ import annotations

import triton
import triton.language as tl

from halfbits.kernels.decode import decoded, product
from halfbits.kernels.gpu import finish


@triton.jit
def left(weight, STEP: tl.constexpr, ROWS: tl.constexpr, TILES: tl.constexpr):
    """[STEP, ROWS, 32 TILES] of one place of the words: the layout that the unit wants, unmoved."""
    parts = tl.reshape(weight, [TILES, ROWS // 8, STEP, 8, 4, 2, 2, 2])
    return tl.reshape(tl.permute(parts, [2, 1, 3, 0, 5, 6, 4, 7]), [STEP, ROWS, 32 * TILES])


@triton.jit
def right(value, STEP: tl.constexpr, TILES: tl.constexpr):
    """[STEP, 32 TILES, 8] of one place: x in eight columns."""
    parts = tl.reshape(value, [TILES, STEP, 8, 4, 2, 2, 2])
    return tl.reshape(tl.permute(parts, [1, 0, 4, 5, 3, 6, 2]), [STEP, 32 * TILES, 8])


@triton.jit
def pair_of_scales(words, STEP: tl.constexpr, ROWS: tl.constexpr):
    """[STEP, ROWS, 8]: two float16 scales in each int32 word, as float32, for two columns."""
    low = words.to(tl.int16).to(tl.float16, bitcast=True).to(tl.float32)
    high = (words >> 16).to(tl.int16).to(tl.float16, bitcast=True).to(tl.float32)
    both = tl.reshape(tl.join(low, high), [ROWS // 8, STEP, 8, 4, 2])
    return tl.reshape(tl.permute(both, [1, 0, 2, 3, 4]), [STEP, ROWS, 8])


@triton.jit
def columns(
    x, codes, scale, zeros, y, work, arrived, outputs, inputs, across, scales,
    GROUPS: tl.constexpr, HAS_ZERO: tl.constexpr, EVEN: tl.constexpr, ROWS: tl.constexpr,
    TILES: tl.constexpr, STEP: tl.constexpr, SPLIT: tl.constexpr, TURNS: tl.constexpr,
    UNROLL: tl.constexpr, DECODE: tl.constexpr,
):  # fmt: skip
    """y [1, outputs] for x [1, inputs]: each of STEP warps takes TILES tiles of the same ROWS rows
    of W in each of TURNS turns, of which UNROLL are written out.

    codes, scale [scales, outputs] and zeros as in `tiles`; TILES * GROUPS, the
    columns in use, is 2, 4 or 8. EVEN: rows, tiles and x leave no rest.
    """
    KIND: tl.constexpr = x.dtype.element_ty
    WORDS: tl.constexpr = TILES * GROUPS // 2  # of scales, for the groups of a turn
    top = tl.program_id(0) * ROWS
    first = tl.program_id(1) * (TURNS * STEP)
    # One flat index a 16-byte load: lanes first, then warps, then what a lane has several of.
    at = tl.arange(0, 4 * STEP * ROWS * TILES)
    chunk, tile = at % 4 * 8, at // 32 % STEP * TILES + at // (4 * STEP * ROWS)
    row = (top + at // (32 * STEP) % (ROWS // 8) * 8 + at // 4 % 8) % outputs
    eight = tl.arange(0, 8)[None, :]
    line = codes + row.to(tl.int64) * (across * 32) + chunk
    at = tl.arange(0, 32 * STEP * TILES)
    column, mine = at // 4 % 8, at // (32 * STEP)
    spot = (at % 4 * 8 + (at // 32 % STEP * TILES + mine) * 128)[:, None] + eight
    at = tl.arange(0, 4 * STEP * ROWS)
    word = at // 32 % STEP * WORDS + at % 4 % WORDS
    scale += (top + at // (32 * STEP) * 8 + at // 4 % 8) % outputs
    total = tl.zeros([STEP, ROWS, 8], tl.float32)
    for turn in tl.range(0, TURNS, num_stages=1, loop_unroll_factor=UNROLL):
        start = first + turn * STEP
        here, pair = start * TILES + tile, start * WORDS + word
        if not EVEN:
            here, pair = tl.minimum(here, across - 1), tl.minimum(pair, scales - 1)
        words = tl.load((line + here * 32)[:, None] + eight, eviction_policy="evict_first")
        pairs = tl.load(scale + pair * outputs)
        zero = None
        if HAS_ZERO:
            four = tl.load(zeros + here * GROUPS // 4 * outputs + row)
        part = tl.zeros([STEP, ROWS, 8], tl.float32)
        for place in tl.static_range(4):
            group = place * GROUPS // 4
            used = (column == mine * GROUPS + group)[:, None]
            inside = spot + (start * TILES * 128 + place * 32)
            value = tl.load(x + inside, mask=used if EVEN else used & (inside < inputs), other=0)
            if HAS_ZERO:
                zero = (four >> (here * GROUPS + group) % 4 * 8 & 255)[:, None]
            weight = (
                decoded(words, place, 4, KIND, zero) if DECODE else words.to(KIND, bitcast=True)
            )
            part = product(left(weight, STEP, ROWS, TILES), right(value, STEP, TILES), part)
        total += part * pair_of_scales(pairs, STEP, ROWS)
    rows = top + tl.arange(0, ROWS)[:, None]
    sums = tl.sum(tl.sum(total, 2), 0)[:, None]
    finish(sums, scale, y, work, arrived, rows, 1, outputs, 4, 1, SPLIT)
