"""Triton kernels for y = x W^T with weights in `tiles`: int8 per channel, int4 in groups.

All products go through the matrix units, that of one row of x too: codes are exact in x's type, and
the scale of a group multiplies the group's sum. `deep` lets each warp of a program take other tiles
of the same few rows of W; in `wide` every warp has rows of its own and the tiles are shared. Import
this only where Triton is installed; TRITON_INTERPRET=1, set before, runs the kernels on a CPU,
slowly.
"""
# Triton marks compile-time arguments by capitals, and gives types to none of the others.
# ruff: noqa: N803
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
def zero_of(words, group):
    """The zero point of a group, less the 8 of `decoded`, from a word of four."""
    return (words >> (group % 4 * 8) & 255).to(tl.float32) - 8.0


@triton.jit
def deep(
    x, codes, scale, zeros, y, work, arrived, batch, outputs, inputs, across,
    BITS: tl.constexpr, GROUPS: tl.constexpr, HAS_ZERO: tl.constexpr, EVEN: tl.constexpr,
    BATCH: tl.constexpr, ROWS: tl.constexpr, STEP: tl.constexpr, SPLIT: tl.constexpr,
    STAGES: tl.constexpr, DECODE: tl.constexpr,
):  # fmt: skip
    """y [batch, outputs]: each warp of a program takes other tiles of the same ROWS rows."""
    PLACES: tl.constexpr = 16 // BITS
    WORDS: tl.constexpr = 128 // PLACES
    LAST: tl.constexpr = PLACES // GROUPS  # places of a group
    KIND: tl.constexpr = x.dtype.element_ty
    each = across // SPLIT
    row = (tl.program_id(0) * ROWS + tl.arange(0, ROWS)) % outputs
    first = tl.program_id(1) * each
    tiles = tl.arange(0, STEP)[:, None, None]
    word = tl.arange(0, WORDS)
    many = tl.arange(0, BATCH)[None, None, :]
    line = codes + row.to(tl.int64)[None, :, None] * (across * WORDS) + word[None, None, :]
    values = x + many * inputs + word[None, :, None]
    row = row[None, :, None]
    total = tl.zeros([STEP, ROWS, BATCH], tl.float32)
    for start in tl.range(first, first + each, STEP, num_stages=STAGES):
        tile = start + tiles
        if not EVEN:
            inside = tile < first + each
            tile = tl.minimum(tile, across - 1)
        words = tl.load(line + tile * WORDS, eviction_policy="evict_first")
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
                    part -= plain * zero_of(tl.load(zeros + group // 4 * outputs + row), group)
                    plain = tl.zeros([STEP, ROWS, BATCH], tl.float32)
                total += part * scale_of(tl.load(scale + group // 2 * outputs + row), group)
                part = tl.zeros([STEP, ROWS, BATCH], tl.float32)
    rows = tl.program_id(0) * ROWS + tl.arange(0, ROWS)[:, None]
    finish(tl.sum(total, 0), scale, y, work, arrived, rows, batch, outputs, BITS, BATCH, SPLIT)


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
    x, codes, scale, zeros, y, work, arrived, batch, outputs, inputs, across,
    BITS: tl.constexpr, GROUPS: tl.constexpr, HAS_ZERO: tl.constexpr, EVEN: tl.constexpr,
    BATCH: tl.constexpr, ROWS: tl.constexpr, SPLIT: tl.constexpr, STAGES: tl.constexpr,
    DECODE: tl.constexpr,
):  # fmt: skip
    """y [batch, outputs]: the warps of a program share a tile's columns, each has its own rows."""
    PLACES: tl.constexpr = 16 // BITS
    WORDS: tl.constexpr = 128 // PLACES
    LAST: tl.constexpr = PLACES // GROUPS  # places of a group
    KIND: tl.constexpr = x.dtype.element_ty
    each = across // SPLIT
    row = (tl.program_id(0) * ROWS + tl.arange(0, ROWS)) % outputs
    first = tl.program_id(1) * each
    word = tl.arange(0, WORDS)
    many = tl.arange(0, BATCH)[None, :]
    line = codes + row.to(tl.int64)[:, None] * (across * WORDS) + word[None, :]
    values = x + many * inputs + word[:, None]
    row = row[:, None]
    total = tl.zeros([ROWS, BATCH], tl.float32)
    for tile in tl.range(first, first + each, num_stages=STAGES):
        words = tl.load(line + tile * WORDS, eviction_policy="evict_first")
        part = tl.zeros([ROWS, BATCH], tl.float32)
        plain = part
        for place in tl.static_range(PLACES):
            column = tile * 128 + place * WORDS
            mask = many < batch
            if not EVEN:
                mask = mask & (column + word[:, None] < inputs)
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
                    part -= plain * zero_of(tl.load(zeros + group // 4 * outputs + row), group)
                    plain = tl.zeros([ROWS, BATCH], tl.float32)
                total += part * scale_of(tl.load(scale + group // 2 * outputs + row), group)
                part = tl.zeros([ROWS, BATCH], tl.float32)
    rows = tl.program_id(0) * ROWS + tl.arange(0, ROWS)[:, None]
    finish(total, scale, y, work, arrived, rows, batch, outputs, BITS, BATCH, SPLIT)
