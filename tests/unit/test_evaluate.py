"""Perplexity and its standard errors, checked on models whose answer is known."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from halfbits.evaluate import (
    Perplexity,
    compare,
    document_groups,
    perplexity,
    summarize,
    token_losses,
)


def uniform(ids: Tensor) -> Tensor:
    return torch.zeros(*ids.shape, 8)


def test_a_model_that_knows_nothing_has_the_vocabulary_as_perplexity():
    found = perplexity(uniform, torch.arange(100) % 8, context=16)  # type: ignore[arg-type]
    assert found.tokens == 99
    assert found.value == pytest.approx(8, rel=1e-6)
    # All losses are equal: what spread there is comes from float32 rounding of log 8.
    assert not found.standard_error > 8 * math.log(8) * torch.finfo(torch.float32).eps


def counter(ids: Tensor) -> Tensor:
    """Logits whose loss for the next token of 0, 1, 2, ... is known: right, with odds by place."""
    places = torch.arange(ids.shape[1]).expand(ids.shape)
    return torch.nn.functional.one_hot(ids + 1, 200) * (1.0 + places[..., None] / 100)


@pytest.mark.parametrize(("context", "stride"), [(16, 16), (16, 8), (16, 5), (64, 64)])
def test_every_token_is_judged_once_in_its_place_with_enough_before_it(context, stride):
    losses = token_losses(counter, torch.arange(50), context, stride)  # type: ignore[arg-type]
    assert len(losses) == 49
    # Loss falls with the tokens seen before: log(1 + 199 exp(-(1 + seen / 100))).
    seen = ((199 / losses.expm1()).log() - 1) * 100
    want = torch.arange(49.0).double()
    inside = want >= context
    assert torch.allclose(seen[~inside], want[~inside], atol=0.05)
    assert (seen[inside] >= context - stride - 0.05).all() and (seen < context).all()


def test_a_stride_beyond_the_context_is_refused():
    with pytest.raises(ValueError, match="1 to 16"):
        token_losses(uniform, torch.arange(50), 16, 17)  # type: ignore[arg-type]


def made(losses: list[float], groups: list[int]) -> Perplexity:
    values, clusters = torch.tensor(losses, dtype=torch.float64), torch.tensor(groups)
    return Perplexity(math.exp(values.mean()), 0.0, len(values), 2, values, clusters)


def test_a_constant_shift_of_the_losses_changes_perplexity_with_a_small_paired_error():
    noise = torch.randn(2000, generator=torch.Generator().manual_seed(0)).double() + 3
    groups = (torch.arange(2000) // 20).tolist()
    base, other = made(noise.tolist(), groups), made((noise + 0.01).tolist(), groups)
    change = compare(base, other)
    assert change.difference == pytest.approx(base.value * math.expm1(0.01), rel=1e-9)
    # exp(m2) - exp(m1) still varies with the text, but a hundred times less than exp(m1).
    single = base.value * float(noise.std()) / math.sqrt(2000)
    assert 0 < change.standard_error < 0.02 * single


def test_the_standard_error_covers_the_truth_about_as_often_as_it_says():
    draw = torch.Generator().manual_seed(1)
    truth, hits = math.exp(2.0), 0
    for _ in range(400):
        shared = torch.randn(40, 1, generator=draw) * 0.2
        losses = (2.0 + shared + 0.3 * torch.randn(40, 10, generator=draw)).flatten().double()
        groups = torch.arange(400) // 10
        found = summarize(losses, groups)
        hits += abs(found.value - truth) < 2 * found.standard_error
    # 95 % nominal; 40 clusters and 400 trials leave a few percent either way.
    assert 0.90 <= hits / 400 <= 0.99


def test_two_texts_cannot_be_compared():
    with pytest.raises(ValueError, match="not measured on the same tokens"):
        compare(made([1, 2], [0, 1]), made([1, 2], [0, 0]))


def test_documents_open_at_the_end_token():
    assert document_groups(torch.tensor([0, 5, 5, 0, 7]), end=0).tolist() == [1, 1, 2, 2]


def test_one_cluster_has_no_standard_error():
    assert math.isnan(perplexity(uniform, torch.zeros(9, dtype=torch.int64)).standard_error)  # type: ignore[arg-type]


def test_a_single_token_is_refused():
    with pytest.raises(ValueError, match="at least 2"):
        perplexity(uniform, torch.tensor([1]))  # type: ignore[arg-type]
