"""A Llama decoder in one page: RMSNorm, rotary positions, grouped-query attention, SwiGLU.

Parameter names are those of a Hugging Face Llama checkpoint without the leading "model.".
Shapes: B batch, T new tokens, S tokens seen so far, D hidden_size, H heads, K KV heads, E head_dim.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import torch
from torch import Tensor, nn
from torch.nn import functional as F


@dataclass(frozen=True)
class LlamaConfig:
    """The sizes of one model, named as in a checkpoint's config.json."""

    vocab_size: int
    hidden_size: int
    intermediate_size: int
    num_hidden_layers: int
    num_attention_heads: int
    num_key_value_heads: int
    head_dim: int
    max_position_embeddings: int
    rope_theta: float = 10_000.0
    rms_norm_eps: float = 1e-5

    @classmethod
    def from_table(cls, table: Mapping) -> LlamaConfig:
        """Pick the sizes out of a checkpoint's config.json."""
        return cls(**{f.name: table[f.name] for f in fields(cls)})


class KVCache:
    """Keys and values of every layer for up to `capacity` tokens: two [layers, B, K, capacity, E].

    They have the dtype and device of `like`.
    """

    def __init__(self, config: LlamaConfig, batch: int, capacity: int, like: Tensor) -> None:
        kv_heads, head_dim = config.num_key_value_heads, config.head_dim
        shape = (config.num_hidden_layers, batch, kv_heads, capacity, head_dim)
        self.keys, self.values = like.new_zeros(shape), like.new_zeros(shape)
        self.length = 0

    @property
    def nbytes(self) -> int:
        return self.keys.nbytes + self.values.nbytes

    def update(self, layer: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Store k, v [B, K, T, E] behind the tokens seen so far; return all, [B, K, S, E]."""
        end = self.length + k.shape[2]
        if end > self.keys.shape[3]:
            raise ValueError(f"the cache holds {self.keys.shape[3]} tokens; {end} were asked for")
        self.keys[layer, :, :, self.length : end] = k
        self.values[layer, :, :, self.length : end] = v
        return self.keys[layer, :, :, :end], self.values[layer, :, :, :end]


class RMSNorm(nn.Module):
    """y = x / sqrt(mean(x^2) + eps) * weight; the mean is taken in float32 or wider."""

    def __init__(self, size: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        wide = x.to(torch.promote_types(x.dtype, torch.float32))
        scale = torch.rsqrt(wide.square().mean(-1, keepdim=True) + self.eps)
        return self.weight * (wide * scale).to(x.dtype)


def rotary_angles(positions: Tensor, head_dim: int, theta: float) -> tuple[Tensor, Tensor]:
    """cos and sin [T, E] of position * theta^(-2i/E); both halves of a head share E/2 angles."""
    rates = theta ** (-torch.arange(0, head_dim, 2, device=positions.device).float() / head_dim)
    angles = torch.outer(positions.float(), rates).repeat(1, 2)
    return angles.cos(), angles.sin()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turn each pair (x_i, x_{i + E/2}) by its angle; x is [B, H, T, E]."""
    left, right = x.chunk(2, dim=-1)
    return x * cos.to(x.dtype) + torch.cat((-right, left), dim=-1) * sin.to(x.dtype)


def causal_mask(new: int, seen: int, device: torch.device) -> Tensor:
    """bool [T, S]: new token t may look at the tokens up to its own place."""
    places = torch.arange(seen - new, seen, device=device)
    return torch.arange(seen, device=device) <= places[:, None]


class Attention(nn.Module):
    """softmax(q k^T / sqrt(E)) v; H / K query heads read the same key and value head."""

    def __init__(self, config: LlamaConfig, layer: int) -> None:
        super().__init__()
        self.layer, self.head_dim, size = layer, config.head_dim, config.hidden_size
        wide = config.num_attention_heads * config.head_dim
        narrow = config.num_key_value_heads * config.head_dim
        self.q_proj = nn.Linear(size, wide, bias=False)
        self.k_proj = nn.Linear(size, narrow, bias=False)
        self.v_proj = nn.Linear(size, narrow, bias=False)
        self.o_proj = nn.Linear(wide, size, bias=False)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, cache: KVCache | None) -> Tensor:
        q, k, v = (self._heads(p(x)) for p in (self.q_proj, self.k_proj, self.v_proj))
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        if cache is not None:
            k, v = (t.to(q.dtype) for t in cache.update(self.layer, k, v))
        new, seen = q.shape[2], k.shape[2]
        mask = causal_mask(new, seen, q.device) if 1 < new < seen else None
        mixed = F.scaled_dot_product_attention(
            q, k, v, attn_mask=mask, is_causal=new == seen, enable_gqa=True
        )
        return self.o_proj(mixed.transpose(1, 2).flatten(2))

    def _heads(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (-1, self.head_dim)).transpose(1, 2)


