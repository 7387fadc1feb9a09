"""Triton kernels for y = x W^T with packed weights: int8 per channel, int4 in groups.

One row of x goes through plain multiply-adds, up to 64 rows through the matrix units; no kernel
writes a decoded weight to memory. Import this only where Triton is installed; TRITON_INTERPRET=1,
set before, runs the kernels on a CPU, slowly.
"""
# Triton marks compile-time arguments by capitals, and gives types to none of the others.
# ruff: noqa: N803
# mypy: disallow-untyped-defs=False

from __future__ import annotations

import triton
import triton.language as tl


@triton.jit
def counted(words, PLACE: tl.constexpr, zero, top):
    """Code number PLACE of each word, minus `zero`, in float32.

    A nibble at bit s of a float's mantissa, under the exponent of 2^(23 - s), adds ones to
    2^(23 - s): one logic operation and one subtraction, where integer conversions take more.
    """
    source = words >> 16 if PLACE > 4 else words
    BIT: tl.constexpr = 4 * PLACE - 16 if PLACE > 4 else 4 * PLACE
    MASK: tl.constexpr = 15 << BIT
    LOWER: tl.constexpr = BIT << 23
    EXCESS: tl.constexpr = 1.0 * (1 << (23 - BIT))
    return ((source & MASK) | (top - LOWER)).to(tl.float32, bitcast=True) - (EXCESS + zero)


@triton.jit
def added(part, decoded, x, column, inside, QUADS: tl.constexpr):
    """part + decoded * x[column], in threes: rows, quads of words, the words of a quad."""
    value = tl.load(x + column, mask=inside, other=0).to(tl.float32)
    return part + decoded * tl.reshape(value, [QUADS, 4])[None, :, :]


