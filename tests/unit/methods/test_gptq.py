"""GPTQ against its equations step by step, against Keras, and against the best codes there are."""

from __future__ import annotations

import copy
from itertools import product

import numpy as np
import pytest
import torch

from halfbits.methods import gptq as method
from halfbits.methods import rtn
from halfbits.methods.calibration import block_by_block, linears_of, output_error
from halfbits.methods.gptq import gptq, inverse_factor
from halfbits.methods.rtn import round_to_nearest
from halfbits.quantize import quantize_nf4, quantize_symmetric


def correlated(rows, size, seed=0):
    """A weight [rows, size], and the moment of inputs of which neighbors are alike."""
    draw = torch.Generator().manual_seed(seed)
    w = torch.randn(rows, size, generator=draw)
    x = torch.randn(4 * size, size, generator=draw, dtype=torch.float64).cumsum(1)
    return w, x.T @ x / len(x)


def by_elimination(w, moment, base, damping):
    """The step of Optimal Brain Surgeon as it stands: H^-1 is made anew after each column."""
    w, size = w.double().clone(), len(moment)
    damped = moment + damping * moment.diagonal().mean() * torch.eye(size)
    scale = base.scale.double()[:, 0]
    values = torch.empty_like(w)
    for j in range(size):
        inverse = torch.linalg.inv(damped[j:, j:])
        values[:, j] = (w[:, j] / scale).round().clamp(-7, 7) * scale
        error = w[:, j] - values[:, j]
        w[:, j:] -= torch.outer(error / inverse[0, 0], inverse[0])
    return values


def test_one_cholesky_factor_holds_every_inverse_of_the_paper():
    w, moment = correlated(16, 24)
    base = quantize_symmetric(w, 4)
    found = gptq(w, moment, base, act_order=False, damping=0.01).dequantize()
    torch.testing.assert_close(
        found.double(), by_elimination(w, moment, base, 0.01), rtol=1e-6, atol=0
    )


def test_the_factor_is_that_of_the_damped_inverse():
    _, moment = correlated(1, 12)
    factor = inverse_factor(moment, 0.1)
    damped = moment + 0.1 * moment.diagonal().mean() * torch.eye(12)
    torch.testing.assert_close(factor.T @ factor, torch.linalg.inv(damped))
    assert torch.equal(factor, factor.triu())


def test_codes_are_those_of_keras():
    keras_gptq = pytest.importorskip("keras.src.quantizers.gptq")
    w, moment = correlated(24, 160)  # more than one block of columns
    base = quantize_symmetric(w, 4)
    scale, zero = base.scale.double().numpy(), np.full((24, 1), 7.0)
    found = keras_gptq.gptq_quantize_matrix(
        w.double().numpy(),
        inverse_factor(moment, 0.01).numpy(),
        compute_scale_zero=lambda _: (scale, zero, 14.0),
    )
    mine = gptq(w, moment, base, act_order=False)
    assert np.array_equal(np.asarray(found[0]) - 7, mine.codes.numpy())


def test_without_correlation_it_is_round_to_nearest():
    w, moment = correlated(16, 96)
    base = round_to_nearest(w, 3, 32)
    assert torch.equal(gptq(w, moment.diagonal().diag(), base).codes, base.codes)


def test_it_lies_between_rounding_and_the_best_codes_of_all():
    w, moment = correlated(20, 6)
    base = quantize_symmetric(w, 2)
    every = torch.tensor(list(product((-1.0, 0.0, 1.0), repeat=6)))
    best = torch.stack(
        [output_error(row, every * s, moment).min() for row, s in zip(w, base.scale, strict=True)]
    )
    lost = output_error(w, gptq(w, moment, base, damping=0).dequantize(), moment)
    assert (lost >= best * (1 - 1e-9)).all()
    assert best.sum() < lost.sum() < output_error(w, base.dequantize(), moment).sum()
    assert (lost <= best * (1 + 1e-9)).sum() >= 5  # a quarter of the rows have the best codes


@pytest.mark.parametrize("act_order", [False, True])
@pytest.mark.parametrize(
    "base",
    [
        lambda w: round_to_nearest(w, 3, 64),
        lambda w: round_to_nearest(w, 3, 32, clip=1, symmetric=False),
        lambda w: round_to_nearest(w, 3, "channel", clip="octav"),
        quantize_nf4,
    ],
    ids=["g64", "affine", "channel", "nf4"],
)
def test_the_output_error_falls_and_the_weight_error_rises_at_the_same_bytes(base, act_order):
    w, moment = correlated(32, 176)  # groups do not divide the row
    start = base(w)
    found = gptq(w, moment, start, act_order)
    assert found.nbytes == start.nbytes
    before, after = start.dequantize(), found.dequantize()
    assert output_error(w, after, moment).sum() < 0.5 * output_error(w, before, moment).sum()
    assert (w - after).square().sum() > (w - before).square().sum()


def test_damping_makes_up_for_too_few_samples():
    w, _ = correlated(8, 32)
    x = torch.randn(5, 32, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    base = quantize_symmetric(w, 4)
    with pytest.raises(torch.linalg.LinAlgError):
        gptq(w, x.T @ x / 5 - 1e-12 * torch.eye(32), base, damping=0)
    assert gptq(w, x.T @ x / 5, base, damping=0.01).dequantize().isfinite().all()


def test_no_data_is_an_error():
    w, moment = correlated(4, 8)
    with pytest.raises(ValueError, match="needs calibration data"):
        gptq(w, 0 * moment, quantize_symmetric(w, 4))


def test_the_layers_of_a_model_lose_less_than_by_rounding(small, ids):
    before = copy.deepcopy(small.state_dict())
    lossy, nbytes = method.quantize(small, ids, bits=3, granularity=16)
    assert nbytes == rtn.quantize(small, bits=3, granularity=16)[1]
    assert all(torch.equal(before[name], value) for name, value in small.state_dict().items())
    _, block, seen = next(block_by_block(small, ids))
    for name, layer in linears_of(block):
        moment = seen[name].moment
        base = round_to_nearest(layer.weight, 3, 16).dequantize()
        mine = lossy.layers[0].get_submodule(name).weight
        assert (
            output_error(layer.weight, mine, moment).sum()
            < output_error(layer.weight, base, moment).sum()
        )
