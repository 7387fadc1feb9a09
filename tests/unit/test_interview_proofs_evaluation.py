"""Claims of the interview bank about evaluation that no lesson's cell shows, each by running it."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from halfbits.evaluate.significance import bootstrap_interval, mcnemar, two_proportions


def log_p(*rows: list[float]) -> Tensor:
    return torch.tensor(rows, dtype=torch.float64).log()


def test_equal_perplexity_and_accuracy_do_not_make_equal_models():
    base = log_p([0.6, 0.3, 0.05, 0.05], [0.5, 0.1, 0.2, 0.2])
    other = log_p([0.6, 0.02, 0.19, 0.19], [0.5, 0.35, 0.1, 0.05])
    target = torch.tensor([0, 0])
    for model in (base, other):
        assert (model.argmax(-1) == target).all()
    losses = [-model[range(2), target] for model in (base, other)]
    assert torch.equal(*losses)  # perplexity is exp of their mean
    assert (base.exp() * (base - other)).sum(-1).mean() > 0.2


def test_perplexity_can_improve_while_the_model_moves_away():
    base = log_p([0.4, 0.5, 0.05, 0.05])
    other = log_p([0.45, 0.05, 0.25, 0.25])
    assert other[0, 0] > base[0, 0]  # token 0 is the text's
    assert base.argmax() != other.argmax()
    assert (base.exp() * (base - other)).sum() > 0.5


def test_kl_is_the_cross_entropy_beyond_the_entropy_of_the_original():
    base, other = torch.randn(2, 50, 30, generator=torch.Generator().manual_seed(0)).double()
    p, q = base.log_softmax(-1), other.log_softmax(-1)
    kl = (p.exp() * (p - q)).sum(-1)
    cross, entropy = -(p.exp() * q).sum(-1), -(p.exp() * p).sum(-1)
    assert torch.allclose(kl, cross - entropy) and (kl > 0).all()


def test_not_significant_on_few_items_leaves_room_for_a_large_drop():
    lost, gained, items = 12, 5, 300
    assert mcnemar(lost, gained) > 0.05  # "no significant loss"
    differences = torch.zeros(items)
    differences[:lost], differences[lost : lost + gained] = 1, -1
    low, high = bootstrap_interval(differences)
    assert low < 0 and high > 0.04  # and a drop of four points is not excluded


def test_a_comparison_with_nan_passes_every_gate_that_asks_for_a_failure():
    change, allowed = math.nan, 0.05
    assert not change > allowed  # "if change > allowed: reject" lets it through
    assert not change <= allowed  # "accept only if change <= allowed" does not


def test_the_paired_interval_of_183_lost_and_134_gained_is_0_14_to_0_84_points() -> None:
    lost, gained, items = 183, 134, 10_000
    shares = [lost / items, gained / items, 1 - (lost + gained) / items]
    draws = np.random.default_rng(0).multinomial(items, shares, size=200_000)  # the bootstrap
    drops = 100 * (draws[:, 0] - draws[:, 1]) / items
    low, high = np.quantile(drops, [0.025, 0.975])
    assert (round(low, 2), round(high, 2)) == (0.14, 0.84)
    drop = (lost - gained) / items
    error = math.sqrt(((lost + gained) / items - drop**2) / items)
    assert abs(100 * (drop - 1.96 * error) - low) < 0.01 > abs(100 * (drop + 1.96 * error) - high)
    assert mcnemar(lost, gained) < 0.01 and two_proportions(0.8559, 0.8510, items) > 0.3


def test_a_bootstrap_interval_around_the_mean_divergence_can_miss_zero_and_still_be_tiny() -> None:
    p = log_p(*[[0.6, 0.3, 0.1]] * 40)
    q = log_p(*[[0.6 + step, 0.3 - step, 0.1] for step in torch.linspace(1e-4, 4e-4, 40).tolist()])
    kl = (p.exp() * (p - q)).sum(-1)
    low, high = bootstrap_interval(kl)
    assert 0 < low < high < 1e-6  # "significant", and less than any rounding to bf16 does


def test_an_interval_of_mean_kl_from_its_standard_error_may_reach_below_zero():
    kl = torch.tensor([0.001] * 19 + [1.0])  # one document of twenty carries nearly all of it
    assert (kl > 0).all() and kl.mean() < 1.96 * kl.std() / 20**0.5
    assert bootstrap_interval(kl)[0] > 0


def test_kl_over_a_masked_vocabulary_is_nan_unless_the_masked_entries_are_left_out():
    hidden = torch.tensor([False, False, True])
    logits = torch.tensor([[1.0, 2.0, 3.0], [1.1, 2.0, 5.0]]).masked_fill(hidden, -math.inf)
    p, q = logits.log_softmax(-1).double()
    parts = p.exp() * (p - q)
    assert parts.sum().isnan() and 0 < parts[~hidden].sum() < 0.01


def test_a_choice_by_the_likelihood_of_letters_and_one_by_generation_can_differ() -> None:
    vocabulary = ["A", "B", "C", "D", "The"]
    p = log_p([0.1, 0.3, 0.1, 0.1, 0.4])[0]
    assert vocabulary[p[:4].argmax()] == "B"  # among the letters
    assert vocabulary[p.argmax()] == "The"  # what greedy decoding writes first


def test_the_mean_over_subjects_is_not_the_mean_over_questions() -> None:
    right, asked = np.array([90, 50]), np.array([100, 500])
    assert (right / asked).mean() == 0.5
    assert right.sum() / asked.sum() < 0.25
