"""The course's own Llama as an engine: plain PyTorch, the baseline of every ratio."""

from __future__ import annotations

from collections import Counter

import torch
from torch import Tensor, nn

from halfbits.engines.engine import Engine
from halfbits.models.generate import stream
from halfbits.models.llama import Llama


class Own(Engine):
    """A model in memory; codes were restored to float32 when it was quantized."""

    name, package = "halfbits", "torch"

    def __init__(self, model: Llama) -> None:
        self._model = model

    @torch.no_grad()
    def logits(self, ids: Tensor) -> Tensor:
        """As `Engine.logits`."""
        return self._model(ids[None])[0]

    def greedy(self, ids: Tensor, count: int) -> list[int]:
        """As `Engine.greedy`."""
        return list(stream(self._model, ids, count))

    def what_ran(self) -> str:
        """The kinds of layers, and the type that they multiply in."""
        return kinds_of_layers(self._model)


def kinds_of_layers(model: nn.Module) -> str:
    """Such as "43 Linear in float32": how many products of which class and type a model makes."""
    kinds: Counter[tuple[str, str]] = Counter()
    for layer in model.modules():
        if isinstance(layer, nn.Linear) or "Linear" in type(layer).__name__:
            weight = getattr(layer, "weight", None)
            kind = weight.dtype if isinstance(weight, Tensor) else torch.int8
            kinds[type(layer).__name__, str(kind).removeprefix("torch.")] += 1
    return ", ".join(f"{n} {layer} in {kind}" for (layer, kind), n in kinds.most_common())
