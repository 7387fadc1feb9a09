"""The Triton kernel for one row of x and int4 weights: codes go from memory straight into the
registers that the matrix units read.

A matrix unit multiplies 16 rows of W with eight columns of x, and there is one. The eight columns
take the same x, each for another group: column n holds zeros outside group n. So the units keep the
sums of eight groups apart, and their scales meet all of them in one multiplication a lane. Lane
4 r + c of a warp reads words 8 c to 8 c + 7 of row r of a tile, 16 bytes, and the 8 numbers of x
that belong to each of their places: what the unit's layout asks of that lane, when the summed
dimension is taken in the order of the words. Nothing passes through shared memory.

With zero points the codes stay counted from 128 (64 in float16), and a product of x with ones has
the sums of x: one multiplication a lane takes both, zero point and 128, off a group's sum.
"""
# Triton marks compile-time arguments by capitals, and gives types to none of the others.
# ruff: noqa: N803, SIM300
# mypy: disallow-untyped-defs=False

from __future__ import annotations

import triton
import triton.language as tl

from halfbits.kernels.decode import BFLOAT16_FROM, FLOAT16_FROM, counted, decoded, product
from halfbits.kernels.gpu import finish

COUNTING = tl.constexpr(0x4B000000)  # the exponent at which a float counts ones, 2^23
ONES = tl.constexpr(2.0**23)


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
def sixteens(low, high, STEP: tl.constexpr, ROWS: tl.constexpr):
    """[STEP, ROWS / 16, 16, 8] of what each lane has of its two columns."""
    both = tl.reshape(tl.join(low, high), [ROWS // 8, STEP, 8, 4, 2])
    return tl.reshape(tl.permute(both, [1, 0, 2, 3, 4]), [STEP, ROWS // 16, 16, 8])


@triton.jit
def pair_of_scales(words, STEP: tl.constexpr, ROWS: tl.constexpr):
    """Two float16 scales in each int32 word, as float32."""
    low = words.to(tl.int16).to(tl.float16, bitcast=True).to(tl.float32)
    high = (words >> 16).to(tl.int16).to(tl.float16, bitcast=True).to(tl.float32)
    return sixteens(low, high, STEP, ROWS)


@triton.jit
def pair_of_zeros(words, FIRST: tl.constexpr, STEP: tl.constexpr, ROWS: tl.constexpr):
    """Two zero points in the lower half of each int32 word, as float32, counted from FIRST."""
    low = ((words & 255) | COUNTING).to(tl.float32, bitcast=True) - (ONES - FIRST)
    high = ((words >> 8 & 255) | COUNTING).to(tl.float32, bitcast=True) - (ONES - FIRST)
    return sixteens(low, high, STEP, ROWS)


@triton.jit
def within(block, outputs, EVEN: tl.constexpr):
    """The block of 16 rows of W, or the last one."""
    if not EVEN:
        block = tl.minimum(block, tl.cdiv(outputs, 16) - 1)
    return block


@triton.jit
def onward(index, turn, EACH: tl.constexpr, count, EVEN: tl.constexpr):
    """How far from `index` the load of a turn is, EACH a turn, to the last of `count` at most."""
    far = turn * EACH
    if not EVEN:
        far = tl.minimum(index + far, count - 1) - index
    return far


@triton.jit
def columns(
    x, codes, scale, zeros, y, work, arrived, outputs, inputs, across, scales,
    GROUPS: tl.constexpr, HAS_ZERO: tl.constexpr, EVEN: tl.constexpr, ROWS: tl.constexpr,
    TILES: tl.constexpr, STEP: tl.constexpr, SPLIT: tl.constexpr, TURNS: tl.constexpr,
    UNROLL: tl.constexpr, DECODE: tl.constexpr,
):  # fmt: skip
    """y [1, outputs] for x [1, inputs]: each of STEP warps takes TILES tiles of the same ROWS rows
    of W in each of TURNS turns, of which UNROLL are written out.

    codes, scale [blocks, scales, 16] and zeros as in `tiles`; TILES * GROUPS, the columns in use,
    is 2, 4 or 8. EVEN: rows, tiles and x leave no rest. With zero points a turn starts the next
    one's scales and zero points, which the compiler would otherwise load when it needs them.
    """
    KIND: tl.constexpr = x.dtype.element_ty
    FIRST: tl.constexpr = FLOAT16_FROM if KIND == tl.float16 else BFLOAT16_FROM
    WORDS: tl.constexpr = TILES * GROUPS // 2  # of scales, for the groups of a turn
    EACH: tl.constexpr = STEP * TILES  # tiles of a turn
    block = tl.program_id(0) * (ROWS // 16)
    first = tl.program_id(1) * (TURNS * STEP)
    # One flat index a 16-byte load: lanes first, then warps, then what a lane has several of.
    at = tl.arange(0, 4 * STEP * ROWS * TILES)
    tile = first * TILES + at // 32 % STEP * TILES + at // (4 * STEP * ROWS)
    row = at // (32 * STEP) % (ROWS // 8) * 8 + at // 4 % 8
    blocks = within(block + row // 16, outputs, EVEN).to(tl.int64)
    eight = tl.arange(0, 8)[None, :]
    line = codes + (blocks * across + tile) * 512 + row % 16 * 32 + at % 4 * 8
    line = line[:, None] + eight
    tile = tile[:, None]
    at = tl.arange(0, 32 * STEP * TILES)
    column, mine = at // 4 % 8, at // (32 * STEP)
    spot = at % 4 * 8 + (at // 32 % STEP * TILES + mine) * 128 + first * TILES * 128
    at = tl.arange(0, 4 * STEP * ROWS)
    row = at // (32 * STEP) * 8 + at // 4 % 8
    word = at // 32 % STEP * WORDS + at % 4 % WORDS + first * WORDS
    blocks = within(block + row // 16, outputs, EVEN)
    scale_at = scale + (blocks * scales + word) * 16 + row % 16
    zero_at = zeros + blocks * ((scales + 1) // 2) * 16 + row % 16
    total = tl.zeros([STEP, ROWS // 16, 16, 8], tl.float32)
    if HAS_ZERO:
        far = onward(word, 0, STEP * WORDS, scales, EVEN)
        next_pairs = tl.load(scale_at + far * 16)
        next_fours = tl.load(zero_at + (word + far) // 2 * 16)
    for turn in tl.range(0, TURNS, num_stages=1, loop_unroll_factor=UNROLL):
        on = onward(tile, turn, EACH, across, EVEN) * 512
        words = tl.load(line + on, eviction_policy="evict_first")
        here = onward(word, turn, STEP * WORDS, scales, EVEN)
        if HAS_ZERO:
            pairs, fours = next_pairs, next_fours >> (word + here) % 2 * 16
            ahead = onward(word, tl.minimum(turn + 1, TURNS - 1), STEP * WORDS, scales, EVEN)
            next_pairs = tl.load(scale_at + ahead * 16)
            next_fours = tl.load(zero_at + (word + ahead) // 2 * 16)
        else:
            pairs = tl.load(scale_at + here * 16)
        part = tl.zeros([STEP, ROWS, 8], tl.float32)
        plain = tl.zeros([STEP, 16, 8], tl.float32)
        for place in tl.static_range(4):
            used = (column == mine * GROUPS + place * GROUPS // 4)[:, None]
            inside = (spot + turn * (EACH * 128) + place * 32)[:, None] + eight
            value = tl.load(x + inside, mask=used if EVEN else used & (inside < inputs), other=0)
            value = right(value, STEP, TILES)
            if not DECODE:
                weight = words.to(KIND, bitcast=True)
            elif HAS_ZERO:
                weight = counted(words, place, KIND)
            else:
                weight = decoded(words, place, 4, KIND)
            if HAS_ZERO:
                ones = tl.full([STEP, 16, 32 * TILES], 1.0, tl.float32).to(KIND)
                plain = product(ones, value, plain)
            part = product(left(weight, STEP, ROWS, TILES), value, part)
        sums = tl.reshape(part, [STEP, ROWS // 16, 16, 8])
        if HAS_ZERO:
            less = pair_of_zeros(fours, FIRST, STEP, ROWS)
            sums -= tl.reshape(plain, [STEP, 1, 16, 8]) * less
        total += sums * pair_of_scales(pairs, STEP, ROWS)
    rows = block * 16 + tl.arange(0, ROWS)[:, None]
    sums = tl.sum(tl.reshape(tl.sum(total, 3), [STEP, ROWS]), 0)[:, None]
    finish(sums, scale, y, work, arrived, rows, 1, outputs, 4, 1, SPLIT)
