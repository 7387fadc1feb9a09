"""Decoders as dictionaries of sizes, and what their caches take."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any


def attention(some: random.Random) -> dict[str, int]:
    """Layers and heads of random numbers: the cache has fewer heads than there are that ask."""
    heads = some.randrange(2, 9)
    model = {"layers": some.randrange(20, 90), "kv_heads": heads}
    return model | {"heads": heads * some.randrange(2, 9), "head_dim": some.choice((64, 128))}


def cache_bytes(model: Mapping[str, Any], tokens: int) -> float:
    """Bytes of the keys and values of so many tokens, `cache_bits` bits each."""
    numbers = 2 * model["layers"] * model["kv_heads"] * model["head_dim"]
    return tokens * numbers * model["cache_bits"] / 8
