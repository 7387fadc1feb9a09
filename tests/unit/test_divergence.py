"""KL between two models' predictions, on models whose answer is known."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from halfbits.evaluate import divergences, kl_divergence, log_probabilities, paired_means

WINDOWS = torch.arange(44).view(4, 11) % 8


def sure(ids: Tensor) -> Tensor:
    """Half the mass on token 0, the rest spread over seven."""
    logits = torch.zeros(*ids.shape, 8)
    logits[..., 0] = math.log(7)
    return logits


def uniform(ids: Tensor) -> Tensor:
    return torch.zeros(*ids.shape, 8)


def test_a_model_does_not_diverge_from_itself():
    base = log_probabilities(sure, WINDOWS, 5)  # type: ignore[arg-type]
    found = kl_divergence(base, sure, WINDOWS)  # type: ignore[arg-type]
    assert (found.value, found.standard_error) == (0, 0)
    assert len(found.values) == 20


def test_kl_is_that_of_the_textbook_and_not_symmetric():
    first, second = (log_probabilities(m, WINDOWS, 5) for m in (sure, uniform))  # type: ignore[arg-type]
    forward = 0.5 * math.log(0.5 * 8) + 0.5 * math.log(8 / 14)
    backward = -math.log(8) - math.log(0.5) / 8 - 7 / 8 * math.log(1 / 14)
    assert divergences(first, second).mean().item() == pytest.approx(forward, rel=1e-5)
    assert divergences(second, first).mean().item() == pytest.approx(backward, rel=1e-5)


def test_the_standard_error_counts_documents():
    base = log_probabilities(uniform, WINDOWS, 10)  # type: ignore[arg-type]

    def lossy(ids: Tensor) -> Tensor:
        return sure(ids) * (ids[:, :1, None] > 3)  # two of the four windows differ, wholly

    found = kl_divergence(base, lossy, WINDOWS)  # type: ignore[arg-type]
    each = found.values.view(4, 10).mean(1)
    assert found.standard_error == pytest.approx(each.std().item() / 2, rel=1e-6)


def test_paired_models_need_the_same_tokens():
    base = log_probabilities(uniform, WINDOWS, 5)  # type: ignore[arg-type]
    one = kl_divergence(base, sure, WINDOWS)  # type: ignore[arg-type]
    assert one.minus(one) == (0, 0)
    other = kl_divergence(base, sure, WINDOWS, torch.zeros(20, dtype=torch.int64))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="same tokens"):
        one.minus(other)


def test_means_of_documents_compare_as_tokens_do():
    base = log_probabilities(uniform, WINDOWS, 10)  # type: ignore[arg-type]

    def lossy(ids: Tensor) -> Tensor:
        return sure(ids) * (ids[:, :1, None] / 8)

    first, second = (kl_divergence(base, m, WINDOWS) for m in (sure, lossy))  # type: ignore[arg-type]
    each = [found.values.view(4, 10).mean(1).tolist() for found in (first, second)]
    assert paired_means(*each) == pytest.approx(first.minus(second), rel=1e-6)
