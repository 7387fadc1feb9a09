"""Quantized keys and values (KIVI, Liu et al., 2024), causal as in an engine.

A value x of a group is stored as code = round((x - low) / scale) in [0, 2^b - 1] with float16
low = min and scale = (max - min) / (2^b - 1). The group lies along one of two axes:

    "token"      neighbors are the channels of one token's head: its codes exist once it is there
    "channel"    neighbors are `group` tokens of one channel: keys have channels that are large, or
                 far from zero, for all tokens, and such a channel has a range of its own

Values of one token are averaged by attention's weights: an error stays that of its token, so
values are cut per token. Tokens are kept in 16 bits until a whole group of them has passed (KIVI's
residual), `recent` more if wanted, and the `first` ones for good: attention leans on them (Xiao et
al., StreamingLLM, 2024). What a chunk of new tokens reads was quantized before the chunk came, so a
model fed `group` tokens at a time computes what it would token by token.

Two variants take the keys elsewhere, at the same bytes: `before_rope` undoes the rotary angles,
which mix a channel with its partner, and applies them again on every read (KVQuant, Hooper et al.,
2024); `hadamard` rotates keys of a head after RoPE, and queries with them (QuaRot).
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from halfbits.methods.rotation import hadamard
from halfbits.models.llama import KVCache, Llama, LlamaConfig, rotary_angles, rotate

Axis = Literal["token", "channel"]


@dataclass(frozen=True)
class Scheme:
    """How keys and values are kept; 16 bits leave them as they are."""

    key_bits: int = 4
    value_bits: int = 4
    key_axis: Axis = "channel"
    value_axis: Axis = "token"
    group: int = 32
    first: int = 0
    recent: int = 0
    before_rope: bool = False
    hadamard: bool = False

    def passed(self, tokens: int) -> int:
        """The end of what is quantized once `tokens` are there: `first` and whole groups."""
        groups = max(0, tokens - self.first - self.recent) // self.group
        return self.first + groups * self.group

    def bits(self, head_dim: int) -> float:
        """True bits of a quantized value, mean of keys and values: codes, and 32 bits a group."""
        sides = ((self.key_bits, self.key_axis), (self.value_bits, self.value_axis))
        sizes = {"channel": self.group, "token": min(self.group, head_dim)}
        return sum(bits if bits == 16 else bits + 32 / sizes[axis] for bits, axis in sides) / 2

    def nbytes(self, config: LlamaConfig, tokens: int) -> float:
        """Bytes of the cache of one sequence: groups that have passed, and 16 bits for the rest."""
        passed = self.passed(tokens) - self.first
        values = 2 * config.num_hidden_layers * config.num_key_value_heads * config.head_dim
        return values * (passed * self.bits(config.head_dim) + 16 * (tokens - passed)) / 8


class QuantizedCache(KVCache):
    """A cache that rounds what has passed, once, to the values its codes have.

    `key_mean` [layers, K, E] is a fixed offset that is taken off every key and put back.
    """

    def __init__(
        self,
        config: LlamaConfig,
        batch: int,
        capacity: int,
        like: Tensor,
        scheme: Scheme,
        key_mean: Tensor | None = None,
    ) -> None:
        super().__init__(config, batch, capacity, like)
        self.config, self.scheme, self.key_mean = config, scheme, key_mean
        self.done = [scheme.first] * config.num_hidden_layers

    def update(self, layer: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Quantize what had passed before these tokens came, then store them as they are."""
        start, end = self.done[layer], self.scheme.passed(self.length)
        if end > start:
            keys, values = (part[layer, :, :, start:end] for part in (self.keys, self.values))
            keys.copy_(self._rounded_keys(layer, keys, torch.arange(start, end)))
            values.copy_(round_groups(values, self.scheme.value_bits, *self._cut("value")))
            self.done[layer] = end
        return super().update(layer, k, v)

    def _cut(self, side: str) -> tuple[Axis, int]:
        axis = self.scheme.key_axis if side == "key" else self.scheme.value_axis
        return axis, self.scheme.group

    def _rounded_keys(self, layer: int, k: Tensor, places: Tensor) -> Tensor:
        if self.scheme.key_bits == 16:
            return k
        cos, sin = rotary_angles(places, self.config.head_dim, self.config.rope_theta)
        turn = hadamard(self.config.head_dim).to(k.dtype) if self.scheme.hadamard else None
        k = rotate(k, cos, -sin) if self.scheme.before_rope else k
        mean = 0 if self.key_mean is None else self.key_mean[layer, None, :, None].to(k.dtype)
        k = k - mean if turn is None else (k - mean) @ turn
        k = round_groups(k, self.scheme.key_bits, *self._cut("key"))
        k = (k if turn is None else k @ turn.T) + mean
        return rotate(k, cos, sin) if self.scheme.before_rope else k


