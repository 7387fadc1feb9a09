"""Quantized copies of a decoder: weight-only in any format, or int8 weights and activations."""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from halfbits.models.llama import Llama
from halfbits.models.surgery import block_linears, half_the_rest, put
from halfbits.quantize import Quantized, quantize_symmetric

TOP = 127


@torch.no_grad()
def weight_only(model: Llama, quantizer: Callable[[Tensor], Quantized]) -> tuple[Llama, float]:
    """A copy that computes in float32 with quantized and restored block matrices, the rest in
    float16 values; and the bytes it would take: codes, scales, zero points, and the rest."""
    return rounded_by_name(model, lambda _, w: quantizer(w))


@torch.no_grad()
def rounded_by_name(
    model: Llama, quantizer: Callable[[str, Tensor], Quantized]
) -> tuple[Llama, float]:
    """`weight_only` with a quantizer that is told each matrix's name: a width for each, say."""
    lossy = copy.deepcopy(model)
    nbytes: float = half_the_rest(lossy)
    for name, layer in block_linears(lossy):
        nbytes += put(layer, quantizer(name, layer.weight))
    return lossy, nbytes


class W8A8Linear(nn.Module):
    """y = s_x s_w (q_x q_w^T): int8 codes on both sides, one weight scale a row.

    `activation_scale` is a fixed scale for all activations (static, per tensor); None takes
    amax / 127 of each token as it comes (dynamic, per token). Layers without bias only.
    """

    codes: Tensor
    scale: Tensor
    activation_scale: Tensor | None

    def __init__(self, linear: nn.Linear, activation_scale: Tensor | None) -> None:
        super().__init__()
        if linear.bias is not None:
            raise ValueError("W8A8Linear takes layers without bias; fold the bias elsewhere")
        quantized = quantize_symmetric(linear.weight, 8, "channel")
        self.register_buffer("codes", quantized.codes)
        self.register_buffer("scale", quantized.scale[:, 0])
        self.register_buffer("activation_scale", activation_scale)

    @property
    def nbytes(self) -> int:
        fixed = 0 if self.activation_scale is None else self.activation_scale.nbytes
        return self.codes.nbytes + self.scale.nbytes + fixed

    def forward(self, x: Tensor) -> Tensor:
        scale = self.activation_scale
        if scale is None:
            scale = x.abs().amax(-1, keepdim=True).clamp(min=1e-12) / TOP
        codes = (x / scale).round().clamp(-TOP, TOP)
        return integer_matmul(codes, self.codes) * scale * self.scale


def integer_matmul(a: Tensor, b: Tensor) -> Tensor:
    """a [..., k] times b [n, k] transposed, for int8 codes held in any dtype: exact, as float32.

    float32 adds integers exactly below 2^24, so for k * 127^2 < 2^24; beyond that float64 does.
    The last rounding to float32 is the only one.
    """
    exact = a.shape[-1] * TOP * TOP < 2**24
    wide = torch.float32 if exact else torch.float64
    return F.linear(a.to(wide), b.to(wide)).float()


@torch.no_grad()
def w8a8(model: Llama, amax: dict[str, Tensor] | None = None) -> tuple[Llama, float]:
    """A copy whose block matrices are W8A8Linear, and its bytes (the rest float16).

    `amax` (from `channel_amax` on calibration text) fixes one activation scale a layer;
    None scales each token as it comes.
    """
    lossy = copy.deepcopy(model)
    nbytes: float = half_the_rest(lossy)
    for name, layer in list(block_linears(lossy)):
        scale = None if amax is None else amax[name].amax() / TOP
        replacement = W8A8Linear(layer, scale)
        lossy.set_submodule(name, replacement)
        nbytes += replacement.nbytes
    return lossy, nbytes
