"""A model's parameters by part, all and active, and what its cache holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from halfbits.perf.architecture.families import Family, family_of
from halfbits.perf.architecture.feed_forward import FeedForward
from halfbits.perf.architecture.fields import ConfigError, Fields
from halfbits.perf.architecture.layers import MULTI_TOKEN, further_layers_of, layers_of
from halfbits.perf.architecture.mixers import Mixer

PARTS = (
    *("embedding", "attention", "state space", "dense", "experts", "shared experts"),
    *("router", "norms and biases", "head", "multi-token layers", "multi-token ends"),
)
MATRICES = (
    *("attention", "state space", "dense", "experts", "shared experts", "multi-token layers"),
)


@dataclass(frozen=True)
class Cache:
    """What one row keeps: `layers` are the mixers with a cache that grows, `state` the elements
    of those whose memory does not."""

    layers: Sequence[Mixer]
    state: int = 0

    def elements(self, tokens: int, windowed: bool = True) -> int:
        """Of `tokens` tokens: sum over layers of elements * min(tokens, window), plus the state.

        `windowed=False` is what an engine keeps that allocates every layer in full.
        """
        kept = (layer.cache * _seen(layer, tokens, windowed) for layer in self.layers)
        return sum(kept) + self.state

    def score_flops(self, tokens: int) -> int:
        """Operations of one new token with the `tokens` it sees, in all layers."""
        return sum(layer.score_flops * _seen(layer, tokens) for layer in self.layers)

    def prompt_flops(self, tokens: int) -> int:
        """The same of a whole prompt: each token sees itself and those before it."""
        return sum(layer.score_flops * _seen_by_all(layer, tokens) for layer in self.layers)

    @property
    def per_token(self) -> int:
        """Elements that one more token adds when the context is longer than every window."""
        return sum(layer.cache for layer in self.layers if layer.window is None)

    @property
    def is_windowed(self) -> bool:
        """Whether a layer forgets tokens before its window."""
        return any(layer.window is not None for layer in self.layers)


def _seen(layer: Mixer, tokens: int, windowed: bool = True) -> int:
    return min(tokens, layer.window) if windowed and layer.window else tokens


def _seen_by_all(layer: Mixer, tokens: int) -> int:
    """1 + 2 + ... up to the window, and the window for each token beyond."""
    grows = min(tokens, layer.window or tokens)
    return grows * (grows + 1) // 2 + (tokens - grows) * grows


@dataclass(frozen=True)
class Sizes:
    """Parameters of each part of PARTS; `active` those that one token reads; and the cache.

    `stored` counts the checkpoint: a head that is tied is counted once, and what multi-token
    prediction adds is counted with its own copies of embedding and head.
    """

    kind: str
    layers: int
    parts: Mapping[str, int]
    active: Mapping[str, int]
    cache: Cache
    is_tied: bool
    notes: Sequence[str] = field(default_factory=tuple)

    @property
    def total(self) -> int:
        """Parameters of the model itself, without multi-token prediction."""
        further = self.parts["multi-token layers"] + self.parts["multi-token ends"]
        return self.stored - further

    @property
    def stored(self) -> int:
        """Parameters of the checkpoint."""
        return sum(self.parts.values())

    @property
    def read(self) -> int:
        """Parameters that a token reads: the active ones, the head, no input embedding."""
        return sum(self.active.values())

    @property
    def has_experts(self) -> bool:
        """Whether the model is a mixture of experts."""
        return bool(self.parts["experts"])


def sizes(config: Mapping[str, Any]) -> Sizes:
    """Count a model from its config. Raises ConfigError for what the config does not say."""
    f = Fields(config)
    family = family_of(f)
    parts, active = Counter[str](dict.fromkeys(PARTS, 0)), Counter[str](dict.fromkeys(PARTS, 0))
    caches, state = [], 0
    for mixer, feed_forward in layers_of(f, family):
        halves = _counted(f, family, mixer, feed_forward)
        parts.update(halves[0])
        active.update(halves[1])
        if mixer is not None:
            state += mixer.state
            caches += [mixer] if mixer.cache else []
    is_tied = f.flag("tie_word_embeddings", family.tied)
    _add_ends(f, family, parts, active, is_tied)
    parts.update(_multi_token(f, family))
    if unread := f.unread():
        raise ConfigError(
            f"the config has {', '.join(unread)}, which the formula for {f.kind} does not read: "
            "its count would be wrong."
        )
    cache = Cache(tuple(caches), state)
    notes = tuple(_not_counted(f, family))
    return Sizes(f.kind, f.layers, dict(parts), dict(active), cache, is_tied, notes)


def _counted(
    f: Fields, family: Family, mixer: Mixer | None, forward: FeedForward | None
) -> tuple[Counter[str], Counter[str]]:
    """Parameters of one layer by part: all, and those that a token reads."""
    norm = f.hidden * (1 + family.norm_bias)
    norms = norm * (family.norms if mixer and forward else 1)
    parts = Counter({"norms and biases": norms})
    if mixer is not None:
        parts["state space" if mixer.state else "attention"] += mixer.matrices
        parts["norms and biases"] += mixer.others
    active = Counter(parts)
    if forward is not None:
        both = {"dense": forward.dense, "shared experts": forward.shared, "router": forward.router}
        router_bias = 0
        if forward.router and "router_bias" in family.traits:
            router_bias = forward.router // f.hidden
        for counter in (parts, active):
            counter.update(both)
            counter["norms and biases"] += router_bias
        parts["experts"] += forward.experts
        active["experts"] += forward.active
        parts["norms and biases"] += forward.others
        active["norms and biases"] += forward.active_others
    return parts, active


def _add_ends(
    f: Fields, family: Family, parts: Counter[str], active: Counter[str], is_tied: bool
) -> None:
    table = f.vocab * f.hidden
    parts["embedding"], parts["head"] = table, 0 if is_tied else table
    active["head"] = table
    for counter in (parts, active):
        counter["norms and biases"] += f.hidden * (1 + family.norm_bias)


def _multi_token(f: Fields, family: Family) -> Counter[str]:
    """Layers that predict further tokens; for each of them a projection [hidden, 2 hidden], three
    norms, and in some families copies of embedding and head (DeepSeek-V3, section 2.2)."""
    layers = list(further_layers_of(f, family))
    if not layers:
        return Counter()
    counted = sum((_counted(f, family, *halves)[0] for halves in layers), Counter[str]())
    matrices = sum(counted[part] for part in MATRICES)
    has_ends = f.flag("mtp_use_dedicated_embeddings", "multi_token_ends" in family.traits)
    ends = 2 * f.hidden**2 + 3 * f.hidden + 2 * f.vocab * f.hidden * has_ends
    rest = sum(counted.values()) - matrices + f.number(*MULTI_TOKEN) * ends
    return Counter({"multi-token layers": matrices, "multi-token ends": rest})


def _not_counted(f: Fields, family: Family) -> Iterator[str]:
    """What a checkpoint of this config may hold besides."""
    if f.get("vision_config"):
        yield "the vision part is not counted"
    if f.get(*MULTI_TOKEN, "num_mtp_modules") and not any(further_layers_of(f, family)):
        yield "layers for multi-token prediction are not counted"
