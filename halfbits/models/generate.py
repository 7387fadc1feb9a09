"""Text generation with a KV cache: read the prompt once, then one token at a time."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from halfbits.models.llama import Llama


def pick(logits: Tensor, temperature: float, top_k: int | None, draw: torch.Generator) -> Tensor:
    """Next token of each row of logits [B, vocab]: the largest at temperature 0, else a sample of
    softmax(logits / temperature) over the `top_k` largest (all when None). Returns int64 [B]."""
    if temperature == 0:
        return logits.argmax(-1)
    scores = logits.float() / temperature
    if top_k is not None:
        least = scores.topk(min(top_k, scores.shape[-1]), dim=-1).values[:, -1:]
        scores = scores.masked_fill(scores < least, float("-inf"))
    return torch.multinomial(scores.softmax(-1), 1, generator=draw)[:, 0]


def stream(
    model: Llama,
    ids: Tensor,
    max_new_tokens: int,
    temperature: float = 0.0,
    top_k: int | None = None,
    seed: int = 0,
    end: int | None = None,
) -> Iterator[int]:
    """The tokens that follow the prompt `ids` (int64 [T]), one by one, until `end` or the limit.

    Raises ValueError when the prompt is empty, or prompt and answer exceed the model's context.
    """
    total, limit = len(ids) + max_new_tokens, model.config.max_position_embeddings
    if len(ids) == 0 or total > limit:
        raise ValueError(f"{len(ids)} + {max_new_tokens} tokens do not fit: 1 to {limit} do")
    if temperature < 0:
        raise ValueError(f"temperature is {temperature}; 0 (greedy) or more was expected")
    draw = torch.Generator().manual_seed(seed)
    cache = None
    token = ids
    for _ in range(max_new_tokens):
        # Not a decorator: a generator would leave gradients off in the caller between tokens.
        with torch.no_grad():
            if cache is None:
                logits, cache = model.prefill(ids[None], total)
            else:
                logits = model.decode(token, cache)
            token = pick(logits, temperature, top_k, draw)
        if int(token) == end:
            return
        yield int(token)


def generate(model: Llama, ids: Tensor, max_new_tokens: int, **options: float | None) -> Tensor:
    """`ids` [T] followed by what `stream` gives for the same arguments, int64 [T + n]."""
    new = list(stream(model, ids, max_new_tokens, **options))  # type: ignore[arg-type]
    return torch.cat([ids, torch.tensor(new, dtype=torch.int64)])
