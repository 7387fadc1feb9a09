"""Is a difference between two models more than chance? Tests, intervals, and the items they need.

Two models that answer the same items make paired data: only items on which they differ say which
is better, and what makes an item hard for both cancels.
"""

from __future__ import annotations

import math
from statistics import NormalDist

import torch
from torch import Tensor

NORMAL = NormalDist()


def mcnemar(lost: int, gained: int) -> float:
    """Exact two-sided p-value of McNemar's test (1947): P(a fair coin splits this unevenly).

    Of the items that exactly one model answers right, `lost` are right in the first and `gained`
    in the second; under the null hypothesis each is as likely one as the other.
    """
    total = lost + gained
    tail = sum(math.comb(total, k) for k in range(min(lost, gained) + 1))
    return min(1.0, 2 * tail / 2**total)


def two_proportions(first: float, second: float, items: int) -> float:
    """Two-sided p-value of the z test for two accuracies on *different* sets of `items` items."""
    pooled = (first + second) / 2
    spread = math.sqrt(2 * pooled * (1 - pooled) / items)
    if spread == 0:
        return 1.0
    return 2 * NORMAL.cdf(-abs(first - second) / spread)


def bootstrap_interval(
    values: Tensor, groups: Tensor | None = None, resamples: int = 2000, seed: int = 0
) -> tuple[float, float]:
    """95% percentile interval of the mean of `values` [n] (Efron, 1979).

    With `groups` int64 [n], whole groups are drawn: items of one group are alike. For a paired
    comparison pass the differences, item by item.
    """
    where = torch.arange(len(values)) if groups is None else groups.unique(return_inverse=True)[1]
    size = int(where.max()) + 1
    sums = torch.zeros(size, dtype=torch.float64).index_add(0, where, values.double())
    counts = torch.zeros(size, dtype=torch.float64).index_add(
        0, where, torch.ones_like(sums[where])
    )
    draw = torch.Generator().manual_seed(seed)
    means = torch.empty(resamples, dtype=torch.float64)
    for index in range(resamples):
        picked = torch.randint(size, (size,), generator=draw)
        # Plain indexing would start threads for each resample, which costs more than the work.
        total, size_drawn = (part.index_select(0, picked).sum() for part in (sums, counts))
        means[index] = total / size_drawn
    low, high = means.quantile(torch.tensor([0.025, 0.975], dtype=torch.float64)).tolist()
    return low, high


def paired_items(drop: float, discordant: float, power: float = 0.8, alpha: float = 0.05) -> int:
    """Items with which McNemar's test finds a drop of accuracy with probability `power`.

    n = (z_{alpha/2} sqrt(d) + z_{power} sqrt(d - drop^2))^2 / drop^2, where d = `discordant` is
    the share of items that exactly one model answers right (Connor, 1987).
    Raises ValueError when drop is 0 or more than d.
    """
    if not 0 < abs(drop) <= discordant <= 1:
        raise ValueError(f"a drop of {drop} needs a discordant share of {abs(drop)} to 1, and no 0")
    spread = z(1 - alpha / 2) * math.sqrt(discordant)
    spread += z(power) * math.sqrt(discordant - drop**2)
    return math.ceil((spread / drop) ** 2)


def unpaired_items(first: float, second: float, power: float = 0.8, alpha: float = 0.05) -> int:
    """Items *for each model* with which the unpaired z test finds that two accuracies differ.

    n = (z_{alpha/2} sqrt(2 p (1-p)) + z_{power} sqrt(p1 (1-p1) + p2 (1-p2)))^2 / (p1 - p2)^2
    with p the mean of both. Raises ValueError for equal accuracies.
    """
    if first == second:
        raise ValueError("equal accuracies cannot be told apart with any number of items")
    mean = (first + second) / 2
    spread = z(1 - alpha / 2) * math.sqrt(2 * mean * (1 - mean))
    spread += z(power) * math.sqrt(first * (1 - first) + second * (1 - second))
    return math.ceil((spread / (first - second)) ** 2)


def z(quantile: float) -> float:
    """The standard normal value below which `quantile` of the mass lies."""
    return NORMAL.inv_cdf(quantile)
