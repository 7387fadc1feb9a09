"""A linear layer that multiplies by a packed weight on the CPU, and a model made of such layers."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from halfbits.kernels import cpu
from halfbits.kernels.packed import Packed, pack
from halfbits.models.llama import Llama
from halfbits.models.surgery import block_linears
from halfbits.quantize import Granularity, quantize_symmetric


class PackedLinear(nn.Module):
    """y = x W^T for float32 x [..., inputs]; `integer` rounds x to int8 as well (W8A8)."""

    def __init__(self, packed: Packed, integer: bool = False) -> None:
        super().__init__()
        self.packed, self.multiply = packed, cpu.integer_matmul if integer else cpu.matmul

    @property
    def nbytes(self) -> int:
        """Bytes that one product reads of the weight."""
        return self.packed.nbytes

    def forward(self, x: Tensor) -> Tensor:
        rows = x.reshape(-1, x.shape[-1])
        return self.multiply(rows, self.packed).view(*x.shape[:-1], -1)


@torch.no_grad()
def packed_model(model: Llama, bits: int = 8, group: int = 128, integer: bool = False) -> Llama:
    """A copy whose block matrices are packed: int8 per channel, or int4 in groups."""
    made = copy.deepcopy(model)
    granularity: Granularity = "channel" if bits == 8 else group
    for name, layer in list(block_linears(made)):
        packed = pack(quantize_symmetric(layer.weight, bits, granularity))
        made.set_submodule(name, PackedLinear(packed, integer))
    return made
