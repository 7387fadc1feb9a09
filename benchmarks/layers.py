"""Time of one transformer layer, decoding and reading a prompt, by how its weights are kept.

The layer is a Llama's: norm, q k v in one matrix, rotation, attention with grouped heads over a
KV cache, output matrix, norm, gate and up in one matrix, down. It runs eagerly, replayed as one
CUDA graph, so that no launch from Python is timed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from benchmarks.gpu_matmul import ROTATED_BYTES, off, sampled, spread
from benchmarks.implementations import Implementation, stored_bytes
from benchmarks.products import drawn, floor_of
from halfbits.kernels.cache import quantize_cache, reference
from halfbits.perf.cost import Decoder
from halfbits.perf.predict import MODELS

LAYER_IMPLEMENTATIONS = (
    *("bf16", "fp8", "int8, ours", "int4 g128, ours"),
    *("int8, converted in each call", "int4 g128, converted in each call"),
    "int4 g128, torch _weight_int4pack_mm",
)
BATCHES = (1, 4, 16, 32, 64, 256)
CONTEXTS = (128, 512, 2048, 8192)
PROMPTS = (128, 512, 2048, 8192)


def matrices(model: Decoder) -> dict[str, tuple[int, int]]:
    """(inputs, outputs) of the four products of a layer."""
    heads = model.heads * model.head_dim
    return {
        "qkv": (model.hidden, heads + 2 * model.kv_heads * model.head_dim),
        "out": (heads, model.hidden),
        "gate and up": (model.hidden, 2 * model.inner),
        "down": (model.inner, model.hidden),
    }


class Layer:
    """One layer whose four matrices are those of one implementation; no gradients."""

    def __init__(
        self, model: Decoder, implementation: Implementation, device: torch.device, name: str
    ) -> None:
        self.model, self.implementation, self.nbytes = model, implementation, 0
        self.stored = {}
        for part, shape in matrices(model).items():
            w = drawn(*shape, device)
            self.stored[part] = implementation.store(w)
            self.nbytes += stored_bytes(implementation, self.stored[part], w, name)
        self.norm = torch.ones(model.hidden, device=device, dtype=torch.bfloat16)

    def multiply(self, part: str, x: Tensor) -> Tensor:
        return self.implementation.call(self.implementation.take(x), self.stored[part])[
            : len(x)
        ].bfloat16()

    def __call__(
        self, x: Tensor, turn: Tensor, attend: Callable[[Tensor, Tensor, Tensor], Tensor]
    ) -> Tensor:
        """x [rows, hidden], turn complex [rows, 1, head_dim / 2]; `attend` takes q, k and v."""
        model = self.model
        h = F.rms_norm(x, x.shape[-1:], self.norm)
        sizes = [model.heads, model.kv_heads, model.kv_heads]
        q, k, v = self.multiply("qkv", h).view(len(x), -1, model.head_dim).split(sizes, 1)
        attended = attend(rotated(q, turn), rotated(k, turn), v)
        x = x + self.multiply("out", attended.reshape(len(x), -1))
        h = F.rms_norm(x, x.shape[-1:], self.norm)
        gate, up = self.multiply("gate and up", h).chunk(2, -1)
        return x + self.multiply("down", F.silu(gate) * up)


def rotated(heads: Tensor, turn: Tensor) -> Tensor:
    """Rotary position: neighbors as complex numbers, times `turn`."""
    pairs = torch.view_as_complex(heads.float().unflatten(-1, (-1, 2)))
    return torch.view_as_real(pairs * turn).flatten(-2).to(heads.dtype)


def with_cache(keys: Tensor, values: Tensor) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
    """Attention of one new token a row over a cache [batch, kv_heads, context, head_dim]."""

    def attend(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        keys[:, :, -1], values[:, :, -1] = k, v
        # The query heads that share a key stand as rows of one product.
        grouped = q.view(len(q), keys.shape[1], -1, q.shape[-1])
        return F.scaled_dot_product_attention(grouped, keys, values)

    return attend


def causal(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Attention of a prompt [tokens, heads, head_dim] on itself."""
    q, k, v = (part.transpose(0, 1)[None] for part in (q, k, v))
    done = F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)
    return done[0].transpose(0, 1)


