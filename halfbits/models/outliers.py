"""Plant activation outliers that leave the model's function as it is."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from halfbits.models.llama import Llama, RMSNorm


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


def plant_outliers(model: Llama, channels: Sequence[int], scale: float) -> Llama:
    """A copy whose norm outputs are `scale` times larger in `channels`, with the same logits.

    Large models grow such channels by themselves (Dettmers et al., LLM.int8(), 2022). With a
    power of two as `scale` the logits of a float32 model are the same to the last bit.
    """
    planted = copy.deepcopy(model)
    factor = torch.ones(model.config.hidden_size)
    factor[list(channels)] = scale
    for _, norm, readers in norms_and_readers(planted):
        rescale(norm, readers, factor)
    return planted
