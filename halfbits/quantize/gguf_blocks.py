"""The blocks of GGUF files, as bytes: Q4, Q5 and Q8 of 32 values, Q4_K and Q6_K of 256.

A row of a weight is cut into blocks; a block holds its own scales. `encode` makes uint8
[blocks, bytes of a block] from float32 [blocks, values of a block], `decode` the way back. Layouts
and rounding are those of llama.cpp (ggml-common.h, ggml-quants.c); the two K types are encoded
here from each sub-block's extremes, without llama.cpp's search for better scales.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from halfbits.quantize.blocks import checked

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]
SMALL, SUPER, SUB = 32, 256, 32


@dataclass(frozen=True)
class BlockType:
    """A GGUF type: its number in the file, values and bytes of a block, and both directions."""

    number: int
    values: int
    nbytes: int
    encode: Callable[[Floats], Bytes]
    decode: Callable[[Bytes], Floats]

    @property
    def bits_per_weight(self) -> float:
        """True bits of a weight, scales counted: 8 bytes / values."""
        return 8 * self.nbytes / self.values


def laid_out(name: str, codes: Bytes, d: Floats, m: Floats | None = None) -> Bytes:
    """Blocks [blocks, bytes] from unsigned codes [blocks, 32], scales d and minima m [blocks, 1].

    In this order: d, m where the type has one (Q4_1, Q5_1), the fifth bits of all codes (Q5), then
    the low four bits, code i beside code i + 16. Q8_0 keeps its codes whole, minus 128.
    """
    scales = [_half(part) for part in (d, m) if part is not None]
    if name == "Q8_0":
        return np.concatenate([*scales, codes ^ np.uint8(128)], axis=1)
    high = [np.packbits(codes >> 4, axis=1, bitorder="little")] if name.startswith("Q5") else []
    return np.concatenate([*scales, *high, _nibbles(codes & np.uint8(15))], axis=1)


def encode_q8_0(x: Floats) -> Bytes:
    """float16 d = amax / 127, then 32 int8 codes round(x / d), halves away from zero."""
    d = np.abs(x).max(1, keepdims=True) / np.float32(127)
    codes = (_away_from_zero(x * _inverse(d)) + 128).astype(np.uint8)
    return laid_out("Q8_0", codes, d)


def decode_q8_0(blocks: Bytes) -> Floats:
    """value = d q."""
    return blocks[:, 2:].view(np.int8) * _float(blocks[:, :2])


def _encode_around_zero(name: str, half: int, x: Floats) -> Bytes:
    largest = np.take_along_axis(x, np.abs(x).argmax(1, keepdims=True), 1)
    d = largest / np.float32(-half)
    codes = np.clip(np.trunc(x * _inverse(d) + np.float32(half + 0.5)), 0, 2 * half - 1)
    return laid_out(name, codes.astype(np.uint8), d)


def _encode_from_minimum(name: str, top: int, x: Floats) -> Bytes:
    low, high = x.min(1, keepdims=True), x.max(1, keepdims=True)
    d = (high - low) / np.float32(top)
    codes = np.clip(np.trunc((x - low) * _inverse(d) + np.float32(0.5)), 0, top)
    return laid_out(name, codes.astype(np.uint8), d, low)


def encode_q4_0(x: Floats) -> Bytes:
    """float16 d = (value of the largest magnitude) / -8, codes min(15, floor(x / d + 8.5))."""
    return _encode_around_zero("Q4_0", 8, x)


def decode_q4_0(blocks: Bytes) -> Floats:
    """value = d (q - 8)."""
    return (_from_nibbles(blocks[:, 2:]).astype(np.float32) - 8) * _float(blocks[:, :2])


def encode_q5_0(x: Floats) -> Bytes:
    """float16 d = (value of the largest magnitude) / -16, codes min(31, floor(x / d + 16.5))."""
    return _encode_around_zero("Q5_0", 16, x)


def decode_q5_0(blocks: Bytes) -> Floats:
    """value = d (q - 16)."""
    return (_five_bits(blocks[:, 2:]) - 16) * _float(blocks[:, :2])


def encode_q4_1(x: Floats) -> Bytes:
    """float16 d = (max - min) / 15 and m = min, codes floor((x - m) / d + 0.5)."""
    return _encode_from_minimum("Q4_1", 15, x)


def decode_q4_1(blocks: Bytes) -> Floats:
    """value = d q + m; byte i holds code i (low half) and i + 16 (high half)."""
    codes = _from_nibbles(blocks[:, 4:]).astype(np.float32)
    return codes * _float(blocks[:, :2]) + _float(blocks[:, 2:4])


def encode_q5_1(x: Floats) -> Bytes:
    """float16 d = (max - min) / 31 and m = min, codes floor((x - m) / d + 0.5)."""
    return _encode_from_minimum("Q5_1", 31, x)


def decode_q5_1(blocks: Bytes) -> Floats:
    """value = d q + m; four bytes of fifth bits stand before the low halves."""
    return _five_bits(blocks[:, 4:]) * _float(blocks[:, :2]) + _float(blocks[:, 2:4])


def encode_q4_k(x: Floats) -> Bytes:
    """Eight sub-blocks of 32: value = d s q - dmin m, with 6-bit s and m, 4-bit q.

    d and dmin are the largest scale and minimum over 63; each sub-block's scale is
    (max - min) / 15 of its own range, stretched to hold 0.
    """
    parts = x.reshape(len(x), -1, SUB)
    low = np.minimum(parts.min(2), 0)
    width = (np.maximum(parts.max(2), 0) - low) / np.float32(15)
    d, s = _six_bits(width)
    dmin, m = _six_bits(-low)
    scale, minimum = (d * s)[..., None], (dmin * m)[..., None]
    codes = np.clip(np.rint((parts + minimum) * _inverse(scale)), 0, 15).astype(np.uint8)
    pairs = codes.reshape(len(x), -1, 2, SUB)  # a byte holds codes of two neighboring sub-blocks
    packed = (pairs[:, :, 0] | pairs[:, :, 1] << 4).reshape(len(x), -1)
    return np.concatenate([_half(d), _half(dmin), _pack_six_bits(s, m), packed], axis=1)


def decode_q4_k(blocks: Bytes) -> Floats:
    """Two float16, 12 bytes of 6-bit scales and minima, 128 bytes of codes; 4.5 bits a weight."""
    s, m = _unpack_six_bits(blocks[:, 4:16])
    scale, minimum = _float(blocks[:, :2]) * s, _float(blocks[:, 2:4]) * m
    pairs = blocks[:, 16:].reshape(len(blocks), -1, 1, SUB)
    codes = np.concatenate([pairs & 15, pairs >> 4], axis=2).reshape(len(blocks), -1, SUB)
    return (scale[..., None] * codes - minimum[..., None]).reshape(len(blocks), -1)


def encode_q6_k(x: Floats) -> Bytes:
    """Sixteen sub-blocks of 16: value = d s q, int8 s, 6-bit q from -32 to 31."""
    parts = x.reshape(len(x), -1, 16)
    step = np.abs(parts).max(2) / np.float32(31)
    d = _round_trip(step.max(1, keepdims=True) / np.float32(127))
    s = np.clip(np.rint(step * _inverse(d)), 0, 127)
    codes = np.rint(parts * _inverse(d * s)[..., None]).clip(-32, 31).astype(np.int8) + 32
    codes = codes.astype(np.uint8).reshape(len(x), 2, 4, SUB)
    low = np.concatenate([codes[:, :, :2] & 15 | (codes[:, :, 2:] & 15) << 4], axis=2)
    high = sum((codes[:, :, i] >> 4) << 2 * i for i in range(4))
    ends = [low.reshape(len(x), -1), np.asarray(high, np.uint8).reshape(len(x), -1)]
    return np.concatenate([*ends, s.astype(np.int8).view(np.uint8), _half(d)], axis=1)


def decode_q6_k(blocks: Bytes) -> Floats:
    """128 bytes of low halves, 64 of high quarters, 16 int8 scales, float16 d; 6.5625 bits."""
    low = blocks[:, :128].reshape(-1, 2, 1, 2, SUB)
    low = np.concatenate([low & 15, low >> 4], axis=2).reshape(-1, 2, 4, SUB)
    places = np.arange(0, 8, 2, dtype=np.uint8)[:, None]
    high = blocks[:, 128:192].reshape(-1, 2, 1, SUB) >> places & 3
    codes = (low | high << 4).astype(np.float32) - 32
    scale = _float(blocks[:, 208:]) * blocks[:, 192:208].view(np.int8).astype(np.float32)
    return (scale[..., None] * codes.reshape(len(blocks), -1, 16)).reshape(len(blocks), -1)


GGUF_TYPES = {
    "Q4_0": BlockType(2, SMALL, 18, encode_q4_0, decode_q4_0),
    "Q4_1": BlockType(3, SMALL, 20, encode_q4_1, decode_q4_1),
    "Q5_0": BlockType(6, SMALL, 22, encode_q5_0, decode_q5_0),
    "Q5_1": BlockType(7, SMALL, 24, encode_q5_1, decode_q5_1),
    "Q8_0": BlockType(8, SMALL, 34, encode_q8_0, decode_q8_0),
    "Q4_K": BlockType(12, SUPER, 144, encode_q4_k, decode_q4_k),
    "Q6_K": BlockType(14, SUPER, 210, encode_q6_k, decode_q6_k),
}


def quantize_gguf(w: Tensor, name: str) -> Bytes:
    """The blocks of `w` [..., out, in] in the GGUF type `name`, row by row.

    Raises ValueError for an unknown type, rows that are no whole number of blocks, scales beyond
    float16, and for what `halfbits.quantize.blocks.checked` refuses.
    """
    if name not in GGUF_TYPES:
        raise ValueError(f"GGUF types here are {', '.join(GGUF_TYPES)}, not {name!r}")
    kind, x = GGUF_TYPES[name], checked(w)
    if x.shape[-1] % kind.values:
        raise ValueError(
            f"{name} cuts rows into blocks of {kind.values}, and {x.shape[-1]} inputs are no "
            "multiple of that; llama.cpp gives such a tensor another type"
        )
    with np.errstate(over="ignore", invalid="ignore"):
        blocks = kind.encode(x.reshape(-1, kind.values).numpy())
        is_whole = np.isfinite(kind.decode(blocks)).all()
    if not is_whole:
        raise ValueError(f"{name} keeps scales in float16, and this weight needs larger ones")
    return blocks


def dequantize_gguf(blocks: Bytes, name: str, shape: torch.Size) -> Tensor:
    """Float32 values of `shape` from blocks uint8 [blocks, bytes] of the GGUF type `name`."""
    return torch.from_numpy(GGUF_TYPES[name].decode(blocks)).reshape(shape)


def _inverse(d: Floats) -> Floats:
    """1 / d, and 0 for 0: a block of zeros has zero codes."""
    with np.errstate(divide="ignore"):
        return np.where(d == 0, np.float32(0), np.float32(1) / d)


def _half(values: Floats) -> Bytes:
    return values.astype(np.float16).view(np.uint8)


def _float(halves: Bytes) -> Floats:
    return np.ascontiguousarray(halves).view(np.float16).astype(np.float32)


def _round_trip(values: Floats) -> Floats:
    return values.astype(np.float16).astype(np.float32)


def _away_from_zero(x: Floats) -> Floats:
    whole = np.floor(np.abs(x))
    return np.sign(x) * (whole + np.floor(2 * (np.abs(x) - whole)))


def _nibbles(codes: Bytes) -> Bytes:
    half = codes.shape[1] // 2
    return codes[:, :half] | codes[:, half:] << np.uint8(4)


def _from_nibbles(packed: Bytes) -> Bytes:
    return np.concatenate([packed & 15, packed >> 4], axis=1)


def _five_bits(blocks: Bytes) -> Floats:
    """Codes 0..31 of 4 bytes of fifth bits and 16 of low halves."""
    high = np.unpackbits(np.ascontiguousarray(blocks[:, :4]), axis=1, bitorder="little")
    return (_from_nibbles(blocks[:, 4:]) | high << 4).astype(np.float32)


def _six_bits(values: Floats) -> tuple[Floats, Floats]:
    """(d, codes 0..63) of non-negative values [blocks, 8]; d is what float16 keeps of it."""
    d = _round_trip(values.max(1, keepdims=True) / np.float32(63))
    return d, np.clip(np.rint(values * _inverse(d)), 0, 63)


def _pack_six_bits(s: Floats, m: Floats) -> Bytes:
    """12 bytes: the first four s and m whole; of the others low halves together, high bits atop."""
    scales, minima = s.astype(np.uint8), m.astype(np.uint8)
    ends = [codes[:, :4] | codes[:, 4:] >> 4 << 6 for codes in (scales, minima)]
    low = scales[:, 4:] & 15 | (minima[:, 4:] & 15) << 4
    return np.concatenate([*ends, low], axis=1).astype(np.uint8)


def _unpack_six_bits(packed: Bytes) -> tuple[Floats, Floats]:
    first, second, low = packed[:, :4], packed[:, 4:8], packed[:, 8:]
    s = np.concatenate([first & 63, low & 15 | first >> 6 << 4], axis=1)
    m = np.concatenate([second & 63, low >> 4 | second >> 6 << 4], axis=1)
    return s.astype(np.float32), m.astype(np.float32)
