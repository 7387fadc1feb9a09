"""A model on one card: the least time of a step, and the blocks of cache beside the weights."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from halfbits.perf.cost import Decoder, Machine, Work
from halfbits.perf.fit import MULTIPLIED, USABLE
from halfbits.serving.step import Step


@dataclass(frozen=True)
class Replica:
    """A decoder whose layers are stored as `weights` and whose keys and values as `cache`.

    Times are the roofline's of `halfbits.perf.cost`, times `slower`: bounds, not measurements,
    when that is 1. `fixed` seconds are added to each step, for what neither roof explains.
    """

    sizes: Decoder
    card: Machine
    weights: str = "bf16"
    cache: str = "bf16"
    slower: float = 1.0
    fixed: float = 0.0

    def seconds(self, step: Step) -> float:
        """slower * max(bytes / bandwidth, operations / peak) + fixed.

        The layers multiply in the type that such weights allow on this card, head and attention
        in bf16.
        """
        work, matrices = self.work(step), 2 * step.tokens * self._products[0]
        compute = matrices / self.peak + (work.flops - matrices) / self.card.peak["bf16"]
        return self.slower * max(work.nbytes / self.card.bandwidth, compute) + self.fixed

    def work(self, step: Step) -> Work:
        """Operations, and bytes: the weights once for all rows, each row's cache for itself."""
        token, answer, pair = self._products
        products = step.tokens * token + step.answers * answer + step.pairs * pair
        read, each = self._bytes
        return Work(2 * products, read + step.context * each)

    @cached_property
    def _products(self) -> tuple[int, int, int]:
        """Products for a token in the layers, for an answer in the head, for a pair."""
        sizes = self.sizes
        pair = 2 * sizes.layers * sizes.heads * sizes.head_dim
        return sizes.block_weights, sizes.head_weights, pair

    @cached_property
    def _bytes(self) -> tuple[float, float]:
        """Bytes of the weights that a step reads, and of a token's keys and values."""
        return self.sizes.stored(self.weights).read, self.sizes.kv_bytes(self.cache)

    @property
    def peak(self) -> float:
        """Operations a second of the layers' products."""
        kind = MULTIPLIED.get(self.weights, "bf16")
        return max(self.card.peak["bf16"], self.card.peak.get(kind, 0))

    def blocks(self, block_size: int = 16) -> int:
        """Blocks of `block_size` tokens that fit beside the weights, the runtime's share taken
        off; 0 where the weights alone do not fit."""
        room = USABLE * self.card.memory - self.sizes.stored(self.weights).total
        return max(0, int(room // (block_size * self.sizes.kv_bytes(self.cache))))
