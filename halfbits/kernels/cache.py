"""A KV cache of int8, fp8 (e4m3) or int4 codes, and one new token's attention over it.

Keys share a scale per channel over a block of 128 tokens, since a few channels are large in every
token; values have one per token (Liu and others, 2024, KIVI, section 3). Codes are symmetric.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import pad

BLOCK = 128  # tokens that share a scale of a key channel
LARGEST = {"int8": 127.0, "fp8": 448.0, "int4": 7.0}
PLACES = {"int8": 2, "fp8": 2, "int4": 4}  # codes in a 16-bit word


@dataclass(frozen=True)
class QuantizedCache:
    """Words int16 [batch, kv_heads, context, head_dim / places]: the bits of place i of word j hold
    channel head_dim / places * i + j. `key_scale` float32 [batch, kv_heads, blocks,
    head_dim], `value_scale` float16 [batch, kv_heads, context]."""

    format: str
    keys: Tensor
    key_scale: Tensor
    values: Tensor
    value_scale: Tensor

    @property
    def nbytes(self) -> int:
        """Bytes that one new token's attention reads."""
        parts = (self.keys, self.key_scale, self.values, self.value_scale)
        return sum(part.nbytes for part in parts)

    def row(self, kept: slice) -> QuantizedCache:
        """A copy of the `kept` rows of the batch."""
        parts = (self.keys, self.key_scale, self.values, self.value_scale)
        return QuantizedCache(self.format, *(part[kept].clone() for part in parts))


def quantize_cache(keys: Tensor, values: Tensor, format: str) -> QuantizedCache:
    """From keys and values [batch, kv_heads, context, head_dim]; ValueError for other formats."""
    if format not in LARGEST:
        raise ValueError(f"there is no cache of {format!r}, only of {', '.join(LARGEST)}")
    largest, context = LARGEST[format], keys.shape[2]
    blocks = pad(keys, (0, 0, 0, -context % BLOCK)).unflatten(2, (-1, BLOCK))
    key_scale = rounded(blocks.abs().amax(3), largest)
    spread = key_scale.repeat_interleave(BLOCK, 2)[:, :, :context]
    value_scale = rounded(values.abs().amax(3), largest)
    return QuantizedCache(
        format,
        words(keys / spread, format),
        key_scale.float(),
        words(values / value_scale[..., None], format),
        value_scale,
    )


def rounded(amax: Tensor, largest: float) -> Tensor:
    """The float16 scale amax / largest, elementwise; never zero, so that zeros have codes of 0."""
    return (amax.float() / largest).half().clamp(min=2.0**-14)


def words(numbers: Tensor, format: str) -> Tensor:
    """Words int16 [..., head_dim / places] of numbers [..., head_dim], which are rounded to the
    nearest code and cut at the largest.
    """
    kept = numbers.float().clamp(-LARGEST[format], LARGEST[format])
    if format == "fp8":
        codes = kept.to(torch.float8_e4m3fn).view(torch.uint8).int()
    else:
        middle, mask = (8, 15) if format == "int4" else (0, 255)
        codes = kept.round().int() + middle & mask
    places = PLACES[format]
    shift = 16 // places * torch.arange(places, device=codes.device, dtype=torch.int32)
    parts = codes.unflatten(-1, (places, -1)) << shift[:, None]
    return parts.sum(-2, dtype=torch.int32).to(torch.int16)


def opened(kept: Tensor, format: str) -> Tensor:
    """Codes as float64 numbers [.., head_dim], from words: the inverse of `words`."""
    places = PLACES[format]
    bits = 16 // places
    shift = bits * torch.arange(places, device=kept.device, dtype=torch.int32)
    codes = (kept.int()[..., None, :] >> shift[:, None] & (1 << bits) - 1).flatten(-2)
    if format == "fp8":
        return codes.to(torch.uint8).view(torch.float8_e4m3fn).double()
    return (codes - 8).double() if format == "int4" else codes.to(torch.int8).double()


def dequantize(cache: QuantizedCache) -> tuple[Tensor, Tensor]:
    """Keys and values, float64 [batch, kv_heads, context, head_dim], exact."""
    context = cache.keys.shape[2]
    spread = cache.key_scale.double().repeat_interleave(BLOCK, 2)[:, :, :context]
    keys = opened(cache.keys, cache.format) * spread
    return keys, opened(cache.values, cache.format) * cache.value_scale.double()[..., None]


def reference(q: Tensor, cache: QuantizedCache) -> Tensor:
    """softmax(q K^T / sqrt(head_dim)) V in float64; q [batch, kv_heads, group, head_dim]."""
    keys, values = dequantize(cache)
    scores = q.double() @ keys.mT / math.sqrt(q.shape[-1])
    return scores.softmax(-1) @ values


def error_bound(q: Tensor, cache: QuantizedCache) -> Tensor:
    """How far the kernel may be from `reference`, for bfloat16 q, float64 [batch, kv_heads, group,
    head_dim] like the result.

    With u = 2^-8, a score s = sum of q k / sqrt(d) errs by e = (u + (d + 8) 2^-23) sum of |q k| /
    sqrt(d): the scaled query is rounded to bfloat16, products are exact, sums are float32. So a
    weight of the softmax errs by the factor exp(2 e) at most, e taken at its largest: its own e,
    and the mean's. Each weight times its scale is rounded to bfloat16 (u), sums are float32, exp2
    is good to 2^-21, and the result is rounded (2 u of it, an ulp).
    """
    keys, values = dequantize(cache)
    d, context, u = q.shape[-1], keys.shape[2], 2.0**-8
    scores = q.double() @ keys.mT / math.sqrt(d)
    off = (u + (d + 8) * 2.0**-23) * (q.double().abs() @ keys.abs().mT / math.sqrt(d))
    factor = torch.exp(2 * off.amax(-1, keepdim=True)) * (1 + u + (context + 64) * 2.0**-23)
    sums = scores.softmax(-1) @ values.abs()
    return sums * (factor - 1) + 2 * u * (scores.softmax(-1) @ values).abs() + 2.0**-120
