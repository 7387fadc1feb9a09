"""Triton kernels for y = x W^T with weights in `tiles`: int8 per channel, int4 in groups.

All products go through the matrix units, that of one row of x too: codes are exact in x's type, and
the scale of a group multiplies the group's sum. `deep` lets each warp of a program take other tiles
of the same few rows of W; in `wide` every warp has rows of its own and the tiles are shared. Import
this only where Triton is installed; TRITON_INTERPRET=1, set before, runs the kernels on a CPU,
slowly.
"""
# Triton marks compile-time arguments by capitals, and gives types to none of the others.
# ruff: noqa: N803, RUF005
# mypy: disallow-untyped-defs=False

from __future__ import annotations

import triton
import triton.language as tl

from halfbits.kernels.decode import decoded, product


@triton.jit
def scale_of(words, group):
    """The float16 scale of a group from a word of two, as float32."""
    return (words >> (group % 2 * 16)).to(tl.int16).to(tl.float16, bitcast=True).to(tl.float32)


@triton.jit
def zero_of(words, group, PLACE: tl.constexpr):
    """The zero point of a group from a word of four, in the low byte.

    The bits above 15 say nothing: they differ by place so that the compiler makes the number anew
    for each place, in the registers that need it, and not once in others with a way through memory.
    """
    return (words >> (group % 4 * 8)) & (255 | 65536 << PLACE)


@triton.jit
def zero_of_tile(one, two, three, four, PLACE: tl.constexpr):
    """As `zero_of`, from what `words_of_tile` returned: three of the words are 0."""
    low = (one & (255 | 65536 << PLACE)) | (two >> 8 & 255)
    return low | (three >> 16 & 255) | (four >> 24 & 255)


@triton.jit
def words_of_tile(at, tile):
    """Four words [rows, 1]: the one of four zero points at `at`, where the tile has its place, and
    zeros for the others.

    With a shift by the tile in its place, the compiler decodes in other registers than the products
    read, and every weight goes through shared memory: it moves decoding only behind loads and
    constants.
    """
    own = tile % 4 + tl.zeros(at.shape, tl.int32)
    first = tl.load(at, mask=own == 0, other=0)
    second = tl.load(at, mask=own == 1, other=0)
    third = tl.load(at, mask=own == 2, other=0)
    return first, second, third, tl.load(at, mask=own == 3, other=0)


