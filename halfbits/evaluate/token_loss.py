"""How good is a model: perplexity (Jelinek and others, 1977) with a standard error, and paired
differences on one text.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F


@dataclass(frozen=True)
class Perplexity:
    """exp of the mean loss a token, in nats, of `tokens` predictions in `clusters` groups.

    Tokens of one document are alike, so the standard error counts clusters, not tokens.
    `losses` float64 [tokens] and `groups` int64 [tokens] are kept for paired comparisons.
    """

    value: float
    standard_error: float
    tokens: int
    clusters: int
    losses: Tensor
    groups: Tensor

    def __str__(self) -> str:
        return f"{self.value:.3f} ± {self.standard_error:.3f} a token ({self.tokens:,} tokens)"


@dataclass(frozen=True)
class Change:
    """Perplexity of `other` minus that of `base` on the same tokens, and its standard error."""

    difference: float
    standard_error: float


@torch.no_grad()
def token_losses(
    model: nn.Module, ids: Tensor, context: int = 512, stride: int = 256, batch: int = 8
) -> Tensor:
    """-log p of ids[1:] in nats, float64 [n - 1], for `ids` int64 [n].

    Windows of `context` tokens start every `stride` tokens, and each judges only what the one
    before did not: a token is predicted from at least `context - stride` tokens before it, the
    first ones of the text excepted. stride = context is cheaper, and judges tokens that open a
    window with nothing before them. Raises ValueError for a stride that is not 1 to `context`.
    """
    if not 0 < stride <= context:
        raise ValueError(f"stride is {stride}; 1 to {context} (the context) was expected")
    count = len(ids) - 1
    head = min(context, count)
    parts = [window_losses(model, ids[None, : head + 1], head)]
    whole, rest = divmod(count - head, stride)
    if whole:
        windows = ids[stride:].unfold(0, context + 1, stride)
        parts += [window_losses(model, w, stride) for w in windows.split(batch)]
    if rest:
        parts.append(window_losses(model, ids[None, -context - 1 :], rest))
    return torch.cat([part.flatten() for part in parts])


@torch.no_grad()
def window_losses(model: nn.Module, windows: Tensor, last: int) -> Tensor:
    """-log p of the `last` tokens of int64 windows [w, context + 1], float64 [w, last]."""
    logits = model(windows[:, :-1])[:, -last:].float()
    targets = windows[:, -last:]
    losses = F.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="none")
    return losses.double().view(targets.shape)


def perplexity(
    model: nn.Module,
    ids: Tensor,
    context: int = 512,
    stride: int | None = None,
    groups: Tensor | None = None,
) -> Perplexity:
    """Perplexity a token of `ids` (int64 [n], n of at least 2); see `token_losses`.

    `stride` is half the context when left out.

    `groups` int64 [n - 1] names the cluster of each predicted token (`document_groups`);
    left out, the clusters are pieces of `context` tokens. Raises ValueError for fewer than 2 ids.
    """
    if len(ids) < 2:
        raise ValueError(f"perplexity needs at least 2 tokens, got {len(ids)}")
    losses = token_losses(model, ids, context, stride or max(1, context // 2))
    return summarize(losses, torch.arange(len(losses)) // context if groups is None else groups)


def summarize(losses: Tensor, groups: Tensor) -> Perplexity:
    """Perplexity of losses float64 [tokens] in clusters int64 [tokens]."""
    value = math.exp(losses.mean())
    error = clustered_standard_error(value * (losses - losses.mean()), groups)
    return Perplexity(value, error, len(losses), len(groups.unique()), losses, groups)


def document_groups(ids: Tensor, end: int) -> Tensor:
    """The document of each predicted token, int64 [n - 1]: `end` opens a new one."""
    return (ids == end).cumsum(0)[1:]


def compare(base: Perplexity, other: Perplexity) -> Change:
    """Paired difference: both models saw the same tokens, so what the text adds cancels.

    Standard error of exp(m2) - exp(m1) by the delta method: each token's influence is
    exp(m2) (l2 - m2) - exp(m1) (l1 - m1), summed within clusters. Raises ValueError for
    perplexities of other tokens.
    """
    if not torch.equal(base.groups, other.groups):
        raise ValueError("the two perplexities were not measured on the same tokens")
    first = base.value * (base.losses - base.losses.mean())
    second = other.value * (other.losses - other.losses.mean())
    return Change(other.value - base.value, clustered_standard_error(second - first, base.groups))


def clustered_standard_error(influence: Tensor, groups: Tensor) -> float:
    """sqrt(G / (G - 1) * sum of squared cluster sums) / n; NaN for a single cluster.

    `influence` float64 [n] of each item, `groups` int64 [n] its cluster; G clusters in all.
    """
    _, where = groups.unique(return_inverse=True)
    sums = torch.zeros(int(where.max()) + 1, dtype=torch.float64).index_add(0, where, influence)
    if len(sums) < 2:
        return math.nan
    return math.sqrt(len(sums) / (len(sums) - 1) * float(sums.square().sum())) / len(influence)
