"""The knapsack is exact: no choice of all there are is better. Greedy can be far from it."""

from __future__ import annotations

import random
from itertools import product

import pytest

from halfbits.methods import allocate
from halfbits.methods.allocate import code_bytes, greedy, knapsack, rounded


def by_trying_all(costs, sizes, budget):
    best = float("inf")
    for widths in product(*(table for table in costs.values())):
        chosen = list(zip(costs, widths, strict=True))
        if sum(sizes[name][b] for name, b in chosen) <= budget:
            best = min(best, sum(costs[name][b] for name, b in chosen))
    return best


def total(table, chosen):
    return sum(table[name][b] for name, b in chosen.items())


@pytest.mark.parametrize("seed", range(20))
def test_no_choice_of_all_is_better(seed):
    draw = random.Random(seed)
    weights = {name: draw.choice([64, 96, 176]) for name in "abcdef"}
    sizes = {name: {b: n * b / 8 for b in (2, 3, 4)} for name, n in weights.items()}
    costs = {name: {b: draw.random() * 4.0**-b for b in (2, 3, 4)} for name in weights}
    budget = sum(weights.values()) * draw.uniform(2, 4) / 8
    chosen = knapsack(costs, sizes, budget)
    assert total(sizes, chosen) <= budget
    assert total(costs, chosen) == pytest.approx(by_trying_all(costs, sizes, budget))
    for per_byte in (True, False):
        bought = greedy(costs, sizes, budget, per_byte)
        assert total(sizes, bought) <= budget
        assert total(costs, bought) >= total(costs, chosen) - 1e-12


def test_greedy_buys_the_best_step_and_misses_the_two_that_are_better_together():
    sizes = {"large": {2: 20, 3: 30}, "b": {2: 10, 3: 16}, "c": {2: 10, 3: 16}}
    costs = {"large": {2: 10.0, 3: 0.0}, "b": {2: 7.0, 3: 1.0}, "c": {2: 7.0, 3: 1.0}}
    whole = 40 + 12  # room for the large one, or for both others
    assert greedy(costs, sizes, whole, per_byte=False) == {"large": 3, "b": 2, "c": 2}
    assert knapsack(costs, sizes, whole) == {"large": 2, "b": 3, "c": 3}


def test_greedy_stops_before_a_step_that_only_pays_with_the_next():
    sizes = {"a": {2: 8, 3: 12, 4: 16}}
    costs = {"a": {2: 5.0, 3: 5.0, 4: 0.0}}
    assert greedy(costs, sizes, 16) == {"a": 2}
    assert knapsack(costs, sizes, 16) == {"a": 4}


def test_a_budget_that_nothing_fits_is_an_error():
    with pytest.raises(ValueError, match="the smallest widths take 8 bytes of 7"):
        knapsack({"a": {2: 1.0}}, {"a": {2: 8}}, 7)


def test_all_of_the_budget_is_used_when_every_bit_helps(small, ids):
    lossy, nbytes = allocate.quantize(small, ids, average=3.0, widths=(2, 3, 4), group=16)
    uniform, same = rounded(small, dict.fromkeys(code_bytes(small, [3]), 3), group=16)
    assert same - 16 < nbytes <= same  # less than one step of the smallest matrix is left
    assert not lossy(ids).equal(uniform(ids))


def test_bytes_of_a_mixture_are_those_of_its_parts(small):
    sizes = code_bytes(small, (2, 4))
    names = list(sizes)
    mixed = {name: 4 if i % 2 else 2 for i, name in enumerate(names)}
    _, nbytes = rounded(small, mixed, 16)
    _, two = rounded(small, dict.fromkeys(names, 2), 16)
    assert nbytes - two == sum(sizes[name][b] - sizes[name][2] for name, b in mixed.items())
