"""The Triton kernel for one row of x and int8 weights: no matrix units, all loads at once.

The matrix units multiply eight rows of x where there is one, and what feeds them waits. Here each
thread reads words of four codes of a few rows of W and the numbers of x that belong to them, and
adds products in float32. A code becomes a float without a conversion: 2^23 + n is 0x4B000000 | n,
and the sign goes in as n = code + 128; one subtraction, exact, takes both away.
"""
# Triton marks compile-time arguments by capitals, and gives types to none of the others.
# ruff: noqa: N803, SIM300
# mypy: disallow-untyped-defs=False

from __future__ import annotations

import triton
import triton.language as tl

BIASED = tl.constexpr(0x80808080 - (1 << 32))  # flips the sign of four codes: n = code + 128
COUNTING = tl.constexpr(0x4B000000)  # the exponent at which a float counts ones
MIDDLE = tl.constexpr(2.0**23 + 128)


@triton.jit
def code(words, PLACE: tl.constexpr, DECODE: tl.constexpr):
    """The code in byte PLACE of each int32 word with flipped signs, as float32; not DECODE: the
    word's bits."""
    if not DECODE:
        return words.to(tl.float32, bitcast=True)
    return (((words >> 8 * PLACE) & 255) | COUNTING).to(tl.float32, bitcast=True) - MIDDLE


@triton.jit
def pair(words, KIND: tl.constexpr):
    """The two numbers of KIND, bfloat16 or float16, in each int32 word, as float32."""
    if KIND == tl.bfloat16:  # a float32 is a bfloat16 with 16 bits more
        low, high = (words << 16).to(tl.float32, bitcast=True), words & -65536
        high = high.to(tl.float32, bitcast=True)
    else:
        low = words.to(tl.int16).to(KIND, bitcast=True).to(tl.float32)
        high = (words >> 16).to(tl.int16).to(KIND, bitcast=True).to(tl.float32)
    return low[None, :], high[None, :]


@triton.jit
def row(
    x, codes, scale, y, outputs, pairs, across,
    EVEN: tl.constexpr, ROWS: tl.constexpr, STEP: tl.constexpr, TURNS: tl.constexpr,
    DECODE: tl.constexpr,
):  # fmt: skip
    """y [1, outputs] for x [1, inputs]: STEP tiles of ROWS rows of W in each of TURNS turns.

    x: int32 [pairs], two numbers of y's dtype in one: loads of half that width take a tenth longer.
    codes: int32 [outputs, across * 32], two of the words of `tiles` in one, fewer than 2^31. TURNS
    is known when the kernel is compiled, so that it can start the loads of several turns together.
    EVEN: programs and turns leave no rest.
    """
    WORDS: tl.constexpr = 32 * STEP
    rows = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    word = tl.arange(0, WORDS)
    total = tl.zeros([ROWS, WORDS], tl.float32)
    line = codes + rows[:, None] * (across * 32)
    inside = rows < outputs
    for turn in tl.range(0, TURNS, num_stages=1):
        mask = None if EVEN else inside[:, None] & (turn * WORDS + word < across * 32)[None, :]
        here = (turn * WORDS + word)[None, :]
        words = tl.load(line + here, mask=mask, eviction_policy="evict_first") ^ BIASED
        at = turn * STEP * 64 + word // 32 * 64 + word % 32
        for place in tl.static_range(2):
            mask = None if EVEN else at + place * 32 < pairs
            low, high = pair(tl.load(x + at + place * 32, mask=mask), y.dtype.element_ty)
            total += code(words, place, DECODE) * low
            total += code(words, 2 + place, DECODE) * high
    last = None if EVEN else inside
    sums = tl.sum(total, 1) * tl.load(scale + rows, mask=last)
    tl.store(y + rows, sums.to(y.dtype.element_ty), mask=last)
