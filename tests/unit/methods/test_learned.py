"""Learned rounding, training through the rounding, and low-rank corrections."""

from __future__ import annotations

import copy
from itertools import product

import pytest
import torch

from halfbits.evaluate import kl_divergence, log_probabilities
from halfbits.methods import low_rank, qat, rtn
from halfbits.methods.calibration import output_error
from halfbits.methods.low_rank import correction
from halfbits.methods.qat import straight_through
from halfbits.methods.rounding import learn_rounding, soft
from halfbits.methods.rtn import round_to_nearest


def correlated(rows, size):
    draw = torch.Generator().manual_seed(0)
    x = torch.randn(8 * size, size, generator=draw, dtype=torch.float64).cumsum(1)
    return torch.randn(rows, size, generator=draw), x.T @ x / len(x)


def test_learned_rounding_comes_close_to_the_best_of_all_floors_and_ceilings():
    draw = torch.Generator().manual_seed(0)
    x = torch.randn(400, 7, generator=draw, dtype=torch.float64)
    x = x + torch.randn(400, 1, generator=draw, dtype=torch.float64)  # all inputs half alike
    w, moment = torch.randn(12, 7, generator=draw), x.T @ x / 400
    base = round_to_nearest(w, 4, "channel")
    found = learn_rounding(w, moment, base, steps=300)
    floor = (w / base.scale).clamp(-7, 7).floor()
    ups = torch.tensor(list(product((0.0, 1.0), repeat=7)))
    best = sum(
        output_error(w[i], (floor[i] + ups).clamp(-7, 7) * base.scale[i], moment).min()
        for i in range(12)
    )
    nearest = output_error(w, base.dequantize(), moment).sum()
    lost = output_error(w, found.dequantize(), moment).sum()
    assert best <= lost * (1 + 1e-9)
    assert lost < best + 0.5 * (nearest - best)
    codes = found.codes - floor
    assert ((codes >= 0) & (codes <= 1)).all()


def test_the_stretched_sigmoid_reaches_both_ends_and_starts_at_the_weights_place():
    assert soft(torch.tensor([-9.0, 0.0, 9.0])).tolist() == [0, 0.5, 1]


def test_learned_rounding_never_ends_worse_than_nearest():
    w, moment = correlated(6, 32)
    base = round_to_nearest(w, 3, 16)
    for steps in (0, 3):
        found = learn_rounding(w, moment, base, steps)
        assert (
            output_error(w, found.dequantize(), moment).sum()
            <= output_error(w, base.dequantize(), moment).sum()
        )


def test_the_gradient_is_that_of_the_clip():
    w = torch.tensor([[0.2, -0.6, 5.0, -5.0]])
    base = round_to_nearest(w, 3, "channel", clip=0.5)
    w.requires_grad_()
    values = straight_through(w, base)
    assert torch.equal(values.detach(), base.dequantize())
    (gradient,) = torch.autograd.grad((values * torch.tensor([1.0, 2, 3, 4])).sum(), w)
    torch.testing.assert_close(gradient, torch.tensor([[1.0, 2, 0, 0]]))


def test_training_lowers_the_divergence_at_the_same_bytes(small, ids):
    small.embed_tokens.weight.mul_(0.15)
    before = copy.deepcopy(small.state_dict())
    base = log_probabilities(small, ids, 20)
    plain, same = rtn.quantize(small, None, 3, 16)
    found, nbytes = qat.quantize(small, ids, 3, 16, steps=60, rate=3e-3)
    assert nbytes == same
    assert kl_divergence(base, found, ids).value < 0.7 * kl_divergence(base, plain, ids).value
    assert all(torch.equal(before[name], value) for name, value in small.state_dict().items())
    assert not any(p.requires_grad for p in small.parameters())


def test_no_correction_of_the_rank_is_better():
    w, moment = correlated(10, 12)
    error = (round_to_nearest(w, 3, "channel").dequantize() - w).double()
    a, b = correction(error, moment, 3)
    lost = output_error(error, a @ b, moment).sum()
    factor = torch.linalg.cholesky(moment)
    dropped = torch.linalg.svdvals(error @ factor)[3:].square().sum()
    torch.testing.assert_close(lost, dropped)  # Eckart and Young: what every rank 3 has to lose
    draw = torch.Generator().manual_seed(0)
    for _ in range(20):
        noise = 1e-2 * torch.randn(a.shape, generator=draw, dtype=torch.float64)
        assert output_error(error, (a + noise) @ b, moment).sum() >= lost * (1 - 1e-12)
    whole = correction(error, moment, 10)
    torch.testing.assert_close(whole[0] @ whole[1], error)


@pytest.mark.parametrize("weighted", [True, False])
def test_a_corrections_bytes_are_its_float16_values(small, ids, weighted):
    _, nbytes = low_rank.quantize(small, ids, rank=2, bits=4, granularity=16, weighted=weighted)
    inputs_and_outputs = 2 * (2 * 64 + 2 * (32 + 16) + 3 * (32 + 44))
    assert nbytes == rtn.quantize(small, None, 4, 16)[1] + 2 * 2 * inputs_and_outputs
