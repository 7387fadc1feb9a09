"""SmoothQuant and LLM.int8(): what is split or scaled adds up to the same, and is counted."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from halfbits.methods import llm_int8, rtn, smoothquant
from halfbits.methods.activations import RoundedInput, per_token, round_inputs
from halfbits.methods.smoothquant import smooth, smoothing_factors
from halfbits.models.hooks import channel_amax
from halfbits.models.outliers import plant_outliers
from halfbits.quantize import quantize_symmetric


def test_smoothing_changes_no_logit(small, ids):
    exact = small.double()
    smoothed = smooth(exact, channel_amax(exact, [ids]), 0.7)
    assert not torch.equal(
        smoothed.layers[0].mlp.up_proj.weight, exact.layers[0].mlp.up_proj.weight
    )
    torch.testing.assert_close(smoothed(ids), exact(ids), rtol=0, atol=1e-10)


def test_the_factors_are_those_of_torchao():
    core = pytest.importorskip("torchao.prototype.smoothquant.core")
    draw = torch.Generator().manual_seed(0)
    w, x = torch.randn(20, 30, generator=draw), 9 * torch.randn(50, 30, generator=draw)
    observer = core.SmoothQuantObserver(w, alpha=0.6)
    observer(x)
    mine = smoothing_factors(x.abs().amax(0), w.abs().amax(0), 0.6)
    torch.testing.assert_close(mine, observer.calculate_qparams()[0], rtol=1e-5, atol=0)


def test_kept_channels_pass_as_they_are_and_leave_the_scale_alone():
    x = torch.randn(6, 8, generator=torch.Generator().manual_seed(0))
    x[:, 2] *= 1000
    keep = torch.arange(8) == 2
    found = RoundedInput(nn.Identity(), 8, keep)(x)
    assert torch.equal(found[:, 2], x[:, 2])
    assert torch.equal(found[:, ~keep], per_token(x[:, ~keep], 8))


def test_a_split_row_has_int8_outside_and_float16_inside():
    layer = nn.Linear(12, 5, bias=False)
    w = layer.weight.detach().clone()
    outlier = torch.arange(12) % 5 == 0
    nbytes = llm_int8.split(layer, outlier, 8, 1.0)
    want = quantize_symmetric(w[:, ~outlier], 8).dequantize()
    assert torch.equal(layer.weight[:, ~outlier], want)
    assert torch.equal(layer.weight[:, outlier], w[:, outlier].half().float())
    assert nbytes == 9 * 5 + 4 * 5 + 3 * (2 * 5 + 4)  # codes, a float32 a row, columns and index


def test_splitting_saves_what_planted_outliers_cost(small, ids):
    planted = plant_outliers(small, [3], 256)
    want = small(ids)

    def lost(model):
        return (model(ids) - want).square().mean()

    plain = round_inputs(rtn.quantize(planted, None, 8, "channel", 1.0)[0], 8)
    split, nbytes = llm_int8.quantize(planted, ids)
    assert lost(split) < 0.2 * lost(plain)
    assert lost(smoothquant.quantize(planted, ids)[0]) < 0.2 * lost(plain)
    assert nbytes > rtn.quantize(planted, None, 8, "channel", 1.0)[1]


def test_no_threshold_keeps_all_and_an_endless_one_splits_nothing(small, ids):
    kept, _ = llm_int8.quantize(small, ids, threshold=0.0)
    torch.testing.assert_close(
        kept(ids), copy.deepcopy(small).half().float()(ids), atol=2e-3, rtol=0
    )
    whole, nbytes = llm_int8.quantize(small, ids, threshold=float("inf"))
    plain, same = rtn.quantize(small, None, 8, "channel", 1.0)
    assert nbytes == same
    torch.testing.assert_close(whole(ids), round_inputs(plain, 8)(ids))
