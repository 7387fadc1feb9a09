"""What inference costs before anything runs: bytes, operations, and the least time for both.

Units are bytes, floating-point operations (a product and a sum are two) and seconds. A format is
named as in `BITS`; weights, KV cache and arithmetic may have different ones.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HARDWARE = Path(__file__).with_name("hardware.json")
BITS = {
    **{"fp64": 64, "fp32": 32, "tf32": 32, "fp16": 16, "bf16": 16},
    **{"fp8": 8, "int8": 8, "int4": 4, "fp4": 4},
}


@dataclass(frozen=True)
class Work:
    """Operations to do and bytes to move; a sum of works does one after the other."""

    flops: float
    nbytes: float

    def __add__(self, other: Work) -> Work:
        return Work(self.flops + other.flops, self.nbytes + other.nbytes)

    @property
    def intensity(self) -> float:
        """Operations for each byte that is moved."""
        return self.flops / self.nbytes


@dataclass(frozen=True)
class Machine:
    """Two roofs: bytes a second from memory, and operations a second in each format.

    `memory` is the capacity in bytes, `source` a key of book/references.bib; both may be unknown.
    """

    name: str
    bandwidth: float
    peak: Mapping[str, float]
    memory: float = float("nan")
    source: str = ""

    def ridge(self, arithmetic: str) -> float:
        """Intensity at which both roofs meet: peak / bandwidth, in operations a byte."""
        return self._peak(arithmetic) / self.bandwidth

    def seconds(self, work: Work, arithmetic: str) -> float:
        """The roofline's least time: max(operations / peak, bytes / bandwidth)."""
        return max(work.flops / self._peak(arithmetic), work.nbytes / self.bandwidth)

    def is_memory_bound(self, work: Work, arithmetic: str) -> bool:
        return work.intensity < self.ridge(arithmetic)

    def crossover_batch(self, arithmetic: str, weights: str) -> float:
        """Rows at which a layer's arithmetic takes as long as reading its weights:
        ridge * bytes a weight / 2."""
        return self.ridge(arithmetic) * BITS[weights] / 16

    def _peak(self, arithmetic: str) -> float:
        if arithmetic not in self.peak:
            raise ValueError(f"{self.name} has no {arithmetic}; it has {', '.join(self.peak)}")
        return self.peak[arithmetic]


def hardware(path: Path = HARDWARE) -> dict[str, Machine]:
    """Published limits, by name: dense peaks (no sparsity) and memory bandwidth."""
    table = json.loads(path.read_text(encoding="utf-8"))
    return {name: Machine(name, **row) for name, row in table.items()}


def weight_bytes(
    parameters: float, bits: float, group: int | None = None, extra: int = 16
) -> float:
    """Bytes of `parameters` codes; each `group` of them carries `extra` bits of scale and zero."""
    return parameters * (bits + (extra / group if group else 0)) / 8


def linear(batch: int, inputs: int, outputs: int, weights: str, rows: str = "bf16") -> Work:
    """y [batch, outputs] = x [batch, inputs] W^T; every operand moves once, x and y as `rows`."""
    moved = inputs * outputs * BITS[weights] + batch * (inputs + outputs) * BITS[rows]
    return Work(2 * batch * inputs * outputs, moved / 8)


@dataclass(frozen=True)
class Decoder:
    """The sizes of a Llama-like decoder that decide its cost."""

    layers: int
    hidden: int
    inner: int
    heads: int
    kv_heads: int
    head_dim: int
    vocab: int

    @classmethod
    def of(cls, config: Any) -> Decoder:
        """From a config with the field names of a Hugging Face checkpoint, such as LlamaConfig."""
        return cls(
            config.num_hidden_layers, config.hidden_size, config.intermediate_size,
            config.num_attention_heads, config.num_key_value_heads, config.head_dim,
            config.vocab_size,
        )  # fmt: skip

    @property
    def block_weights(self) -> int:
        """Weights of the matrices of all layers; norms are left out."""
        attention = 2 * self.hidden * self.head_dim * (self.heads + self.kv_heads)
        return self.layers * (attention + 3 * self.hidden * self.inner)

    @property
    def head_weights(self) -> int:
        """Weights of the output head; an input embedding only looks rows up."""
        return self.hidden * self.vocab

    @property
    def weights(self) -> int:
        """Weights that one decode step reads."""
        return self.block_weights + self.head_weights

    def kv_bytes(self, cache: str) -> float:
        """Bytes that one token keeps in the KV cache: 2 * layers * kv_heads * head_dim * width."""
        return 2 * self.layers * self.kv_heads * self.head_dim * BITS[cache] / 8

    def decode(self, batch: int, context: int, weights: str, cache: str = "bf16") -> Work:
        """One new token for each of `batch` rows, each looking at `context` tokens with itself.

        Weights move once for the whole batch, each row's cache for that row; activations of one
        token are small and left out.
        """
        attention = 4 * self.layers * self.heads * self.head_dim * context
        moved = self.weights * BITS[weights] / 8 + batch * context * self.kv_bytes(cache)
        return Work(batch * (2 * self.weights + attention), moved)

    def prefill(self, batch: int, tokens: int, weights: str, cache: str = "bf16") -> Work:
        """Reading prompts of `tokens` at once, the head for the last token alone.

        Attention is counted as kernels without a causal shortcut do it; activations are left out.
        """
        attention = 4 * self.layers * self.heads * self.head_dim * tokens * tokens
        matrices = 2 * (tokens * self.block_weights + self.head_weights)
        moved = self.weights * BITS[weights] / 8 + batch * tokens * self.kv_bytes(cache)
        return Work(batch * (matrices + attention), moved)


def llama_3(billions: int) -> Decoder:
    """The published sizes of Llama 3 with 8 or 70 billion parameters; others raise KeyError."""
    return {
        8: Decoder(32, 4096, 14336, 32, 8, 128, 128_256),
        70: Decoder(80, 8192, 28672, 64, 8, 128, 128_256),
    }[billions]


def amdahl(share: float, speedup: float) -> float:
    """Speed-up of the whole when a `share` of the time becomes `speedup` times faster."""
    return 1 / (1 - share + share / speedup)