@triton.jit
def codes_of(row, across, WORDS: tl.constexpr, BLOCK: tl.constexpr):
    """Where the words of a row start; rows lie in blocks of BLOCK."""
    return (row // BLOCK).to(tl.int64) * across * (BLOCK * WORDS) + row % BLOCK * WORDS


@triton.jit
def deep(
    x, codes, scale, zeros, y, work, arrived, batch, outputs, inputs, across, scales,
    BITS: tl.constexpr, GROUPS: tl.constexpr, HAS_ZERO: tl.constexpr, EVEN: tl.constexpr,
    BATCH: tl.constexpr, ROWS: tl.constexpr, STEP: tl.constexpr, SPLIT: tl.constexpr,
    STAGES: tl.constexpr, DECODE: tl.constexpr,
):  # fmt: skip
    """y [batch, outputs]: each warp of a program takes other tiles of the same ROWS rows.

    A product with ones has the sums of x that a zero point is taken off with.
    """
    PLACES: tl.constexpr = 16 // BITS
    WORDS: tl.constexpr = 128 // PLACES
    BLOCK: tl.constexpr = 16 if BITS == 4 else 1
    LAST: tl.constexpr = PLACES // GROUPS  # places of a group
    KIND: tl.constexpr = x.dtype.element_ty
    row = (tl.program_id(0) * ROWS + tl.arange(0, ROWS)) % outputs
    first, last = share(across, SPLIT)
    tiles = tl.arange(0, STEP)[:, None, None]
    word = tl.arange(0, WORDS)
    many = tl.arange(0, BATCH)[None, None, :]
    line = (codes + codes_of(row, across, WORDS, BLOCK))[None, :, None] + word[None, None, :]
    values = x + many * inputs + word[None, :, None]
    row = row[None, :, None]
    scale_at = scale + row // 16 * scales * 16 + row % 16
    zero_at = zeros + row // 16 * ((scales + 1) // 2) * 16 + row % 16
    total = tl.zeros([STEP, ROWS, BATCH], tl.float32)
    for start in tl.range(first, last, STEP, num_stages=STAGES):
        tile = start + tiles
        if not EVEN:
            inside = tile < last
            tile = tl.minimum(tile, across - 1)
        words = tl.load(line + tile * (BLOCK * WORDS), eviction_policy="evict_first")
        part = tl.zeros([STEP, ROWS, BATCH], tl.float32)
        plain = part
        for place in tl.static_range(PLACES):
            column = tile * 128 + place * WORDS
            mask = many < batch
            if not EVEN:
                mask = mask & inside & (column + word[None, :, None] < inputs)
            value = tl.load(values + column, mask=mask, other=0)
            weight = decoded(words, place, BITS, KIND) if DECODE else words.to(KIND, bitcast=True)
            if BITS == 8:
                total = product(weight, value, total)
            else:
                part = product(weight, value, part)
            if HAS_ZERO:
                plain = product(tl.full(words.shape, 1.0, tl.float32).to(KIND), value, plain)
            if BITS == 4 and (place + 1) % LAST == 0:
                group = tile * GROUPS + place // LAST
                if HAS_ZERO:
                    zero = (zero_of(tl.load(zero_at + group // 4 * 16), group, 0) & 255) - 8
                    part -= plain * zero.to(tl.float32)
                    plain = tl.zeros([STEP, ROWS, BATCH], tl.float32)
                total += part * scale_of(tl.load(scale_at + group // 2 * 16), group)
                part = tl.zeros([STEP, ROWS, BATCH], tl.float32)
    rows = tl.program_id(0) * ROWS + tl.arange(0, ROWS)[:, None]
    finish(tl.sum(total, 0), scale, y, work, arrived, rows, batch, outputs, BITS, BATCH, SPLIT)


@triton.jit
def share(across, SPLIT: tl.constexpr):
    """The first tile of this program and the one after its last."""
    each = tl.cdiv(across, SPLIT)
    first = tl.minimum(tl.program_id(1) * each, across)
    return first, tl.minimum(first + each, across)


@triton.jit
def finish(
    total, scale, y, work, arrived, rows, batch, outputs,
    BITS: tl.constexpr, BATCH: tl.constexpr, SPLIT: tl.constexpr,
):  # fmt: skip
    """Store; with the input split among programs, the last one to arrive adds up all parts."""
    many = tl.arange(0, BATCH)[None, :]
    kept = (rows < outputs) & (many < batch)
    if SPLIT > 1:
        place = rows * BATCH + many
        tl.store(work + tl.program_id(1) * outputs * BATCH + place, total, mask=rows < outputs)
        tl.debug_barrier()
        if tl.atomic_add(arrived + tl.program_id(0), 1) == SPLIT - 1:
            total = tl.zeros_like(total)
            for part in tl.static_range(SPLIT):
                total += tl.load(
                    work + part * outputs * BATCH + place,
                    mask=rows < outputs,
                    other=0,
                    cache_modifier=".cg",
                )
            if BITS == 8:
                total *= tl.load(scale + rows, mask=rows < outputs, other=0)
            tl.store(y + many * outputs + rows, total.to(y.dtype.element_ty), mask=kept)
            tl.store(arrived + tl.program_id(0), 0)
    else:
        if BITS == 8:
            total *= tl.load(scale + rows, mask=rows < outputs, other=0)
        tl.store(y + many * outputs + rows, total.to(y.dtype.element_ty), mask=kept)


@triton.jit
def wide(
    x, codes, scale, zeros, y, work, arrived, batch, outputs, inputs, across, scales,
    BITS: tl.constexpr, GROUPS: tl.constexpr, HAS_ZERO: tl.constexpr, EVEN: tl.constexpr,
    BATCH: tl.constexpr, ROWS: tl.constexpr, SPLIT: tl.constexpr, STAGES: tl.constexpr,
    DECODE: tl.constexpr,
):  # fmt: skip
    """y [batch, outputs]: the warps of a program share a tile's columns, each has its own rows.

    APART: the products of a tile do not wait for each other's scales.
    """
    PLACES: tl.constexpr = 16 // BITS
    WORDS: tl.constexpr = 128 // PLACES
    BLOCK: tl.constexpr = 16 if BITS == 4 else 1
    APART: tl.constexpr = BITS == 4 and (GROUPS > 1 or HAS_ZERO)
    KIND: tl.constexpr = x.dtype.element_ty
    row = (tl.program_id(0) * ROWS + tl.arange(0, ROWS)) % outputs
    first, last = share(across, SPLIT)
    word = tl.arange(0, WORDS)
    many = tl.arange(0, BATCH)[None, :]
    line = (codes + codes_of(row, across, WORDS, BLOCK))[:, None] + word[None, :]
    values = x + many * inputs + word[:, None]
    row = row[:, None]
    scale_at = scale + row // 16 * scales * 16 + row % 16
    zero_at = zeros + row // 16 * ((scales + 1) // 2) * 16 + row % 16
    total = tl.zeros([ROWS, BATCH], tl.float32)
    for tile in tl.range(first, last, num_stages=STAGES):
        words = tl.load(line + tile * (BLOCK * WORDS), eviction_policy="evict_first")
        if HAS_ZERO and GROUPS == 1:
            z0, z1, z2, z3 = words_of_tile(zero_at + tile // 4 * 16, tile)
        elif HAS_ZERO:
            four = tl.load(zero_at + tile * 16)
        if BITS == 4:
            low = tl.load(scale_at + tile * GROUPS // 2 * 16)
            high = low
            if GROUPS > 1:
                high = tl.load(scale_at + (tile * 2 + 1) * 16)
        part = tl.zeros([ROWS, BATCH], tl.float32)
        parts = ()
        for place in tl.static_range(PLACES):
            column = tile * 128 + place * WORDS
            mask = many < batch
            if not EVEN:
                mask = mask & (column + word[:, None] < inputs)
            value = tl.load(values + column, mask=mask, other=0)
            group = tile if GROUPS == 1 else place
            if DECODE:
                zero = None
                if HAS_ZERO and GROUPS == 1:
                    zero = zero_of_tile(z0, z1, z2, z3, place)
                elif HAS_ZERO:
                    zero = zero_of(four, place, place)
                weight = decoded(words, place, BITS, KIND, zero)
            else:
                weight = words.to(KIND, bitcast=True)
            if APART:
                one = product(weight, value, tl.zeros([ROWS, BATCH], tl.float32))
                parts = parts + (one,)  # type: ignore[assignment]
            elif BITS == 8:
                total = product(weight, value, total)
            else:
                part = product(weight, value, part)
        if APART:
            for place in tl.static_range(PLACES):
                group = tile if GROUPS == 1 else place
                total += parts[place] * scale_of(low if place < 2 else high, group)
        elif BITS == 4:
            total += part * scale_of(low, tile)
    rows = tl.program_id(0) * ROWS + tl.arange(0, ROWS)[:, None]
    finish(total, scale, y, work, arrived, rows, batch, outputs, BITS, BATCH, SPLIT)
