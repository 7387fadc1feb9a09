"""How a delivered model decodes: with a cache as without, and how fast beside float32."""

from __future__ import annotations

import time
from statistics import median
from typing import Any

import torch

from halfbits.course.checks.threads import one_thread
from halfbits.course.checks.whole_models import Case
from halfbits.models.llama import KVCache

ROUNDS, STEPS, PROMPT = 5, 8, 32


@one_thread()
@torch.no_grad()
def cache_error(case: Case, model: Any, count: int = 12) -> float:
    """Largest difference of logits, decoded one token at a time or in one call, over the largest.

    Both are float32 sums in another order: about 1e-6.
    """
    ids = case.hidden[:1, :count]
    seen = KVCache(case.model.config, 1, count, case.model.embed_tokens.weight)
    alone = torch.cat([model(ids[:, step : step + 1], seen) for step in range(count)], 1)
    whole = model(ids)
    return float((alone - whole).abs().max() / whole.abs().max())


@one_thread()
@torch.no_grad()
def speed(case: Case, model: Any) -> float:
    """Tokens a second of `model` over those of float32: the median of paired, alternating runs."""
    ratios = []
    for round_ in range(ROUNDS + 1):
        pair = [case.model, model] if round_ % 2 else [model, case.model]
        seconds = {id(one): _seconds(one, case) for one in pair}
        ratios.append(seconds[id(case.model)] / seconds[id(model)])
    return median(ratios[1:])  # the first round warms up


def _seconds(model: Any, case: Case) -> float:
    seen = KVCache(case.model.config, 1, PROMPT + STEPS, case.model.embed_tokens.weight)
    ids = case.hidden[:1]
    model(ids[:, :PROMPT], seen)
    began = time.perf_counter()
    for step in range(PROMPT, PROMPT + STEPS):
        model(ids[:, step : step + 1], seen)
    return time.perf_counter() - began
