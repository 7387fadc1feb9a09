"""Calibration data: windows of a text, and what the layers see of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from halfbits.models.hooks import record_inputs
from halfbits.models.llama import Block, Llama, rotary_angles

BATCH = 8


@dataclass(frozen=True)
class Seen:
    """What one linear saw: `moment` = X^T X / n, float64 [in, in], and mean |x|, float64 [in]."""

    moment: Tensor
    mean: Tensor


def windows(ids: Tensor, count: int, length: int = 256, seed: int = 0) -> Tensor:
    """`count` windows of `length` tokens at random places of `ids` [n]: int64 [count, length].

    Places are drawn without overlap while there are enough, in the order of the draw, so that a
    smaller count is a prefix of a larger one. Raises ValueError when the text has fewer windows.
    """
    whole = len(ids) // length
    if count > whole:
        raise ValueError(f"{len(ids)} tokens have {whole} windows of {length}, not {count}")
    order = torch.randperm(whole, generator=torch.Generator().manual_seed(seed))
    return ids[: whole * length].view(whole, length)[order[:count]]


@torch.no_grad()
def block_by_block(
    model: Llama, calibration: Tensor
) -> Iterator[tuple[int, Block, dict[str, Seen]]]:
    """(index, block, what its linears saw, by name in the block), first block first.

    `calibration` is int64 [sequences, tokens].

    The caller may change the block before it asks for the next: later blocks see the outputs of
    the changed one, as GPTQ does it.
    """
    places = torch.arange(calibration.shape[1])
    cos, sin = rotary_angles(places, model.config.head_dim, model.config.rope_theta)
    states = model.embed_tokens(calibration)
    for index, block in enumerate(model.blocks()):
        sums: dict[str, list[Tensor]] = {}
        for batch in states.split(BATCH):
            with record_inputs(block) as inputs:
                block(batch, cos, sin, None)
            _add(sums, inputs)
        tokens = states.shape[0] * states.shape[1]
        yield index, block, {name: Seen(m / tokens, a / tokens) for name, (m, a) in sums.items()}
        states = torch.cat([block(batch, cos, sin, None) for batch in states.split(BATCH)])


def output_error(weight: Tensor, lossy: Tensor, moment: Tensor) -> Tensor:
    """Mean squared error of each output, float64 [out]: d H d^T for d = weight - lossy, a row."""
    d = (weight - lossy).double()
    return ((d @ moment) * d).sum(-1)


def linears_of(block: Block) -> Iterator[tuple[str, nn.Linear]]:
    """(name in the block, linear) of the block's seven matrices."""
    for name, layer in block.named_modules():
        if isinstance(layer, nn.Linear):
            yield name, layer


def _add(sums: dict[str, list[Tensor]], inputs: dict[str, list[Tensor]]) -> None:
    for name, (x,) in inputs.items():
        found = (x.T @ x).double(), x.abs().sum(0).double()
        before = sums.setdefault(name, [torch.zeros_like(part) for part in found])
        for total, part in zip(before, found, strict=True):
            total += part
