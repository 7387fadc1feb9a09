"""What inference costs before anything runs: bytes, operations, and the least time for both.

Units are bytes, floating-point operations (a product and a sum are two) and seconds. A format is
named as in `halfbits.perf.storage`; weights, KV cache and arithmetic may have different ones.
Bytes are counted whole: codes, scales, zero points, and what stays in 16 bits.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from halfbits.perf.architecture import published
from halfbits.perf.architecture.fields import ConfigError, Fields
from halfbits.perf.storage import BITS, Parts, storage

HARDWARE = Path(__file__).with_name("hardware.json")
# Fields of models that keep or hold more than a Llama-like decoder of the same sizes.
EXPERTS = ("num_local_experts", "num_experts", "n_routed_experts")
MIXED = ("layers_block_type", "hybrid_override_pattern", "attn_layer_period")
RECURRENT = ("linear_num_key_heads", "mamba_d_state", "ssm_state_size")
OTHER_KINDS = {
    "kv_lora_rank": "latent attention",
    **dict.fromkeys(EXPERTS, "experts"),
    **dict.fromkeys((*MIXED, *RECURRENT), "layers of several kinds"),
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
    `memory_source` says who read the memory from the driver: a key of the bibliography, or a value
    of a record. Empty, the memory is what the vendor states, and the driver's figure was not read.
    """

    name: str
    bandwidth: float
    peak: Mapping[str, float]
    memory: float = float("nan")
    source: str = ""
    memory_source: str = ""

    def ridge(self, arithmetic: str) -> float:
        """Intensity at which both roofs meet: peak / bandwidth, in operations a byte."""
        return self._peak(arithmetic) / self.bandwidth

    def seconds(self, work: Work, arithmetic: str) -> float:
        """The roofline's least time: max(operations / peak, bytes / bandwidth)."""
        return max(work.flops / self._peak(arithmetic), work.nbytes / self.bandwidth)

    def is_memory_bound(self, work: Work, arithmetic: str) -> bool:
        """Whether reading and writing bytes takes longer than the operations."""
        return work.intensity < self.ridge(arithmetic)

    def crossover_batch(self, arithmetic: str, weights: str) -> float:
        """Rows at which a layer's arithmetic takes as long as reading its weights:
        ridge * bytes a weight / 2, group scales included."""
        return self.ridge(arithmetic) * storage(weights).bits / 16

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
    moved = batch * (inputs + outputs) * BITS[rows] / 8
    return Work(2 * batch * inputs * outputs, storage(weights).nbytes(inputs, outputs) + moved)


