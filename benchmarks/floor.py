"""The floor of a row: the fastest kernel that only reads as many bytes and adds them up.

No product can be faster, and the rate that it reaches falls with the bytes; so it is the fair limit
of a small read, where the rate of a long copy is not.
"""
# Triton marks compile-time arguments by capitals, and gives types to none of the others.
# ruff: noqa: N803
# mypy: disallow-untyped-defs=False

from __future__ import annotations

from functools import cache

import torch
import triton
import triton.language as tl
from torch import Tensor

from benchmarks.gpu_matmul import ROTATED_BYTES, sampled, spread

# Words of a step, steps of a program, warps: the fastest few of many on an H200, 17 to 134 MB.
CUTS = ((1024, 2, 4), (2048, 1, 4), (2048, 2, 16), (4096, 1, 16), (2048, 4, 4))


@triton.jit
def added(words, sums, count, STEP: tl.constexpr, STEPS: tl.constexpr):
    """sums [programs]: each the sum of its share of int32 words, read once, 16 bytes a thread."""
    first = tl.program_id(0) * STEP * STEPS
    total = tl.zeros([STEP], tl.int32)
    for step in tl.static_range(STEPS):
        at = first + step * STEP + tl.arange(0, STEP)
        total += tl.load(words + at, mask=at < count, other=0, eviction_policy="evict_first")
    tl.store(sums + tl.program_id(0), tl.sum(total, 0))


def read(words: Tensor, sums: Tensor, cut: tuple[int, int, int]) -> None:
    step, steps, warps = cut
    programs = -(-words.numel() // (step * steps))
    added[(programs,)](words, sums, words.numel(), STEP=step, STEPS=steps, num_warps=warps)


@cache
def floor(nbytes: int, device: torch.device) -> float:
    """Median seconds of the fastest cut, over rotated buffers."""
    count = -(-nbytes // 256) * 64  # whole sectors, so that every copy is aligned
    copies = max(2, -(-ROTATED_BYTES // nbytes))
    whole = torch.randint(0, 1 << 20, (copies * count,), device=device, dtype=torch.int32)
    sums = torch.empty(count, device=device, dtype=torch.int32)
    times = []
    for cut in CUTS:
        calls = [lambda w=w, cut=cut: read(w, sums, cut) for w in whole.view(copies, count)]
        times.append(spread(sampled(calls, device))["median"])
    return min(times)
