"""Quantizers for weights: codes, scales, their true bytes, and the way back.

All work on a weight [out, in] and share one shape rule: a granularity cuts the matrix into groups,
each with its own scale. "tensor" is one group, "channel" one a row, an integer g is g neighbors
along the input. Rounding is to nearest, ties to even. A group of zeros gives zeros and scale 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

Granularity = str | int

# Dettmers et al., QLoRA (2023), appendix E: quantiles of a standard normal, scaled to [-1, 1].
NF4_LEVELS = (
    *(-1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453),
    *(-0.28444138169288635, -0.18477343022823334, -0.09105003625154495, 0.0),
    *(0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224),
    *(0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1.0),
)
# OCP Microscaling Formats v1.0 (2023), section 5.3.3: the magnitudes of E2M1.
FP4_LEVELS = (-6.0, -4.0, -3.0, -2.0, -1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0)
MX_GROUP = 32


@dataclass(frozen=True)
class Quantized:
    """`codes` [groups, size] count levels, `scale` and `zero_point` [groups, 1] place them.

    value = (levels[code] or code - zero_point) * scale, reshaped to `shape`; `code_bits` and
    `group_bits` are what one code and one group's parameters take when packed.
    """

    codes: Tensor
    scale: Tensor
    shape: torch.Size
    code_bits: int
    group_bits: int
    zero_point: Tensor | None = None
    levels: Tensor | None = None

    @property
    def nbytes(self) -> float:
        """True bytes: packed codes and the parameters of every group."""
        return (self.codes.numel() * self.code_bits + len(self.scale) * self.group_bits) / 8

    def dequantize(self) -> Tensor:
        """Float32 values in the original shape."""
        levels = self.levels
        values = self.codes.float() if levels is None else levels[self.codes.long()]
        if self.zero_point is not None:
            values = values - self.zero_point
        return (values * self.scale).view(self.shape)


def grouped(w: Tensor, granularity: Granularity) -> Tensor:
    """`w` [out, in] as float32 [groups, size]; ValueError when groups do not divide the input."""
    if granularity == "tensor":
        return w.detach().float().reshape(1, -1)
    if granularity == "channel":
        return w.detach().float().reshape(w.shape[0], -1)
    if not isinstance(granularity, int) or granularity < 1 or w.shape[-1] % granularity:
        raise ValueError(f"groups of {granularity!r} do not divide an input of {w.shape[-1]}")
    return w.detach().float().reshape(-1, granularity)


def positive(scale: Tensor) -> Tensor:
    """The scale with 1 in place of 0, so that a group of zeros has a finite one."""
    return torch.where(scale > 0, scale, torch.ones_like(scale))


def stored_scale(scale: Tensor, granularity: Granularity) -> tuple[Tensor, int]:
    """Scales as they are kept, and their bits: float16 for small groups, else float32."""
    if isinstance(granularity, int):
        # Up to the next float16 when rounding fell, or the group's largest value would clip.
        half = scale.half()
        up = torch.nextafter(half, torch.full_like(half, torch.inf))
        return positive(torch.where(half.float() < scale, up, half).float()), 16
    return positive(scale), 32


def quantize_symmetric(w: Tensor, bits: int, granularity: Granularity = "channel") -> Quantized:
    """code = round(w / scale) in [-(2^(b-1) - 1), 2^(b-1) - 1], scale = amax / (2^(b-1) - 1)."""
    groups = grouped(w, granularity)
    top = 2 ** (bits - 1) - 1
    scale, scale_bits = stored_scale(groups.abs().amax(1, keepdim=True) / top, granularity)
    codes = (groups / scale).round().clamp(-top, top).to(torch.int8)
    return Quantized(codes, scale, w.shape, bits, scale_bits)


def quantize_affine(w: Tensor, bits: int, granularity: Granularity = "channel") -> Quantized:
    """code = round(w / scale) + zero_point in [0, 2^b - 1]; the range is stretched to hold 0."""
    groups = grouped(w, granularity)
    top = 2**bits - 1
    low = groups.amin(1, keepdim=True).clamp(max=0)
    high = groups.amax(1, keepdim=True).clamp(min=0)
    scale, scale_bits = stored_scale((high - low) / top, granularity)
    zero_point = (-low / scale).round().clamp(0, top)
    codes = ((groups / scale).round() + zero_point).clamp(0, top).to(torch.uint8)
    return Quantized(codes, scale, w.shape, bits, scale_bits + bits, zero_point)


def nearest(values: Tensor, levels: Tensor) -> Tensor:
    """Index of the level nearest to each value; a tie takes the level with the even index.

    In FP4_LEVELS, an odd number of levels around 0, the index differs from the E2M1 code by a
    constant, so this is the format's ties-to-even.
    """
    middles = (levels[1:] + levels[:-1]) / 2
    right = torch.bucketize(values, middles, right=True)
    left = torch.bucketize(values, middles, right=False)
    even = levels.numel() // 2 % 2
    return torch.where(left % 2 == even, left, right)


def quantize_nf4(w: Tensor, granularity: Granularity = 64) -> Quantized:
    """The nearest of 16 normal quantiles times the group's amax."""
    groups = grouped(w, granularity)
    scale, scale_bits = stored_scale(groups.abs().amax(1, keepdim=True), granularity)
    levels = torch.tensor(NF4_LEVELS)
    codes = nearest(groups / scale, levels).to(torch.uint8)
    return Quantized(codes, scale, w.shape, 4, scale_bits, levels=levels)


def quantize_mxfp4(w: Tensor) -> Quantized:
    """E2M1 codes in groups of 32, scale 2^(floor(log2 amax) - 2) in 8 bits (OCP MX, 6.3)."""
    groups = grouped(w, MX_GROUP)
    amax = groups.abs().amax(1, keepdim=True)
    exponent = (torch.frexp(amax).exponent - 1 - 2).clamp(-127, 127)
    scale = torch.where(amax > 0, torch.exp2(exponent.float()), torch.ones_like(amax))
    levels = torch.tensor(FP4_LEVELS)
    codes = nearest(groups / scale, levels).to(torch.uint8)
    return Quantized(codes, scale, w.shape, 4, 8, levels=levels)


def quantize_fp8(w: Tensor, granularity: Granularity = "tensor") -> Quantized:
    """float8_e4m3fn codes with scale = amax / 448."""
    groups = grouped(w, granularity)
    amax = groups.abs().amax(1, keepdim=True)
    scale, scale_bits = stored_scale(amax / torch.finfo(torch.float8_e4m3fn).max, granularity)
    codes = (groups / scale).clamp(-448, 448).to(torch.float8_e4m3fn)
    return Quantized(codes, scale, w.shape, 8, scale_bits)


def pack(codes: Tensor, bits: int) -> Tensor:
    """Unsigned codes below 2^bits as a uint8 bit stream, the lowest bit of each code first."""
    places = torch.arange(bits)
    stream = (codes.flatten().long()[:, None] >> places & 1).flatten()
    stream = torch.nn.functional.pad(stream, (0, -len(stream) % 8)).view(-1, 8)
    return (stream << torch.arange(8)).sum(1).to(torch.uint8)


def unpack(packed: Tensor, bits: int, count: int) -> Tensor:
    """The first `count` codes, uint8 [count], of a stream made by `pack`."""
    stream = (packed.long()[:, None] >> torch.arange(8) & 1).flatten()[: count * bits]
    return (stream.view(count, bits) << torch.arange(bits)).sum(1).to(torch.uint8)
