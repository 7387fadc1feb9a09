"""The Triton kernel for one row of x and int4 weights: codes go from memory straight into the
registers that the matrix units read.

A matrix unit multiplies 16 rows of W with eight columns of x, and there is one. The eight columns
take the same x, each for another group: column n holds zeros outside group n. So the units keep the
sums of eight groups apart, and their scales meet all of them in one multiplication a lane. Lane
4 r + c of a warp reads words 8 c to 8 c + 7 of row r of a tile, 16 bytes, and the 8 numbers of x
that belong to each of their places: what the unit's layout asks of that lane, when the summed
dimension is taken in the order of the words. Nothing passes through shared memory.

With zero points the codes stay counted from 128 (64 in float16), and a product of x with ones has
the sums of x: one multiplication a lane takes both, zero point and 128, off a group's sum. There x
is read once a turn, each column its own group, since one product with ones then serves all tiles;
the products with the codes take it with the other columns' bits cleared. Without zero points each
product reads its own x and has a sum of its own, so that none waits for another's.
"""
# Triton marks compile-time arguments by capitals, and gives types to none of the others.
# ruff: noqa: N803, RUF005, SIM300
# mypy: disallow-untyped-defs=False

from __future__ import annotations

import triton
import triton.language as tl

from halfbits.kernels.decode import BFLOAT16_FROM, FLOAT16_FROM, PTX, counted, decoded, product
from halfbits.kernels.gpu import finish

COUNTING = tl.constexpr(0x4B000000)  # the exponent at which a float counts ones, 2^23
ONES = tl.constexpr(2.0**23)


@triton.jit
def left(weight, STEP: tl.constexpr, ROWS: tl.constexpr):
    """[STEP, ROWS, 32] of one place of the words: the layout that the unit wants, unmoved."""
    parts = tl.reshape(weight, [ROWS // 8, STEP, 8, 4, 2, 2, 2])
    return tl.reshape(tl.permute(parts, [1, 0, 2, 4, 5, 3, 6]), [STEP, ROWS, 32])


@triton.jit
def right(value, STEP: tl.constexpr):
    """[STEP, 32, 8] of one place: x in eight columns."""
    parts = tl.reshape(value, [STEP, 8, 4, 2, 2, 2])
    return tl.reshape(tl.permute(parts, [0, 3, 4, 2, 5, 1]), [STEP, 32, 8])


@triton.jit
def only(value, own):
    """value [n, 8] in rows where own [n, 1], else 0: one instruction for two 16-bit numbers."""
    kept = tl.where(own, -1, 0).to(tl.int16).broadcast_to(value.shape)
    bits = value.to(tl.int16, bitcast=True)
    if PTX:
        bits = tl.inline_asm_elementwise(
            "and.b32 $0, $1, $2;", "=r,r,r", [bits, kept], tl.int16, True, 2
        )
    else:
        bits &= kept
    return bits.to(value.dtype, bitcast=True)


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
def onward(index, far, count, EVEN: tl.constexpr):
    """`far`, or what is left from `index` to the last of `count`."""
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
    is 2, 4 or 8. EVEN: rows, tiles and x leave no rest.
    """
    KIND: tl.constexpr = x.dtype.element_ty
    FIRST: tl.constexpr = FLOAT16_FROM if KIND == tl.float16 else BFLOAT16_FROM
    WORDS: tl.constexpr = TILES * GROUPS // 2  # of scales, for the groups of a turn
    EACH: tl.constexpr = STEP * TILES  # tiles of a turn
    block = tl.program_id(0) * (ROWS // 16)
    first = tl.program_id(1) * (TURNS * STEP)
    # One flat index a 16-byte load: lanes first, then warps, then what a lane has several of.
    at = tl.arange(0, 4 * STEP * ROWS)
    tile = first * TILES + at // 32 % STEP * TILES
    row = at // (32 * STEP) * 8 + at // 4 % 8
    word = at // 32 % STEP * WORDS + at % 4 % WORDS + first * WORDS
    blocks = within(block + row // 16, outputs, EVEN)
    line = codes + (blocks.to(tl.int64) * across + tile) * 512 + row % 16 * 32 + at % 4 * 8
    scale_at = scale + (blocks * scales + word) * 16 + row % 16
    zero_at = zeros + blocks * ((scales + 1) // 2) * 16 + row % 16
    eight = tl.arange(0, 8)[None, :]
    line, tile = line[:, None] + eight, tile[:, None]
    at = tl.arange(0, 32 * STEP)
    column = at // 4 % 8
    spot = first * TILES * 128 + at // 32 % STEP * TILES * 128 + at % 4 * 8
    # With zero points, where a column's own group begins.
    its = (spot + column // GROUPS * 128 + column % GROUPS * 32)[:, None] + eight
    spot = spot[:, None] + eight
    total = tl.zeros([STEP, ROWS // 16, 16, 8], tl.float32)
    for turn in tl.range(0, TURNS, num_stages=1, loop_unroll_factor=UNROLL):
        words = ()
        for mine in tl.static_range(TILES):
            far = onward(tile, turn * EACH + mine, across, EVEN) * 512
            one = tl.load(line + far, eviction_policy="evict_first")
            words = words + (one,)  # type: ignore[assignment]
        ahead = turn * (EACH * 128)
        plain = tl.zeros([STEP, 16, 8], tl.float32)
        values = ()
        if HAS_ZERO:
            for place in tl.static_range(4 // GROUPS):
                inside = its + ahead + place * 32
                used = (column < TILES * GROUPS)[:, None]
                used = used if EVEN else used & (inside < inputs)
                value = tl.load(x + inside, mask=used, other=0)
                ones = tl.full([STEP, 16, 32], 1.0, tl.float32).to(KIND)
                plain = product(ones, right(value, STEP), plain)
                values = values + (value,)  # type: ignore[assignment]
        here = onward(word, turn * (STEP * WORDS), scales, EVEN)
        pairs = tl.load(scale_at + here * 16)
        part = tl.zeros([STEP, ROWS, 8], tl.float32)
        for mine in tl.static_range(TILES):
            for place in tl.static_range(4):
                own = (column == mine * GROUPS + place * GROUPS // 4)[:, None]
                if HAS_ZERO:
                    value = only(values[place % (4 // GROUPS)], own)
                    weight = counted(words[mine], place, KIND)
                else:
                    inside = spot + ahead + (mine * 128 + place * 32)
                    value = tl.load(
                        x + inside, mask=own if EVEN else own & (inside < inputs), other=0
                    )
                    weight = decoded(words[mine], place, 4, KIND)
                if not DECODE:
                    weight = words[mine].to(KIND, bitcast=True)
                if HAS_ZERO:
                    part = product(left(weight, STEP, ROWS), right(value, STEP), part)
                else:
                    none = tl.zeros([STEP, ROWS, 8], tl.float32)
                    part += product(left(weight, STEP, ROWS), right(value, STEP), none)
        sums = tl.reshape(part, [STEP, ROWS // 16, 16, 8])
        if HAS_ZERO:
            fours = tl.load(zero_at + (word + here) // 2 * 16) >> (word + here) % 2 * 16
            less = pair_of_zeros(fours, FIRST, STEP, ROWS)
            sums -= tl.reshape(plain, [STEP, 1, 16, 8]) * less
        total += sums * pair_of_scales(pairs, STEP, ROWS)
    rows = block * 16 + tl.arange(0, ROWS)[:, None]
    sums = tl.sum(tl.reshape(tl.sum(total, 3), [STEP, ROWS]), 0)[:, None]
    finish(sums, scale, y, work, arrived, rows, 1, outputs, 4, 1, SPLIT)
