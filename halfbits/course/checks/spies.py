"""Layers that write down what they are given: the dtype of an input, autocast's state."""

from __future__ import annotations

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


class ListeningBatchNorm(Listener, nn.BatchNorm1d):
    """The same of BatchNorm1d."""


class ListeningInstanceNorm(Listener, nn.InstanceNorm1d):
    """The same of InstanceNorm1d."""


def listening_norms(features: int) -> dict[str, nn.Module]:
    """One norm layer of each family, of a subclass, that writes down the dtypes it is given."""
    norms = (
        ListeningLayerNorm(features),
        ListeningRMSNorm(features),
        ListeningGroupNorm(2, features),
        ListeningBatchNorm(features),
        ListeningInstanceNorm(features),
    )
    return {type(norm).__name__: norm for norm in norms}


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
