"""Starts the Triton kernels of `attention` over a `QuantizedCache`."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from halfbits.kernels import attention
from halfbits.kernels.cache import BLOCK, PLACES, QuantizedCache

MOST_HEADS = 16  # query heads of a group: rows of one product


@dataclass(frozen=True)
class CachePlan:
    """Tokens of one step; programs that all rows and heads together are shared out to, at least;
    stages of loads in flight."""

    tokens: int
    programs: int
    stages: int


# The fastest on an H200 at 16 rows of 8,192 tokens and 8 heads.
PLANS = {
    "int8": CachePlan(64, 512, 3),
    "fp8": CachePlan(64, 512, 3),
    "int4": CachePlan(64, 1024, 3),
}


def attend(q: Tensor, cache: QuantizedCache, plan: CachePlan | None = None) -> Tensor:
    """y [batch, kv_heads, group, head_dim] in q's dtype, for q of that shape in bfloat16.

    Raises ValueError when the shapes or the type do not fit.
    """
    batch, kv_heads, context, wide = cache.keys.shape
    size, chosen = wide * PLACES[cache.format], plan or PLANS[cache.format]
    fits = q.ndim == 4 and q.shape[:2] == (batch, kv_heads) and q.shape[3] == size
    if not fits or q.shape[2] > MOST_HEADS or q.dtype != torch.bfloat16:
        raise ValueError(
            f"q is {q.dtype} {list(q.shape)}; this cache takes bfloat16 "
            f"[{batch}, {kv_heads}, 1 to {MOST_HEADS}, {size}]"
        )
    heads, count = q.shape[2], batch * kv_heads
    split = min(-(-chosen.programs // count), -(-context // BLOCK))
    sums = torch.empty(count * split * heads, size, device=q.device)
    tops, masses = torch.empty(2, count * split * heads, device=q.device)
    y = torch.empty_like(q, memory_format=torch.contiguous_format)
    factor = math.log2(math.e) / math.sqrt(size)
    attention.attend[count, split](
        q.contiguous(), cache.keys, cache.key_scale, cache.values, cache.value_scale,
        sums, tops, masses, context, factor, HEADS=heads, WIDE=wide, FORMAT=cache.format,
        BLOCK=BLOCK, TOKENS=chosen.tokens, SPLIT=split, STAGES=chosen.stages, num_warps=1,
    )  # fmt: skip
    padded = max(2, 1 << (split - 1).bit_length())
    attention.combined[count, heads](
        sums, tops, masses, y, HEADS=heads, SIZE=size, SPLIT=split, PADDED=padded, num_warps=4
    )
    return y
