"""What a component is given to show, from the library's own tables."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from functools import cache
from typing import Any

from halfbits.figures.bundle import FOLDER
from halfbits.perf.architecture import Sizes, read_config, sizes
from halfbits.perf.architecture.published import model
from halfbits.perf.architecture.sizes import MATRICES
from halfbits.perf.cost import HARDWARE
from halfbits.perf.fit import USABLE
from halfbits.perf.storage import storage

# Of each kind of attention and of experts a few; under the name that the figure shows.
PUBLISHED = {
    "Llama 3 8B": "Llama-3.1-8B",
    "Llama 3 70B": "Llama-3.1-70B",
    "Llama 3 405B": "Llama-3.1-405B",
    **{name: name for name in ("Qwen3-8B", "Qwen3-32B", "Gemma-3-27B", "Mixtral-8x7B")},
    **{name: name for name in ("Qwen3-30B-A3B", "gpt-oss-20b", "gpt-oss-120b", "GLM-4.5-Air")},
    **{name: name for name in ("Nemotron-3-Nano-30B-A3B", "DeepSeek-V3", "Kimi-K2-Thinking")},
}
TINY_LM = FOLDER.parent / "models" / "tiny_lm" / "config.json"
STORED = ("fp32", "bf16", "fp8", "int8", "int4", "mxfp4", "nvfp4")


@cache
def shown_models() -> dict[str, Sizes]:
    """The models to choose from."""
    tiny = sizes(read_config(TINY_LM))
    return {shown: model(name).sizes for shown, name in PUBLISHED.items()} | {"tiny LM": tiny}


def counts(found: Sizes) -> dict[str, Any]:
    """What the arithmetic of `halfbits.perf.fit` takes of a model, by what a scheme rounds.

    `touched` is read by a step of many tokens, `read` by a step of one; layers of one kind stand
    together as [count, elements a token, window or 0, operations a pair].
    """
    parts = {k: n for k, n in found.parts.items() if not k.startswith("multi-token")}
    rounded = sum(n for k, n in parts.items() if k in MATRICES and k != "experts")
    kept = sum(n for k, n in parts.items() if k not in MATRICES)
    layers = Counter(
        (layer.cache, layer.window or 0, layer.score_flops) for layer in found.cache.layers
    )
    return {
        "rounded": rounded,
        "experts": parts["experts"],
        "active": found.active["experts"],
        "kept": kept,
        "touched": kept - (0 if found.is_tied else parts["embedding"]),
        "read": found.read - rounded - found.active["experts"],
        "head": found.active["head"],
        "layers": [[count, *layer] for layer, count in layers.items()],
        "state": found.cache.state,
    }


def page_data(name: str) -> dict[str, Any]:
    """The data of the component `name`; empty for one that computes everything itself."""
    if name != "roofline":
        return {}
    machines = json.loads(HARDWARE.read_text(encoding="utf-8"))
    return {
        "machines": machines,
        "models": {shown: counts(found) for shown, found in shown_models().items()},
        "storage": {known: asdict(storage(known)) for known in STORED},
        "usable": USABLE,
    }