class FeedForward(nn.Module):
    """SwiGLU: down(silu(gate(x)) * up(x))."""

    def __init__(self, size: int, inner: int) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(size, inner, bias=False)
        self.up_proj = nn.Linear(size, inner, bias=False)
        self.down_proj = nn.Linear(inner, size, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Block(nn.Module):
    """One layer: x + attention(norm(x)), then x + feed_forward(norm(x))."""

    def __init__(self, config: LlamaConfig, layer: int) -> None:
        super().__init__()
        size, eps = config.hidden_size, config.rms_norm_eps
        self.input_layernorm = RMSNorm(size, eps)
        self.self_attn = Attention(config, layer)
        self.post_attention_layernorm = RMSNorm(size, eps)
        self.mlp = FeedForward(size, config.intermediate_size)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, cache: KVCache | None) -> Tensor:
        x = x + self.self_attn(self.input_layernorm(x), cos, sin, cache)
        return x + self.mlp(self.post_attention_layernorm(x))


class Llama(nn.Module):
    """Token ids [B, T] to logits [B, T, vocab]; the output head shares the embedding's weights."""

    def __init__(self, config: LlamaConfig) -> None:
        super().__init__()
        self.config = config
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size)
        self.layers = nn.ModuleList(Block(config, i) for i in range(config.num_hidden_layers))
        self.norm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.lm_head = nn.Linear(config.hidden_size, config.vocab_size, bias=False)
        self.lm_head.weight = self.embed_tokens.weight

    @classmethod
    def from_weights(cls, config: LlamaConfig, weights: dict[str, Tensor]) -> Llama:
        """A model in eval mode around tensors named as its parameters, without the tied head."""
        # The meta device would skip the random weights, but its first use takes over a second.
        with torch.random.fork_rng(devices=[]):
            model = cls(config)
        tied = {"lm_head.weight": weights["embed_tokens.weight"]}
        model.load_state_dict(weights | tied, assign=True)
        model.lm_head.weight = model.embed_tokens.weight
        return model.eval()

    def forward(self, ids: Tensor, cache: KVCache | None = None) -> Tensor:
        """Logits of all tokens of `ids`; with a cache, they follow the tokens that it holds."""
        return self.lm_head(self.hidden(ids, cache))

    def blocks(self) -> list[Block]:
        """The layers in order, with their type."""
        return [layer for layer in self.layers if isinstance(layer, Block)]

    def hidden(self, ids: Tensor, cache: KVCache | None = None) -> Tensor:
        """The normalized states [B, T, D] that the head reads."""
        start = 0 if cache is None else cache.length
        places = torch.arange(start, start + ids.shape[1], device=ids.device)
        cos, sin = rotary_angles(places, self.config.head_dim, self.config.rope_theta)
        x = self.embed_tokens(ids)
        for layer in self.layers:
            x = layer(x, cos, sin, cache)
        if cache is not None:
            cache.length += ids.shape[1]
        return self.norm(x)

    def prefill(self, ids: Tensor, capacity: int) -> tuple[Tensor, KVCache]:
        """Read a prompt [B, T] at once: logits of its last token [B, vocab], and the cache."""
        cache = KVCache(self.config, ids.shape[0], capacity, self.embed_tokens.weight)
        return self.lm_head(self.hidden(ids, cache)[:, -1]), cache

    def decode(self, token: Tensor, cache: KVCache) -> Tensor:
        """Read one token a row, [B]: logits of the next one [B, vocab]; the cache grows by one."""
        return self.lm_head(self.hidden(token[:, None], cache)[:, -1])
