"""What layers are given and give: layers that write it down, and hooks on those of a model."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch
from torch import Tensor, nn


class Listener(nn.Module):
    """Mixed into a layer: `heard` holds the dtype of each input."""

    def forward(self, x: Tensor) -> Tensor:
        self.__dict__.setdefault("heard", []).append(x.dtype)
        return super().forward(x)


class ListeningLayerNorm(Listener, nn.LayerNorm):
    """A LayerNorm of a subclass that a conversion does not know by name."""


class ListeningRMSNorm(Listener, nn.RMSNorm):
    """The same of RMSNorm."""


class ListeningGroupNorm(Listener, nn.GroupNorm):
    """The same of GroupNorm."""


class ListeningBatchNorm1d(Listener, nn.BatchNorm1d):
    """The same of BatchNorm1d."""


class ListeningBatchNorm2d(Listener, nn.BatchNorm2d):
    """The same of BatchNorm2d."""


class ListeningBatchNorm3d(Listener, nn.BatchNorm3d):
    """The same of BatchNorm3d."""


class ListeningInstanceNorm1d(Listener, nn.InstanceNorm1d):
    """The same of InstanceNorm1d."""


class ListeningInstanceNorm2d(Listener, nn.InstanceNorm2d):
    """The same of InstanceNorm2d."""


class ListeningInstanceNorm3d(Listener, nn.InstanceNorm3d):
    """The same of InstanceNorm3d."""


def listening_norms(features: int) -> dict[str, tuple[nn.Module, tuple[int, ...]]]:
    """A norm of a subclass of each class, with an input's shape."""
    affine = {"affine": True, "track_running_stats": True}
    norms: list[tuple[nn.Module, tuple[int, ...]]] = [
        (ListeningLayerNorm(features), (features,)),
        (ListeningRMSNorm(features), (features,)),
        (ListeningGroupNorm(2, features), (features,)),
        (ListeningBatchNorm1d(features), (features,)),
        (ListeningBatchNorm2d(features), (features, 2, 2)),
        (ListeningBatchNorm3d(features), (features, 1, 2, 2)),
        (ListeningInstanceNorm1d(features, **affine), (features, 3)),
        (ListeningInstanceNorm2d(features, **affine), (features, 2, 2)),
        (ListeningInstanceNorm3d(features, **affine), (features, 1, 2, 2)),
    ]
    return {type(norm).__name__: (norm, (3, *shape)) for norm, shape in norms}


def kind(layer: nn.Module) -> str:
    """A layer's class in words: "LayerNorm", or "a subclass of LayerNorm"."""
    own, *_, base = (type(layer), *type(layer).__bases__)
    return f"a subclass of {base.__name__}" if isinstance(layer, Listener) else own.__name__


@contextlib.contextmanager
def calls_of_layers(model: nn.Module) -> Iterator[list[tuple[str, nn.Module, Tensor, Tensor]]]:
    """What the layers without children do in the block: name, layer, input and output of each call.

    A name is that of `named_modules`; the list is in the order in which the calls end.
    """
    made: list[tuple[str, nn.Module, Tensor, Tensor]] = []
    handles = [
        layer.register_forward_hook(
            lambda layer, given, out, name=name: made.append((name, layer, given[0], out))
        )
        for name, layer in model.named_modules()
        if not list(layer.children())
    ]
    yield made
    for handle in handles:
        handle.remove()


class Probe(nn.Module):
    """A linear layer that writes down in `seen` the circumstances of its call."""

    def __init__(self, n_in: int = 8, n_out: int = 4) -> None:
        super().__init__()
        self.linear = nn.Linear(n_in, n_out)
        self.seen: dict[str, object] = {}

    def forward(self, x: Tensor) -> Tensor:
        self.seen = {
            "input": x.dtype,
            "autocast": torch.is_autocast_enabled("cpu"),
            "autocast dtype": torch.get_autocast_dtype("cpu"),
            "weight": self.linear.weight.dtype,
        }
        cast = torch.is_autocast_enabled("cpu")
        return self.linear(x if cast else x.to(self.linear.weight.dtype))