def round_groups(x: Tensor, bits: int, axis: Axis, group: int) -> Tensor:
    """x [B, K, T, E] as its codes give it back; T, or E for "token", is cut into groups.

    Raises ValueError when a group does not divide what is cut.
    """
    if bits == 16:
        return x
    dim, group = (2, group) if axis == "channel" else (3, min(group, x.shape[3]))
    if x.shape[dim] % group:
        raise ValueError(f"groups of {group} do not divide {x.shape[dim]} along {axis}")
    cut = x.unflatten(dim, (-1, group))
    low, high = (part.to(x.dtype) for part in cut.aminmax(dim=dim + 1, keepdim=True))
    low = low.half().to(x.dtype)
    scale = ((high - low) / (2**bits - 1)).half().to(x.dtype)
    scale = torch.where(scale > 0, scale, 1)
    codes = ((cut - low) / scale).round().clamp(0, 2**bits - 1)
    return (codes * scale + low).flatten(dim, dim + 1)


class WithQuantizedCache(nn.Module):
    """Token ids [B, T] to logits, read `scheme.group` tokens at a time through such a cache."""

    def __init__(self, model: Llama, scheme: Scheme, key_mean: Tensor | None = None) -> None:
        super().__init__()
        self.model, self.scheme, self.key_mean = model, scheme, key_mean

    def forward(self, ids: Tensor) -> Tensor:
        like = self.model.embed_tokens.weight
        config, size = self.model.config, (ids.shape[0], ids.shape[1])
        cache = QuantizedCache(config, *size, like, self.scheme, self.key_mean)
        # A first chunk that ends where groups begin keeps all later ones between two groups.
        pieces = [
            ids[:, : self.scheme.first],
            *ids[:, self.scheme.first :].split(self.scheme.group, 1),
        ]
        return torch.cat([self.model(part, cache) for part in pieces if part.shape[1]], dim=1)


def quantize(
    model: Llama, calibration: Tensor | None = None, **options: int | str | bool
) -> tuple[WithQuantizedCache, float]:
    """The model with a quantized cache, and bits a value of what has passed (not bytes: a cache
    grows; `Scheme.nbytes` gives them for a length). Options are those of Scheme."""
    scheme = Scheme(**options)  # type: ignore[arg-type]
    return WithQuantizedCache(copy.deepcopy(model), scheme), scheme.bits(model.config.head_dim)


@torch.no_grad()
def mean_keys(model: Llama, calibration: Tensor, before_rope: bool = True) -> Tensor:
    """The mean key of every channel [layers, K, E] over calibration tokens int64 [B, T]."""
    batch, tokens = calibration.shape
    cache = KVCache(model.config, batch, tokens, model.embed_tokens.weight)
    model(calibration, cache)
    places = torch.arange(tokens)
    cos, sin = rotary_angles(places, model.config.head_dim, model.config.rope_theta)
    keys = [rotate(k, cos, -sin) if before_rope else k for k in cache.keys]
    return torch.stack([k.mean(dim=(0, 2)) for k in keys])
