"""One token of a whole Llama as one compiled loop on the CPU, with float32 or int8 weights.

In a small model the calls between the products take longer than the products. Here nothing but
the loop runs, so that what is left is reading the weights.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from halfbits.kernels.cpu import compiled
from halfbits.models.llama import Llama, rotary_angles
from halfbits.quantize import quantize_symmetric

Matrix = tuple[Any, Any]  # codes [outputs, inputs] and a scale a row, or stacks of both


def kept(weights: Sequence[Tensor], bits: int) -> Matrix:
    """The matrices [outputs, inputs] side by side along the outputs, and a scale [outputs] a row:
    int8 codes per channel, or float32 and ones.
    """
    w = torch.cat([part.detach() for part in weights])
    if bits == 32:
        return w.numpy(), np.ones(len(w), np.float32)
    quantized = quantize_symmetric(w, bits)
    return quantized.codes.numpy(), quantized.scale[:, 0].numpy()


@compiled
def multiply(x: Any, codes: Any, scale: Any, y: Any) -> None:
    """y[n] = scale[n] sum_k codes[n, k] x[k], decoded on the way into the sum."""
    for n in range(codes.shape[0]):
        total = np.float32(0)
        for k in range(codes.shape[1]):
            total += np.float32(codes[n, k]) * x[k]
        y[n] = total * scale[n]


@compiled
def normalized(x: Any, weight: Any, eps: float, y: Any) -> None:
    """y = x / sqrt(mean(x^2) + eps) * weight"""
    total = np.float32(0)
    for k in range(len(x)):
        total += x[k] * x[k]
    factor = np.float32(1 / np.sqrt(total / len(x) + eps))
    for k in range(len(x)):
        y[k] = x[k] * factor * weight[k]


@compiled
def rotate(heads: Any, cos: Any, sin: Any) -> None:
    """Turn each pair (x_i, x_{i + E/2}) of every head [E] by its angle, in place."""
    half = heads.shape[1] // 2
    for h in range(heads.shape[0]):
        for i in range(half):
            left, right = heads[h, i], heads[h, half + i]
            heads[h, i] = left * cos[i] - right * sin[i]
            heads[h, half + i] = right * cos[i] + left * sin[i]


@compiled
def attend(q: Any, keys: Any, values: Any, seen: int, scores: Any, out: Any) -> None:
    """out[h] = softmax(q[h] k^T / sqrt(E)) v over the `seen` first of keys and values [K, T, E]."""
    shared = q.shape[0] // keys.shape[0]
    root = np.float32(1 / np.sqrt(q.shape[1]))
    for h in range(q.shape[0]):
        k, v = keys[h // shared], values[h // shared]
        top, total = np.float32(-np.inf), np.float32(0)
        for t in range(seen):
            score = np.float32(0)
            for i in range(q.shape[1]):
                score += q[h, i] * k[t, i]
            scores[t] = score * root
            top = max(top, scores[t])
        out[h] = 0
        for t in range(seen):
            share = np.exp(scores[t] - top)
            total += share
            for i in range(q.shape[1]):
                out[h, i] += share * v[t, i]
        out[h] /= total


@compiled
def step(
    x: Any, place: int, turn: Any, norms: Any, eps: float, layers: Any, head: Any, cache: Any,
    logits: Any,
) -> None:  # fmt: skip
    """Read one token whose embedding is x [hidden]; x is overwritten, the cache grows at `place`.

    norms [2 * layers + 1, hidden]; layers: one stack a matrix (q k v, out, gate and up, down),
    each of codes [layers, outputs, inputs] and scales; cache [2, layers, K, capacity, E].
    """
    (qkv, qkv_scale), (out, out_scale), (gate, gate_scale), (down, down_scale) = layers
    kv_heads, capacity, size = cache.shape[2:]
    heads = out.shape[2] // size
    read, wide = np.empty_like(x), np.empty((heads + 2 * kv_heads, size), np.float32)
    mixed, scores = np.empty((heads, size), np.float32), np.empty(capacity, np.float32)
    inner = down.shape[2]
    pair = np.empty(2 * inner, np.float32)
    for layer in range(qkv.shape[0]):
        normalized(x, norms[2 * layer], eps, read)
        multiply(read, qkv[layer], qkv_scale[layer], wide.reshape(-1))
        rotate(wide[: heads + kv_heads], turn[0], turn[1])
        for h in range(kv_heads):
            cache[0, layer, h, place] = wide[heads + h]
            cache[1, layer, h, place] = wide[heads + kv_heads + h]
        attend(wide[:heads], cache[0, layer], cache[1, layer], place + 1, scores, mixed)
        multiply(mixed.reshape(-1), out[layer], out_scale[layer], read)
        x += read
        normalized(x, norms[2 * layer + 1], eps, read)
        multiply(read, gate[layer], gate_scale[layer], pair)
        for i in range(inner):
            pair[i] = pair[i] / (1 + np.exp(-pair[i])) * pair[inner + i]
        multiply(pair[:inner], down[layer], down_scale[layer], read)
        x += read
    normalized(x, norms[-1], eps, read)
    multiply(read, head[0], head[1], logits)


class FusedDecoder:
    """Greedy decoding of one row with a Llama's weights: `bits` 32 (float32) or 8 (int8).

    The output head is quantized as well; the embedding, which only looks rows up, is not.
    """

    def __init__(self, model: Llama, bits: int = 8) -> None:
        if bits not in (8, 32):
            raise ValueError(f"bits is {bits}; 8 or 32 was expected")
        self.config, blocks = model.config, model.blocks()
        parts: list[Callable[[Any], Sequence[Tensor]]] = [
            lambda b: [
                p.weight for p in (b.self_attn.q_proj, b.self_attn.k_proj, b.self_attn.v_proj)
            ],
            lambda b: [b.self_attn.o_proj.weight],
            lambda b: [b.mlp.gate_proj.weight, b.mlp.up_proj.weight],
            lambda b: [b.mlp.down_proj.weight],
        ]
        self.layers = tuple(stacked([kept(part(b), bits) for b in blocks]) for part in parts)
        self.head = kept([model.lm_head.weight], bits)
        pairs = [[b.input_layernorm.weight, b.post_attention_layernorm.weight] for b in blocks]
        norms: list[Tensor] = [weight for pair in pairs for weight in pair]
        self.norms = torch.stack([*norms, model.norm.weight]).detach().numpy()
        self.embedding = model.embed_tokens.weight.detach().numpy()
        places = torch.arange(self.config.max_position_embeddings)
        angles = rotary_angles(places, self.config.head_dim, self.config.rope_theta)
        self.turns = torch.stack(angles, 1).numpy()

    @property
    def nbytes(self) -> int:
        """Bytes of the matrices that each token reads."""
        return sum(codes.nbytes + scale.nbytes for codes, scale in (*self.layers, self.head))

    def logits(self, ids: Tensor, new: int = 0) -> tuple[Tensor, Tensor]:
        """Reads `ids` [T] one by one, then `new` greedy tokens; all ids, and the last logits."""
        c, known = self.config, ids.tolist()
        total = len(known) + new
        shape = (2, c.num_hidden_layers, c.num_key_value_heads, total, c.head_dim)
        cache, last = np.zeros(shape, np.float32), np.zeros(c.vocab_size, np.float32)
        for place in range(total):
            if place == len(known):
                known.append(int(last.argmax()))
            x, turn = self.embedding[known[place]].copy(), self.turns[place]
            step(x, place, turn, self.norms, c.rms_norm_eps, self.layers, self.head, cache, last)
        return torch.tensor(known), torch.from_numpy(last)

    def generate(self, ids: Tensor, new: int) -> Tensor:
        """`ids` int64 [n] and `new` greedy ones: [n + new], as `models.generate.generate` gives."""
        known, last = self.logits(ids, new - 1)
        return torch.cat([known, last.argmax()[None]])


def stacked(matrices: list[Matrix]) -> Matrix:
    """The matrices of all layers: codes [layers, outputs, inputs], scales [layers, outputs]."""
    codes, scales = zip(*matrices, strict=True)
    return np.stack(codes), np.stack(scales)
