"""Rounding what goes into a linear layer, token by token, while the model runs: a scale for each
row of x, as in LLM.int8() (Dettmers et al., 2022, vector-wise quantization).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from halfbits.models.llama import Llama
from halfbits.models.surgery import block_linears


def per_token(x: Tensor, bits: int) -> Tensor:
    """x [..., features] rounded to codes of `bits`, scale amax / (2^(b-1) - 1) for each token.

    Dynamic and symmetric: every token's scale is made as the token comes.
    """
    top = 2 ** (bits - 1) - 1
    scale = x.abs().amax(-1, keepdim=True) / top
    scale = torch.where(scale > 0, scale, 1)
    return (x / scale).round().clamp(-top, top) * scale


class RoundedInput(nn.Module):
    """y = linear(round(x)); `linear` holds weights that may be quantized or not.

    Channels in `keep` bool [features] are left as they are, and out of the scales.
    """

    keep: Tensor | None

    def __init__(self, linear: nn.Module, bits: int, keep: Tensor | None = None) -> None:
        super().__init__()
        self.linear, self.bits = linear, bits
        self.register_buffer("keep", keep, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        if self.keep is None:
            return self.linear(per_token(x, self.bits))
        return self.linear(torch.where(self.keep, x, per_token(x * ~self.keep, self.bits)))


def round_inputs(model: Llama, bits: int, match: str = "") -> Llama:
    """Puts a RoundedInput around every block matrix whose name has `match`; 16 bits change nothing.

    Works on `model` itself, which the caller has copied, and returns it.
    """
    if bits < 16:
        for name, layer in list(block_linears(model)):
            if match in name:
                model.set_submodule(name, RoundedInput(layer, bits))
    return model
