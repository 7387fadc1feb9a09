"""What methods change in a decoder: its block matrices, and its norms with what reads them."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from halfbits.models.llama import Llama, RMSNorm
from halfbits.quantize import Quantized


def block_linears(model: Llama) -> Iterator[tuple[str, nn.Linear]]:
    """(name, layer) of the seven matrices of every layer; embedding and head are left out."""
    for name, layer in model.named_modules():
        if name.startswith("layers.") and isinstance(layer, nn.Linear):
            yield name, layer


@torch.no_grad()
def put(layer: nn.Linear, found: Quantized) -> float:
    """Give `layer` [out, in] the values of `found`, which stays with it; returns its bytes.

    `stored` finds the codes again: other programs take those, not the values.
    """
    layer.weight.copy_(found.dequantize())
    layer.__dict__["stored"] = found  # beside the parameters: it is no part of a state dict
    return found.nbytes


def stored(model: Llama) -> dict[str, Quantized]:
    """The codes and scales behind the values of each block matrix that `put` filled, by name."""
    found = {name: layer.__dict__.get("stored") for name, layer in block_linears(model)}
    return {name: codes for name, codes in found.items() if codes is not None}


@torch.no_grad()
def half_the_rest(model: Llama) -> int:
    """Round what is no block matrix (embedding, norms) to float16 values; returns its bytes."""
    inside = {id(layer.weight) for _, layer in block_linears(model)}
    rest = [p for p in model.parameters() if id(p) not in inside]
    for parameter in rest:
        parameter.copy_(parameter.half())
    return sum(2 * p.numel() for p in rest)


def norms_and_readers(model: Llama) -> Iterator[tuple[str, RMSNorm, list[nn.Linear]]]:
    """Every norm inside the layers, named by its first reader, with the linears that read it."""
    for index, block in enumerate(model.blocks()):
        attention, mlp = block.self_attn, block.mlp
        readers = [attention.q_proj, attention.k_proj, attention.v_proj]
        yield f"layers.{index}.self_attn.q_proj", block.input_layernorm, readers
        readers = [mlp.gate_proj, mlp.up_proj]
        yield f"layers.{index}.mlp.gate_proj", block.post_attention_layernorm, readers


@torch.no_grad()
def rescale(norm: RMSNorm, readers: list[nn.Linear], factor: Tensor) -> None:
    """Multiply the norm's output channels by `factor` [features], undo it in the readers' columns.

    (x f) (W / f)^T = x W^T, exactly so when every factor is a power of two.
    """
    norm.weight.mul_(factor)
    for linear in readers:
        linear.weight.div_(factor)