def turns(rows: int, model: Decoder, device: torch.device) -> Tensor:
    angle = torch.rand(rows, 1, model.head_dim // 2, device=device)
    return torch.polar(torch.ones_like(angle), angle)


class Cache:
    """Memory for the largest cache, and views of its beginning for the smaller ones."""

    def __init__(self, model: Decoder, device: torch.device, most: int) -> None:
        self.width = model.kv_heads, model.head_dim
        count = most * model.kv_heads * model.head_dim
        self.memory = torch.randn(2, count, device=device, dtype=torch.bfloat16)

    def views(self, batch: int, context: int) -> tuple[Tensor, Tensor]:
        heads, size = self.width
        used = self.memory[:, : batch * context * heads * size]
        keys, values = used.view(2, batch, heads, context, size)
        return keys, values


def timed(calls: Sequence[Callable[..., object]], device: torch.device) -> dict[str, Any]:
    """Spread of the seconds of a call, and the most memory that one takes beyond what is held."""
    extra = 0
    if device.type == "cuda":
        held = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        calls[0]()
        extra = torch.cuda.max_memory_allocated() - held
    return {"seconds": spread(sampled(calls, device)), "extra_bytes": extra}


def decode_rows(layers: list[Layer], cache: Cache, sizes: Iterable[tuple[int, int]],
                device: torch.device) -> Iterator[dict[str, Any]]:  # fmt: skip
    """A row for each (batch, context): one new token for each row of the batch."""
    model = layers[0].model
    for batch, context in sizes:
        x = torch.randn(batch, model.hidden, device=device, dtype=torch.bfloat16)
        attend, turn = with_cache(*cache.views(batch, context)), turns(batch, model, device)
        calls = [lambda layer=la, x=x, t=turn, a=attend: layer(x, t, a) for la in layers]
        yield {"stage": "decode", "batch": batch, "context": context, **timed(calls, device)}


def prefill_rows(
    layers: list[Layer], prompts: Iterable[int], device: torch.device
) -> Iterator[dict[str, Any]]:
    """A row for each length of a prompt, read at once."""
    model = layers[0].model
    for tokens in prompts:
        x = torch.randn(tokens, model.hidden, device=device, dtype=torch.bfloat16)
        turn = turns(tokens, model, device)
        calls = [lambda layer=la, x=x, t=turn: layer(x, t, causal) for la in layers]
        yield {"stage": "prefill", "batch": 1, "context": tokens, **timed(calls, device)}


def record(
    implementations: dict[str, Implementation],
    device: torch.device,
    failed: dict[str, str],
    shrink: int = 1,
) -> list[dict[str, Any]]:
    """The rows of both models; `shrink` divides the sizes, for a trial."""
    found: list[dict[str, Any]] = []
    contexts = [size // shrink for size in CONTEXTS]
    for title, full in MODELS.items():
        heads = max(full.kv_heads, full.heads // shrink)
        width, inner = full.hidden // shrink, full.inner // shrink
        model = Decoder(1, width, inner, heads, full.kv_heads, width // heads, full.vocab)
        cache = Cache(model, device, max(BATCHES) * max(contexts) // shrink)
        for name in LAYER_IMPLEMENTATIONS:
            try:
                for row in of_implementation(
                    name, implementations[name], model, cache, contexts, device, shrink
                ):
                    found.append({"model": title, "way": name, **row})
                    print(json.dumps(found[-1]), flush=True)
            except Exception as error:  # compilers and libraries raise errors of their own
                lines = str(error).strip().splitlines() or [type(error).__name__]
                failed.setdefault(f"layer, {name}", lines[0][:200])
                print("failed:", title, name, lines[0][:200], flush=True)
        del cache
    return found


def of_implementation(
    name: str, made: Implementation, model: Decoder, cache: Cache, contexts: list[int],
    device: torch.device, shrink: int,
) -> Iterator[dict[str, Any]]:  # fmt: skip
    """Decode and prefill of one implementation; enough copies of the layer that no cache helps."""
    first = Layer(model, made, device, name)
    more = range(-(-ROTATED_BYTES // shrink // first.nbytes) - 1)
    layers = [first, *(Layer(model, made, device, name) for _ in more)]
    sizes = [
        (batch, context) for batch in BATCHES if batch <= made.most for context in contexts
        if batch // shrink > 0
    ]  # fmt: skip
    for row in decode_rows(layers, cache, [(b // shrink, c) for b, c in sizes], device):
        yield {"weight_bytes": first.nbytes, **row}
    if made.most > max(BATCHES):
        for row in prefill_rows(layers, [p // shrink for p in PROMPTS], device):
            yield {"weight_bytes": first.nbytes, **row}


KV_FORMATS: dict[str, torch.dtype] = {
    "bf16": torch.bfloat16,
    "fp8, converted in each call": torch.float8_e4m3fn,
    "int8, converted in each call": torch.int8,
}


KV_OURS = {"int8, ours": "int8", "fp8, ours": "fp8", "int4, ours": "int4"}
KV_SIZES = ((1, 8192), (16, 2048), (16, 8192), (64, 8192))  # (batch, context)


def kv_rows(device: torch.device, shrink: int = 1) -> Iterator[dict[str, Any]]:
    """Attention alone of the 8B layer over caches of several formats, one new token a row."""
    model = MODELS["8B"]
    sizes = [(max(1, batch // shrink), context // shrink) for batch, context in KV_SIZES]
    for name in (*KV_FORMATS, *KV_OURS):
        for batch, context in sizes:
            shape = (2, batch, model.kv_heads, context, model.head_dim)
            q = torch.randn(batch, model.kv_heads, 4, model.head_dim, device=device).bfloat16()
            numbers = torch.randn(shape, device=device, dtype=torch.bfloat16)
            row = {"cache": name, "batch": batch, "context": context}
            make = read_directly if name in KV_OURS else converted_first
            yield {**row, **make(name, q, numbers, shrink)}


def converted_first(name: str, q: Tensor, numbers: Tensor, shrink: int) -> dict[str, Any]:
    """A cache that the library's attention reads in bfloat16."""
    kept = (20 * numbers).to(KV_FORMATS[name])
    copies = max(1, -(-ROTATED_BYTES // shrink // kept.nbytes))
    sets = [kept, *(kept.clone() for _ in range(copies - 1))]
    calls = [lambda s=s, q=q: attended(q, s) for s in sets]
    row = {"cache_bytes": kept.nbytes, **floor_of(kept.nbytes, q.device)}
    return {**row, **timed(calls, q.device)}


def read_directly(name: str, q: Tensor, numbers: Tensor, shrink: int) -> dict[str, Any]:
    """A cache that the course's kernel reads as it is stored; the error is of the first row."""
    from halfbits.kernels.decode_attention import attend

    kept = quantize_cache(numbers[0], numbers[1], KV_OURS[name])
    copies = max(1, -(-ROTATED_BYTES // shrink // kept.nbytes))
    sets = [kept, *(kept.row(slice(None)) for _ in range(copies - 1))]
    calls = [lambda s=s, q=q: attend(q, s) for s in sets]
    row = {"cache_bytes": kept.nbytes, **floor_of(kept.nbytes, q.device), **timed(calls, q.device)}
    first = kept.row(slice(0, 1))
    want = reference(q[:1], first)
    return row | {"error": round(off(attend(q, kept)[:1], want), 5)}


def attended(q: Tensor, kept: Tensor) -> Tensor:
    keys, values = kept.bfloat16() if kept.dtype != torch.bfloat16 else kept
    return F.scaled_dot_product_attention(q, keys, values)