@triton.jit
def int4_row(
    x, codes, scale, zeros, y, outputs, top, WIDTH: tl.constexpr,
    GROUP: tl.constexpr, BATCH: tl.constexpr, ROWS: tl.constexpr, WORDS: tl.constexpr,
    HAS_ZERO: tl.constexpr, STAGES: tl.constexpr,
):  # fmt: skip
    """y [batch, outputs] of 1 to 4 rows of x: each decoded weight meets all of them.

    A program takes ROWS rows of the weight, in steps of WORDS words along the input.
    """
    rows = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    kept = rows < outputs
    EACH: tl.constexpr = GROUP // 8
    QUADS: tl.constexpr = WORDS // 4
    NEXT: tl.constexpr = WIDTH * 8
    total0 = tl.zeros([ROWS, QUADS], tl.float32)
    total1, total2, total3 = total0, total0, total0
    for start in tl.range(0, WIDTH, WORDS, num_stages=STAGES):
        word = start + tl.arange(0, WORDS)
        inside = word < WIDTH
        packed = tl.load(
            codes + rows.to(tl.int64)[:, None] * WIDTH + word[None, :],
            mask=kept[:, None] & inside[None, :],
            other=0,
            eviction_policy="evict_first",
        )
        packed = tl.reshape(packed, [ROWS, QUADS, 4])
        group = (start // 4 + tl.arange(0, QUADS)) * 4 // EACH
        place = rows[:, None] * (WIDTH // EACH) + group[None, :]
        known = kept[:, None] & (group < WIDTH // EACH)[None, :]
        factor = tl.load(scale + place, mask=known, other=0).to(tl.float32)
        if HAS_ZERO:
            zero = tl.load(zeros + place, mask=known, other=0).to(tl.float32)[:, :, None]
        else:
            zero = 8.0
        column = word // EACH * GROUP + word % EACH
        part0 = tl.zeros([ROWS, QUADS, 4], tl.float32)
        part1, part2, part3 = part0, part0, part0
        for i in tl.static_range(8):
            decoded = counted(packed, i, zero, top)
            at = column + EACH * i
            part0 = added(part0, decoded, x, at, inside, QUADS)
            if BATCH > 1:
                part1 = added(part1, decoded, x + NEXT, at, inside, QUADS)
            if BATCH > 2:
                part2 = added(part2, decoded, x + 2 * NEXT, at, inside, QUADS)
            if BATCH > 3:
                part3 = added(part3, decoded, x + 3 * NEXT, at, inside, QUADS)
        total0 += tl.sum(part0, 2) * factor
        if BATCH > 1:
            total1 += tl.sum(part1, 2) * factor
        if BATCH > 2:
            total2 += tl.sum(part2, 2) * factor
        if BATCH > 3:
            total3 += tl.sum(part3, 2) * factor
    kind = y.dtype.element_ty
    tl.store(y + rows, tl.sum(total0, 1).to(kind), mask=kept)
    if BATCH > 1:
        tl.store(y + outputs + rows, tl.sum(total1, 1).to(kind), mask=kept)
    if BATCH > 2:
        tl.store(y + 2 * outputs + rows, tl.sum(total2, 1).to(kind), mask=kept)
    if BATCH > 3:
        tl.store(y + 3 * outputs + rows, tl.sum(total3, 1).to(kind), mask=kept)


@triton.jit
def int8_row(
    x, codes, scale, y, outputs, INPUTS: tl.constexpr,
    ROWS: tl.constexpr, STEP: tl.constexpr, STAGES: tl.constexpr,
):  # fmt: skip
    """y [outputs] of one x: a program takes ROWS rows and steps of STEP codes along the input."""
    rows = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    kept = rows < outputs
    total = tl.zeros([ROWS, STEP // 16], tl.float32)
    for start in tl.range(0, INPUTS, STEP, num_stages=STAGES):
        column = start + tl.arange(0, STEP)
        inside = column < INPUTS
        packed = tl.load(
            codes + rows.to(tl.int64)[:, None] * INPUTS + column[None, :],
            mask=kept[:, None] & inside[None, :],
            other=0,
            eviction_policy="evict_first",
        )
        value = tl.load(x + column, mask=inside, other=0).to(tl.float32)
        part = packed.to(tl.float32) * value[None, :]
        total += tl.sum(tl.reshape(part, [ROWS, STEP // 16, 16]), 2)
    out = tl.sum(total, 1) * tl.load(scale + rows, mask=kept, other=0)
    tl.store(y + rows, out.to(y.dtype.element_ty), mask=kept)


@triton.jit
def weight(words, PLACE: tl.constexpr, zero, top, factor, KIND: tl.constexpr):
    """Weight number PLACE of each word, rounded to the type KIND."""
    return (counted(words, PLACE, zero, top) * factor).to(KIND)


@triton.jit
def weights(words, zero, top, factor, KIND: tl.constexpr):
    """The eight weights of each word side by side: [.., 2, 2, 2], bits of the place."""
    even = tl.join(
        tl.join(
            weight(words, 0, zero, top, factor, KIND), weight(words, 4, zero, top, factor, KIND)
        ),
        tl.join(
            weight(words, 2, zero, top, factor, KIND), weight(words, 6, zero, top, factor, KIND)
        ),
    )
    odd = tl.join(
        tl.join(
            weight(words, 1, zero, top, factor, KIND), weight(words, 5, zero, top, factor, KIND)
        ),
        tl.join(
            weight(words, 3, zero, top, factor, KIND), weight(words, 7, zero, top, factor, KIND)
        ),
    )
    return tl.join(even, odd)


@triton.jit
def int4_rows(
    x, codes, scale, zeros, y, batch, outputs, top, WIDTH: tl.constexpr,
    GROUP: tl.constexpr, BATCH: tl.constexpr, ROWS: tl.constexpr, WORDS: tl.constexpr,
    HAS_ZERO: tl.constexpr, STAGES: tl.constexpr,
):  # fmt: skip
    """y [batch, outputs]: (code - zero) * scale is rounded to x's type, products add in float32.

    x comes with the codes of one word side by side: [batch, words, 8], see `launch.by_word`.
    """
    rows = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    many = tl.arange(0, BATCH)
    kept = rows < outputs
    EACH: tl.constexpr = GROUP // 8
    QUADS: tl.constexpr = WORDS // 4
    total = tl.zeros([ROWS, BATCH], tl.float32)
    for start in tl.range(0, WIDTH, WORDS, num_stages=STAGES):
        word = start + tl.arange(0, WORDS)
        packed = tl.load(
            codes + rows.to(tl.int64)[:, None] * WIDTH + word[None, :],
            mask=kept[:, None] & (word < WIDTH)[None, :],
            other=0,
            eviction_policy="evict_first",
        )
        packed = tl.reshape(packed, [ROWS, QUADS, 4])
        group = (start // 4 + tl.arange(0, QUADS)) * 4 // EACH
        place = rows[:, None] * (WIDTH // EACH) + group[None, :]
        known = kept[:, None] & (group < WIDTH // EACH)[None, :]
        factor = tl.load(scale + place, mask=known, other=0).to(tl.float32)[:, :, None]
        if HAS_ZERO:
            zero = tl.load(zeros + place, mask=known, other=0).to(tl.float32)[:, :, None]
        else:
            zero = 8.0
        column = start * 8 + tl.arange(0, WORDS * 8)
        value = tl.load(
            x + many[None, :] * (WIDTH * 8) + column[:, None],
            mask=(column < WIDTH * 8)[:, None] & (many < batch)[None, :],
            other=0,
        )
        pairs = weights(packed, zero, top, factor, x.dtype.element_ty)
        tile = tl.reshape(pairs, [ROWS, WORDS * 8])
        total = tl.dot(tile, value, total, input_precision="ieee")
    place = many[None, :] * outputs + rows[:, None]
    mask = kept[:, None] & (many < batch)[None, :]
    tl.store(y + place, total.to(y.dtype.element_ty), mask=mask)


@triton.jit
def int8_rows(
    x, codes, scale, y, batch, outputs, INPUTS: tl.constexpr,
    BATCH: tl.constexpr, ROWS: tl.constexpr, STEP: tl.constexpr, STAGES: tl.constexpr,
):  # fmt: skip
    """y [batch, outputs]: codes are exact in x's type, sums are float32, scales come last."""
    rows = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    many = tl.arange(0, BATCH)
    kept = rows < outputs
    total = tl.zeros([ROWS, BATCH], tl.float32)
    for start in tl.range(0, INPUTS, STEP, num_stages=STAGES):
        column = start + tl.arange(0, STEP)
        inside = column < INPUTS
        packed = tl.load(
            codes + rows.to(tl.int64)[:, None] * INPUTS + column[None, :],
            mask=kept[:, None] & inside[None, :],
            other=0,
            eviction_policy="evict_first",
        )
        value = tl.load(
            x + many[None, :] * INPUTS + column[:, None],
            mask=inside[:, None] & (many < batch)[None, :],
            other=0,
        )
        total = tl.dot(packed.to(value.dtype), value, total, input_precision="ieee")
    total = total * tl.load(scale + rows, mask=kept, other=0)[:, None]
    place = many[None, :] * outputs + rows[:, None]
    mask = kept[:, None] & (many < batch)[None, :]
    tl.store(y + place, total.to(y.dtype.element_ty), mask=mask)
