"""The predictors against exact sums: Fisher's diagonal is the KL's curvature, a probe the trace."""

from __future__ import annotations

import copy
from functools import partial

import pytest
import torch
from torch.nn import functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

from halfbits.evaluate import divergences, log_probabilities
from halfbits.methods import sensitivity
from halfbits.methods.sensitivity import (
    divergence_alone,
    fisher,
    fisher_diagonal,
    hessian_traces,
    measured_output_error,
    rank_correlation,
    weight_error,
)
from halfbits.models.llama import Llama, LlamaConfig
from halfbits.models.surgery import block_linears
from halfbits.quantize import quantize_symmetric

THREE_BITS = partial(quantize_symmetric, bits=3)
NAME = "layers.0.self_attn.k_proj"


@pytest.fixture
def least() -> Llama:
    """One layer of width 8 in float64, so small that sums over everything are exact."""
    sizes = LlamaConfig(11, 8, 12, 1, 2, 1, 4, 16)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return Llama(sizes).double().eval().requires_grad_(False)


@pytest.fixture
def text():
    return torch.randint(11, (2, 5), generator=torch.Generator().manual_seed(0))


def exact_fisher(model, ids, name):
    """mean over tokens of sum_v p_v (gradient of -log p_v)^2."""
    model = copy.deepcopy(model)
    weight = model.get_submodule(name).weight.requires_grad_()
    logs = model(ids).log_softmax(-1).flatten(0, 1)
    total = torch.zeros_like(weight)
    for row in logs:
        for value in row:
            (grad,) = torch.autograd.grad(value, weight, retain_graph=True)
            total += value.detach().exp() * grad.square()
    return total / len(logs)


def test_fishers_diagonal_is_the_curvature_of_the_divergence(least, text):
    found, moved = exact_fisher(least, text, NAME), copy.deepcopy(least)
    base, step = least(text).log_softmax(-1), 1e-3
    for place in ((0, 0), (3, 5)):
        moved.get_submodule(NAME).weight[place] += step
        kl = divergences(base, moved(text).log_softmax(-1)).mean()
        moved.get_submodule(NAME).weight[place] -= step
        assert kl.item() == pytest.approx(0.5 * found[place].item() * step**2, rel=1e-2)


def test_labels_drawn_from_the_model_give_it_on_average(least, text):
    draws = torch.stack([fisher_diagonal(least, text, seed)[NAME].sum() for seed in range(400)])
    want, error = exact_fisher(least, text, NAME).sum(), draws.std() / 400**0.5
    assert abs(draws.mean() - want) < 4 * error
    assert error < 0.1 * want  # the bound says something


def test_a_mean_of_probes_is_the_trace(least, text):
    model = copy.deepcopy(least)
    weight = model.get_submodule(NAME).weight.requires_grad_()
    with sdpa_kernel(SDPBackend.MATH):
        loss = F.cross_entropy(model(text)[:, :-1].flatten(0, 1), text[:, 1:].flatten())
        (grad,) = torch.autograd.grad(loss, weight, create_graph=True)
        rows = [
            torch.autograd.grad(g, weight, retain_graph=True)[0].flatten()[i]
            for i, g in enumerate(grad.flatten())
        ]
    want = torch.stack(rows).sum()
    draws = torch.tensor([hessian_traces(least, text, 1, seed)[NAME] for seed in range(200)])
    assert abs(draws.mean() - want) < 4 * draws.std() / 200**0.5
    several = hessian_traces(least, text, 16, seed=0)[NAME]
    assert abs(several - want) < 5 * draws.std() / 4


def test_errors_are_squares_of_what_rounding_moves(small, ids):
    name, layer = next(iter(block_linears(small)))
    lost = THREE_BITS(layer.weight).dequantize() - layer.weight
    assert weight_error(small, THREE_BITS)[name] == pytest.approx(lost.square().sum().item())
    relative = weight_error(small, THREE_BITS, relative=True)[name]
    assert relative == pytest.approx((lost.square().sum() / layer.weight.square().sum()).item())
    x = small.layers[0].input_layernorm(small.embed_tokens(ids)).flatten(0, 1)
    want = (x @ lost.T).square().mean(0).sum().item()
    assert measured_output_error(small, ids, THREE_BITS)[name] == pytest.approx(want, rel=1e-4)
    share = want / (x @ layer.weight.T).square().mean(0).sum().item()
    found = measured_output_error(small, ids, THREE_BITS, relative=True)[name]
    assert found == pytest.approx(share, rel=1e-4)


def test_a_matrix_alone_is_rounded_and_put_back(small, ids):
    base = log_probabilities(small, ids, 20)
    truth = divergence_alone(small, base, ids, THREE_BITS)
    assert len(truth) == 14 and all(value > 0 for value in truth.values())
    lossy = copy.deepcopy(small)
    layer = lossy.get_submodule(NAME)
    layer.weight.copy_(THREE_BITS(layer.weight).dequantize())
    want = divergences(base, log_probabilities(lossy, ids, 20)).mean().item()
    assert truth[NAME] == pytest.approx(want, rel=1e-6)


def test_fisher_predicts_the_divergence_in_nats_and_the_weights_error_does_not(small, ids):
    # Random logits are huge: labels drawn from them are nearly always the same, and tell little.
    small.embed_tokens.weight.mul_(0.15)
    base = log_probabilities(small, ids, 23)
    truth = divergence_alone(small, base, ids, THREE_BITS)
    predicted = fisher(small, ids, THREE_BITS)
    assert rank_correlation(predicted, truth) > 0.8
    assert rank_correlation(weight_error(small, THREE_BITS), truth) < 0.5
    assert 0.5 < sum(predicted.values()) / sum(truth.values()) < 2


def test_no_gradient_is_left_on_the_model(small, ids):
    fisher_diagonal(small, ids)
    hessian_traces(small, ids, 1)
    assert not any(p.requires_grad or p.grad is not None for p in small.parameters())


def test_ranks_are_spearmans():
    first = {"a": 0.1, "b": 20.0, "c": 3.0, "d": 0.5, "e": 7.0}  # ranks 0 4 2 1 3
    second = {"c": -5.0, "a": -9.0, "e": 8.0, "b": 2.0, "d": -7.0}  # of a to e: 0 3 2 1 4
    assert rank_correlation(first, second) == pytest.approx(1 - 6 * 2 / (5 * 24))
    turned = {name: -value for name, value in first.items()}
    assert rank_correlation(first, turned) == pytest.approx(-1)


def test_hutchinson_weighs_the_error_by_the_mean_of_the_diagonal(least, text):
    traces = hessian_traces(least, text, 2, seed=3)
    found = sensitivity.hutchinson(least, text, THREE_BITS, probes=2, seed=3)
    error = weight_error(least, THREE_BITS)[NAME]
    assert found[NAME] == pytest.approx(traces[NAME] / 32 * error, rel=1e-6)