@dataclass(frozen=True)
class Decoder:
    """The sizes of a Llama-like decoder that decide its cost.

    `tied`: the output head is the input embedding, stored once.
    """

    layers: int
    hidden: int
    inner: int
    heads: int
    kv_heads: int
    head_dim: int
    vocab: int
    tied: bool = False

    @classmethod
    def of(cls, config: Any) -> Decoder:
        """From a mapping or an object with the field names of a Hugging Face config.

        Absent and null fields, nested `text_config` and other names are read as
        `halfbits.perf.architecture` reads them. Without a word on tying, head and embedding are
        one, as in Transformers' own default. A window is not used: the cache is that of an engine
        that keeps all layers in full. Raises ConfigError for what is missing, and for models that
        no Llama-like decoder describes: latent attention, experts, layers of several kinds.
        """
        f = Fields(_as_mapping(config))
        for name, what in OTHER_KINDS.items():
            if f.get(name):
                raise ConfigError(
                    f"the config has {name}: {what}, which a Decoder does not have; "
                    "halfbits.perf.architecture.sizes counts such a model."
                )
        return cls(
            f.layers, f.hidden, f.number("intermediate_size", "n_inner", "ffn_dim"), f.heads,
            f.kv_heads, f.head_dim, f.vocab, f.flag("tie_word_embeddings", True),
        )  # fmt: skip

    @property
    def matrices(self) -> tuple[tuple[int, int], ...]:
        """(inputs, outputs) of a layer's four products: q k v, out, gate and up, down."""
        heads = self.heads * self.head_dim
        return (
            (self.hidden, heads + 2 * self.kv_heads * self.head_dim),
            (heads, self.hidden),
            (self.hidden, 2 * self.inner),
            (self.inner, self.hidden),
        )

    @property
    def block_weights(self) -> int:
        """Weights of the matrices of all layers; norms are left out."""
        return self.layers * sum(inputs * outputs for inputs, outputs in self.matrices)

    @property
    def norm_weights(self) -> int:
        """Weights of two norms a layer and one at the end."""
        return (2 * self.layers + 1) * self.hidden

    @property
    def head_weights(self) -> int:
        """Weights of the output head; an input embedding only looks rows up."""
        return self.hidden * self.vocab

    @property
    def weights(self) -> int:
        """Weights that one decode step multiplies with."""
        return self.block_weights + self.head_weights

    @property
    def parameters(self) -> int:
        """All parameters, with the input embedding and the norms."""
        return self.weights + self.norm_weights + (0 if self.tied else self.head_weights)

    def stored(self, weights: str, ends: str = "") -> Parts:
        """Bytes of the checkpoint whose layers are stored as `weights`, embedding and head as
        `ends`: "bf16" unless said otherwise, or as the layers where those have 16 bits and more.

        Norms stay in 16 bits, or in 32 with fp32 weights. "everything rounded" is `ends=weights`.
        """
        wide = weights if storage(weights).bits >= 16 else "bf16"
        layer = [storage(weights).parts(*matrix) for matrix in self.matrices]
        codes, scales, zeros = (self.layers * sum(part) for part in zip(*layer, strict=True))
        head = storage(ends or wide).nbytes(self.hidden, self.vocab)
        norms = self.norm_weights * storage(wide).bits / 8
        return Parts(codes, scales, zeros, norms, 0 if self.tied else head, head)

    def kv_bytes(self, cache: str) -> float:
        """Bytes that one token keeps in the KV cache: 2 * layers * kv_heads * head_dim * width.

        fp8 and int8 have one scale for a whole tensor here.
        """
        return 2 * self.layers * self.kv_heads * self.head_dim * storage(cache).bits / 8

    def decode(
        self, batch: int, context: int, weights: str, cache: str = "bf16", ends: str = ""
    ) -> Work:
        """One new token for each of `batch` rows, each looking at `context` tokens with itself.

        Weights move once for the whole batch, each row's cache for that row; activations of one
        token are small and left out, and so is the one row of an input embedding. `ends` as in
        `stored`.
        """
        attention = 4 * self.layers * self.heads * self.head_dim * context
        moved = self.stored(weights, ends).read + batch * context * self.kv_bytes(cache)
        return Work(batch * (2 * self.weights + attention), moved)

    def prefill(
        self, batch: int, tokens: int, weights: str, cache: str = "bf16", ends: str = ""
    ) -> Work:
        """Reading prompts of `tokens` at once, the head for the last token alone.

        Each token looks at itself and those before it, tokens * (tokens + 1) / 2 pairs; a kernel
        without the causal shortcut does nearly twice as many. Activations are left out.
        """
        attention = 2 * self.layers * self.heads * self.head_dim * tokens * (tokens + 1)
        matrices = 2 * (tokens * self.block_weights + self.head_weights)
        moved = self.stored(weights, ends).read + batch * tokens * self.kv_bytes(cache)
        return Work(batch * (matrices + attention), moved)


def _as_mapping(config: Any) -> Mapping[str, Any]:
    """The fields of a config, which may be a mapping, a Transformers config or any object."""
    if isinstance(config, Mapping):
        return config
    fields = config.to_dict() if hasattr(config, "to_dict") else vars(config)
    return {k: vars(v) if hasattr(v, "__dict__") else v for k, v in fields.items()}


def llama_3(billions: int) -> Decoder:
    """The sizes of Llama 3, and of 3.1, with 8, 70 or 405 billion parameters.

    Raises ConfigError for another number.
    """
    return Decoder.of(published.model(f"Llama-3.1-{billions}B").config)


def amdahl(share: float, speedup: float) -> float:
    """Speed-up of the whole when a `share` of the time becomes `speedup` times faster."""
    return 1 / (1 - share + share / speedup)
