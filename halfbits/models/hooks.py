"""Watch a model while it runs: what goes into each linear layer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import torch
from torch import Tensor, nn

Recorded = dict[str, list[Tensor]]


def flatten_tokens(x: Tensor) -> Tensor:
    """[..., features] to [tokens, features], cut from the graph."""
    return x.detach().flatten(0, -2)


@contextmanager
def record_inputs(
    model: nn.Module, match: str = "", reduce: Callable[[Tensor], Tensor] = torch.clone
) -> Iterator[Recorded]:
    """Record `reduce` of the input [tokens, features] of every Linear whose name has `match`.

    with record_inputs(model, "down_proj") as seen:
        model(ids)
    seen["layers.0.mlp.down_proj"]      # one tensor a call

    The hooks are gone after the block, also when it raises.
    """
    seen: Recorded = {}
    handles = [
        layer.register_forward_pre_hook(partial(_keep, seen, name, reduce))
        for name, layer in model.named_modules()
        if isinstance(layer, nn.Linear) and match in name
    ]
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()


def _keep(
    seen: Recorded,
    name: str,
    reduce: Callable[[Tensor], Tensor],
    layer: nn.Module,
    inputs: tuple[Tensor, ...],
) -> None:
    seen.setdefault(name, []).append(reduce(flatten_tokens(inputs[0])))


@torch.no_grad()
def channel_amax(model: nn.Module, batches: list[Tensor], match: str = "") -> dict[str, Tensor]:
    """Largest absolute input of every channel of every matching Linear over int64 [B, T] batches.

    Name -> float32 [features]. This is what activation quantization and smoothing calibrate on.
    """
    with record_inputs(model, match, lambda x: x.abs().amax(0).float()) as seen:
        for ids in batches:
            model(ids)
    return {name: torch.stack(parts).amax(0) for name, parts in seen.items()}
