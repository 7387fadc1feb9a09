"""Tests, intervals and sample sizes, held against counting, other formulas and simulation."""

from __future__ import annotations

import math
from itertools import product

import pytest
import torch

from halfbits.evaluate.significance import (
    bootstrap_interval,
    mcnemar,
    paired_items,
    two_proportions,
    unpaired_items,
)


@pytest.mark.parametrize(("lost", "gained"), [(0, 0), (1, 0), (3, 3), (7, 2), (0, 9), (2, 10)])
def test_mcnemar_counts_the_coin_throws_that_are_as_uneven(lost: int, gained: int) -> None:
    throws = list(product((0, 1), repeat=lost + gained))
    apart = [abs(2 * sum(throw) - len(throw)) >= abs(lost - gained) for throw in throws]
    assert mcnemar(lost, gained) == pytest.approx(sum(apart) / len(throws), rel=1e-12)


def test_mcnemar_is_the_chi_square_test_when_counts_are_large() -> None:
    lost, gained = 5_300, 5_000
    # Edwards' continuity correction makes the normal approximation close.
    z = (abs(lost - gained) - 1) / math.sqrt(lost + gained)
    assert mcnemar(lost, gained) == pytest.approx(math.erfc(z / math.sqrt(2)), rel=0.01)


def test_equal_accuracies_on_different_items_are_no_difference() -> None:
    assert two_proportions(0.7, 0.7, 100) == 1.0
    assert two_proportions(1.0, 1.0, 100) == 1.0


def test_the_unpaired_test_is_the_chi_square_of_the_two_by_two_table() -> None:
    right, other, n = 851, 824, 1000
    mean = (right + other) / 2
    chi2 = sum((x - mean) ** 2 / mean + (x - mean) ** 2 / (n - mean) for x in (right, other))
    want = math.erfc(math.sqrt(chi2 / 2))
    assert two_proportions(right / n, other / n, n) == pytest.approx(want, rel=1e-12)


def test_the_bootstrap_agrees_with_the_normal_interval_of_a_mean() -> None:
    values = torch.randn(4000, generator=torch.Generator().manual_seed(0)).double() + 1
    low, high = bootstrap_interval(values)
    error = 1.96 * float(values.std()) / math.sqrt(len(values))
    # 2,000 resamples place a 2.5% quantile to about 0.06 standard errors; five times that.
    assert low == pytest.approx(float(values.mean()) - error, abs=0.15 * error)
    assert high == pytest.approx(float(values.mean()) + error, abs=0.15 * error)


def test_items_that_come_in_groups_make_a_wider_interval() -> None:
    groups = torch.arange(40).repeat_interleave(25)
    values = torch.randn(40, generator=torch.Generator().manual_seed(1))[groups]
    alone, together = bootstrap_interval(values), bootstrap_interval(values, groups)
    # 25 copies of each value are one value: sqrt(25) = 5 times as wide.
    ratio = (together[1] - together[0]) / (alone[1] - alone[0])
    assert ratio == pytest.approx(5, rel=0.15)


def test_the_bootstrap_weighs_groups_by_their_size() -> None:
    values, groups = torch.tensor([0.0, 1.0, 1.0, 1.0]), torch.tensor([0, 1, 1, 1])
    low, high = bootstrap_interval(values, groups)
    assert (low, high) == (0.0, 1.0)


@pytest.mark.parametrize(("drop", "discordant"), [(0.005, 0.032), (0.02, 0.02), (0.05, 0.2)])
def test_paired_items_give_the_power_they_promise(drop: float, discordant: float) -> None:
    items, trials = paired_items(drop, discordant), 20_000
    draw = torch.Generator().manual_seed(2)
    lost = torch.full((trials,), (discordant + drop) / 2)
    total = torch.binomial(
        torch.full((trials,), float(items)), torch.full((trials,), discordant), generator=draw
    )
    lost = torch.binomial(total, lost / discordant, generator=draw)
    found = ((2 * lost - total).abs() > 1.96 * total.sqrt()).double().mean()
    # The formula is asymptotic: with 30 discordant items its error is some points.
    assert float(found) == pytest.approx(0.8, abs=0.03 if items * discordant > 100 else 0.2)


def test_unpaired_items_give_the_power_they_promise() -> None:
    first, second, trials = 0.86, 0.85, 20_000
    items = float(unpaired_items(first, second))
    draw = torch.Generator().manual_seed(3)
    a, b = (
        torch.binomial(torch.full((trials,), items), torch.full((trials,), p), generator=draw)
        / items
        for p in (first, second)
    )
    mean = (a + b) / 2
    found = ((a - b).abs() > 1.96 * (2 * mean * (1 - mean) / items).sqrt()).double().mean()
    assert float(found) == pytest.approx(0.8, abs=0.02)


def test_sizes_for_no_difference_are_refused() -> None:
    with pytest.raises(ValueError, match="drop of 0"):
        paired_items(0.0, 0.1)
    with pytest.raises(ValueError, match=r"drop of 0\.2"):
        paired_items(0.2, 0.1)
    with pytest.raises(ValueError, match="equal"):
        unpaired_items(0.8, 0.8)
