"""How far one model's predictions are from another's, by Kullback and Leibler (1951)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from halfbits.evaluate.token_loss import clustered_standard_error

BATCH = 8


@dataclass(frozen=True)
class Divergence:
    """Mean KL(base || other) a token in nats, over `values` float64 [tokens] in `groups`.

    The standard error counts clusters (documents), not tokens.
    """

    value: float
    standard_error: float
    values: Tensor
    groups: Tensor

    def minus(self, other: Divergence) -> tuple[float, float]:
        """This mean minus the other's, and its standard error: paired, on the same tokens.

        Raises ValueError for divergences of other tokens.
        """
        if not torch.equal(self.groups, other.groups):
            raise ValueError("the two divergences were not measured on the same tokens")
        difference = self.values - other.values
        mean = float(difference.mean())
        return mean, clustered_standard_error(difference - mean, self.groups)


@torch.no_grad()
def log_probabilities(model: nn.Module, windows: Tensor, last: int) -> Tensor:
    """Log-probabilities of the `last` predictions of int64 windows [w, context + 1].

    Float32 [w, last, vocabulary]: the reference is kept, and every model is held to it.
    """
    parts = [
        F.log_softmax(model(batch[:, :-1])[:, -last:].float(), -1) for batch in windows.split(BATCH)
    ]
    return torch.cat(parts)


def divergences(base: Tensor, other: Tensor) -> Tensor:
    """KL(base || other) = sum_v p_v (log p_v - log q_v) of log-probabilities [..., vocabulary].

    Float64 [...], in nats.
    """
    return torch.stack(
        [
            (p.double().exp() * (p.double() - q.double())).sum(-1)
            for p, q in zip(base, other, strict=True)
        ]
    )


def kl_divergence(
    base: Tensor, model: nn.Module, windows: Tensor, groups: Tensor | None = None
) -> Divergence:
    """KL of `model` from the reference that `log_probabilities` gave for the same windows.

    `groups` int64 [w * last] names each token's cluster; left out, each window is one.
    """
    last = base.shape[1]
    values = divergences(base, log_probabilities(model, windows, last)).flatten()
    where = torch.arange(len(values)) // last if groups is None else groups
    mean = float(values.mean())
    return Divergence(mean, clustered_standard_error(values - mean, where), values, where)


def paired_means(first: list[float], second: list[float]) -> tuple[float, float]:
    """Mean of first minus second over documents of one length, and its standard error.

    For records that keep one mean a document: any two of their rows can be compared, paired.
    """
    difference = torch.tensor(first, dtype=torch.float64) - torch.tensor(
        second, dtype=torch.float64
    )
    return float(difference.mean()), float(difference.std() / len(difference) ** 0.5)
