"""Triton kernels for one new token's attention over a KV cache of int8, fp8 or int4 codes.

The codes are read as they are stored. Keys have a scale per channel, so it multiplies the query
before the product; values have a scale per token, so it multiplies the weights of the softmax.
Programs share the context out; `combined` adds up what they found. The query heads of a group
stand as the rows of one product.
"""
# Triton marks compile-time arguments by capitals, and gives types to none of the others.
# ruff: noqa: N803
# mypy: disallow-untyped-defs=False

from __future__ import annotations

import triton
import triton.language as tl

from halfbits.kernels.decode import decoded, e4m3, product

LIFT = tl.constexpr(
    2.0**60
)  # half of what e4m3's bits lack as bfloat16; the other half comes after


@triton.jit
def opened(words, PLACE: tl.constexpr, FORMAT: tl.constexpr, KIND: tl.constexpr):
    """Codes of one place as numbers; e4m3 times 2^-120."""
    if FORMAT == "fp8":
        out = e4m3(words, PLACE, KIND)
    else:
        out = decoded(words, PLACE, 8 if FORMAT == "int8" else 4, KIND)
    return out


@triton.jit
def scored(q, words, key_scale, channel, total, PLACE: tl.constexpr, WIDE: tl.constexpr,
           FORMAT: tl.constexpr):  # fmt: skip
    """total + (q * scale) keys^T over the channels of one place."""
    part = q * tl.load(key_scale + PLACE * WIDE + channel)[None, :]
    return product(part.to(tl.bfloat16), opened(words, PLACE, FORMAT, tl.bfloat16), total)


@triton.jit
def attend(
    q, keys, key_scale, values, value_scale, sums, tops, masses, context, factor,
    HEADS: tl.constexpr, WIDE: tl.constexpr, FORMAT: tl.constexpr, BLOCK: tl.constexpr,
    TOKENS: tl.constexpr, SPLIT: tl.constexpr, STAGES: tl.constexpr,
):  # fmt: skip
    """One share of the context of one row and key head: sums, largest score, mass of the softmax.

    q [n, HEADS, WIDE * places]; words of keys and values [n, context, WIDE]; key_scale
    [n, blocks of BLOCK tokens, WIDE * places]; value_scale [n, context]. HEADS <= 16.
    """
    PLACES: tl.constexpr = 4 if FORMAT == "int4" else 2
    LIFTED: tl.constexpr = LIFT if FORMAT == "fp8" else 1.0
    SIZE: tl.constexpr = WIDE * PLACES
    at, split = tl.program_id(0).to(tl.int64), tl.program_id(1)
    blocks = tl.cdiv(context, BLOCK)
    share = tl.cdiv(blocks, SPLIT) * BLOCK
    first = split * share
    last = tl.minimum(first + share, context)
    row, channel = tl.arange(0, 16), tl.arange(0, WIDE)
    step = tl.arange(0, TOKENS)
    known = (row < HEADS)[:, None]
    asked = q + at * HEADS * SIZE + row[:, None] * SIZE + channel[None, :]
    factor = factor * LIFTED
    q0 = tl.load(asked, mask=known, other=0).to(tl.float32) * factor
    q1 = tl.load(asked + WIDE, mask=known, other=0).to(tl.float32) * factor
    q2, q3 = q0, q0
    if PLACES == 4:
        q2 = tl.load(asked + 2 * WIDE, mask=known, other=0).to(tl.float32) * factor
        q3 = tl.load(asked + 3 * WIDE, mask=known, other=0).to(tl.float32) * factor
    o0 = tl.zeros([16, WIDE], tl.float32)
    o1, o2, o3 = o0, o0, o0
    top = tl.full([16], float("-inf"), tl.float32)
    mass = tl.zeros([16], tl.float32)
    for start in tl.range(first, last, TOKENS, num_stages=STAGES):
        token = start + step
        inside = token < last
        place = at * context + token
        words = tl.load(keys + place[None, :] * WIDE + channel[:, None],
                        mask=inside[None, :], other=0)  # fmt: skip
        scales = key_scale + (at * blocks + start // BLOCK) * SIZE
        score = tl.zeros([16, TOKENS], tl.float32)
        score = scored(q0, words, scales, channel, score, 0, WIDE, FORMAT)
        score = scored(q1, words, scales, channel, score, 1, WIDE, FORMAT)
        if PLACES == 4:
            score = scored(q2, words, scales, channel, score, 2, WIDE, FORMAT)
            score = scored(q3, words, scales, channel, score, 3, WIDE, FORMAT)
        score = tl.where(inside[None, :], score * LIFTED, float("-inf"))
        higher = tl.maximum(top, tl.max(score, 1))
        weight = tl.exp2(score - higher[:, None])
        shrink = tl.exp2(top - higher)
        top = higher
        mass = mass * shrink + tl.sum(weight, 1)
        scale = tl.load(value_scale + place, mask=inside, other=0).to(tl.float32)
        weight = (weight * (scale * LIFTED)[None, :]).to(tl.bfloat16)
        words = tl.load(values + place[:, None] * WIDE + channel[None, :],
                        mask=inside[:, None], other=0)  # fmt: skip
        shrink = shrink[:, None]
        o0 = product(weight, opened(words, 0, FORMAT, tl.bfloat16), o0 * shrink)
        o1 = product(weight, opened(words, 1, FORMAT, tl.bfloat16), o1 * shrink)
        if PLACES == 4:
            o2 = product(weight, opened(words, 2, FORMAT, tl.bfloat16), o2 * shrink)
            o3 = product(weight, opened(words, 3, FORMAT, tl.bfloat16), o3 * shrink)
    part = (at * SPLIT + split) * HEADS + row
    tl.store(tops + part, top, mask=row < HEADS)
    tl.store(masses + part, mass, mask=row < HEADS)
    out = sums + part[:, None] * SIZE + channel[None, :]
    tl.store(out, o0 * LIFTED, mask=known)
    tl.store(out + WIDE, o1 * LIFTED, mask=known)
    if PLACES == 4:
        tl.store(out + 2 * WIDE, o2 * LIFTED, mask=known)
        tl.store(out + 3 * WIDE, o3 * LIFTED, mask=known)


@triton.jit
def combined(
    sums, tops, masses, y, HEADS: tl.constexpr, SIZE: tl.constexpr, SPLIT: tl.constexpr,
    PADDED: tl.constexpr,
):  # fmt: skip
    """y [n, HEADS, SIZE]: the shares of one head, each times 2^(its top - the highest top)."""
    at, head = tl.program_id(0), tl.program_id(1)
    split, channel = tl.arange(0, PADDED), tl.arange(0, SIZE)
    known = split < SPLIT
    part = (at.to(tl.int64) * SPLIT + split) * HEADS + head
    top = tl.load(tops + part, mask=known, other=float("-inf"))
    factor = tl.exp2(top - tl.max(top, 0))
    mass = tl.sum(factor * tl.load(masses + part, mask=known, other=0), 0)
    found = tl.load(sums + part[:, None] * SIZE + channel[None, :], mask=known[:, None], other=0)
    out = tl.sum(found * factor[:, None], 0) / mass
    place = (at.to(tl.int64) * HEADS + head) * SIZE + channel
    tl.store(y + place, out.to(y.dtype.element_ty))
