"""Does a model fit a card, what is left for its cache, and how fast can it be at best?

Weights and cache come from `halfbits.perf.architecture`, cards from `halfbits.perf.cost`. Times are
those of the roofline: no kernel is faster, and real ones are slower.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from halfbits.perf.architecture.schemes import KEPT, Scheme, scheme
from halfbits.perf.architecture.sizes import Sizes
from halfbits.perf.cost import Machine, Work
from halfbits.perf.storage import storage

USABLE = 0.9  # of a card's memory; the rest is the runtime's: context, workspace, activations
CARDS = (1, 2, 4, 8)
SMALLER = ("int8", "int4", "int4 g32")
CACHES = ("fp8",)
# The type in which a card may multiply both operands when the weights have this format; bf16 for
# others, whose weights become bf16 on the way.
MULTIPLIED = {
    **dict.fromkeys(("fp8", "fp8 tiles", "mxfp8"), "fp8"),
    **{"int8": "int8", "mxfp4": "fp4", "nvfp4": "fp4"},
}


@dataclass(frozen=True)
class Load:
    """What is asked: rows at a time, tokens that each sees, the cache's format."""

    batch: int = 1
    context: int = 8192
    cache: str = "bf16"


@dataclass(frozen=True)
class Fit:
    """One model in one scheme on `count` cards of one kind under one load; bytes and seconds."""

    sizes: Sizes
    weights: Scheme
    card: Machine
    load: Load
    count: int = 1

    @property
    def weight_bytes(self) -> float:
        """Of everything that an engine loads: the model without multi-token prediction."""
        model = {k: n for k, n in self.sizes.parts.items() if not k.startswith("multi-token")}
        return self.weights.nbytes(model)

    @property
    def budget(self) -> float:
        """Bytes of all cards that an engine may fill."""
        return USABLE * self.card.memory * self.count

    @property
    def row_bytes(self) -> float:
        """Cache of one row at this context, every window used."""
        return self._cache(windowed=True)

    @property
    def full_row_bytes(self) -> float:
        """The same in an engine that keeps every layer in full."""
        return self._cache(windowed=False)

    @property
    def needed(self) -> float:
        """Bytes of the weights and of the caches of all rows."""
        return self.weight_bytes + self.load.batch * self.row_bytes

    @property
    def fits(self) -> bool:
        """Whether what is needed is at most the budget."""
        return self.needed <= self.budget

    @property
    def rows(self) -> int:
        """Rows of this context whose caches fit beside the weights."""
        return max(0, int((self.budget - self.weight_bytes) // self.row_bytes))

    @property
    def tokens(self) -> int:
        """Tokens of all rows together that fit, none in a window; 0 where nothing grows."""
        each = self.sizes.cache.per_token * self._cache_bits / 8
        left = self.budget - self.weight_bytes - self.load.batch * self._state_bytes
        return max(0, int(left // each)) if each else 0

    def decode(self) -> Work:
        """One new token for each row: weights that are read, and every row's cache."""
        read = self.weights.nbytes(self.read_counts())
        flops = 2 * self.sizes.read + self.sizes.cache.score_flops(self.load.context)
        return Work(self.load.batch * flops, read + self.load.batch * self.row_bytes)

    def prefill(self) -> Work:
        """One prompt of the whole context, each token looking at itself and those before it."""
        tokens, head = self.load.context, self.sizes.active["head"]
        scores = self.sizes.cache.prompt_flops(tokens)
        flops = 2 * ((self.sizes.read - head) * tokens + head) + scores
        read = self.weights.nbytes({k: n for k, n in self.sizes.parts.items() if k in self.touched})
        return Work(flops, read + self.row_bytes)

    @property
    def touched(self) -> set[str]:
        """Parts that a step of many tokens reads: not an input embedding, which gives rows."""
        skipped = set() if self.sizes.is_tied else {"embedding"}
        return {k for k in self.sizes.parts if not k.startswith("multi-token")} - skipped

    def read_counts(self) -> Mapping[str, float]:
        """Parameters that one step reads: of the experts those that any of the rows visits,
        E (1 - (1 - k / E)^batch) when the router spreads them evenly."""
        counts: dict[str, float] = dict(self.sizes.active)
        experts = self.sizes.parts["experts"]
        if experts:
            share = counts["experts"] / experts
            counts["experts"] = experts * (1 - (1 - share) ** self.load.batch)
        return counts

    @property
    def arithmetic(self) -> str:
        """The fastest type in which this card multiplies such weights."""
        kind = MULTIPLIED.get(self.weights.format, "bf16")
        return max((kind, "bf16"), key=lambda one: self.card.peak.get(one, 0))

    def step_seconds(self) -> float:
        """Least time of a new token for each row."""
        return self._seconds(self.decode(), self.load.batch * self._rounded_weights())

    def tokens_a_second(self) -> float:
        """Of all rows together at most: batch / max(bytes / bandwidth, operations / peak)."""
        return self.load.batch / self.step_seconds()

    def first_token_seconds(self) -> float:
        """Least time to read one prompt of the whole context."""
        return self._seconds(self.prefill(), self.load.context * self._rounded_weights())

    def _rounded_weights(self) -> float:
        """Weights of fewer than 16 bits that one token multiplies with, the head left out."""
        bits = self.weights.bits
        active = self.sizes.active.items()
        return sum(n for part, n in active if bits[part] < KEPT and part != "head")

    def _seconds(self, work: Work, rounded: float) -> float:
        """max(bytes / bandwidth, operations / peak), with `rounded` products in `arithmetic`."""
        fast = min(2 * rounded, work.flops)
        compute = fast / self.card.peak[self.arithmetic]
        compute += (work.flops - fast) / self.card.peak["bf16"]
        return max(work.nbytes / self.card.bandwidth, compute) / self.count

    def _cache(self, windowed: bool) -> float:
        elements = self.sizes.cache.elements(self.load.context, windowed) - self.sizes.cache.state
        return elements * self._cache_bits / 8 + self._state_bytes

    @property
    def _cache_bits(self) -> float:
        return storage(self.load.cache).bits

    @property
    def _state_bytes(self) -> float:
        return 4 * self.sizes.cache.state  # engines keep it in float32

    def what_fails(self) -> str:
        """The first thing that does not fit; empty when everything does."""
        if self.weight_bytes > self.budget:
            return "the weights"
        if self.rows < 1:
            return "the cache of one row"
        return "" if self.fits else f"the cache of {self.load.batch} rows: {self.rows} fit"

    def choices(self) -> Iterator[Fit]:
        """What would fit, the smallest change first: fewer rows, a smaller cache, smaller weights,
        both, more cards, and those with smaller weights. A cache is made smaller only where the
        same weights on the same cards do not fit otherwise."""
        if 0 < self.rows < self.load.batch:
            yield replace(self, load=replace(self.load, batch=self.rows))
        names = [name for name in SMALLER if self._with(name).weight_bytes < self.weight_bytes]
        caches = [name for name in CACHES if name != self.load.cache]
        for count in (count for count in CARDS if count >= self.count):
            for weights in (None, *names):
                tried = (self._with(weights, cache, count) for cache in (None, *caches))
                made = next((one for one in tried if one.fits and one != self), None)
                if made is not None:
                    yield made

    def _with(self, weights: str | None, cache: str | None = None, count: int = 0) -> Fit:
        return Fit(
            self.sizes,
            scheme(weights) if weights else self.weights,
            self.card,
            replace(self.load, cache=cache or self.load.cache),
            count or self.count,
        )
