"""AWQ: folding changes nothing, the factors are torchao's, the clips the best of the grid."""

from __future__ import annotations

import copy

import pytest
import torch

from halfbits.methods import awq, rtn
from halfbits.methods.awq import best_factors, best_shares, fold, scaled_inputs
from halfbits.methods.calibration import Seen, block_by_block, linears_of, output_error
from halfbits.quantize import Quantized, quantize_symmetric
from halfbits.quantize.grid import CLIPS


def layer_with_a_large_input(rows=24, size=64):
    draw = torch.Generator().manual_seed(0)
    w = torch.randn(rows, size, generator=draw)
    x = (
        torch.randn(512, size, generator=draw)
        * torch.logspace(-1, 1, size)[torch.randperm(size, generator=draw)]
    )
    wide = x.double()
    return w, x, Seen(wide.T @ wide / len(x), wide.abs().mean(0))


def plain(w) -> Quantized:
    return quantize_symmetric(w, 4, 32)


def test_folding_factors_changes_no_logit(small, ids):
    exact = small.double()
    want = exact(ids)
    scaled = copy.deepcopy(exact)
    draw = torch.Generator().manual_seed(2)
    for block in scaled.blocks():
        linears = dict(linears_of(block))
        for names, source in scaled_inputs(block):
            factor = torch.rand(len(source), generator=draw, dtype=torch.float64) * 4 + 0.1
            fold(source, [linears[name] for name in names], factor)
    assert not torch.equal(scaled.layers[0].mlp.up_proj.weight, exact.layers[0].mlp.up_proj.weight)
    torch.testing.assert_close(scaled(ids), want, rtol=0, atol=1e-10)


def test_the_factors_are_those_of_torchao():
    core = pytest.importorskip("torchao.prototype.awq.core")
    quantization = pytest.importorskip("torchao.quantization")
    config = quantization.IntxWeightOnlyConfig(
        weight_dtype=torch.int4, granularity=quantization.PerGroup(32)
    )
    w, x, seen = layer_with_a_large_input()
    observer = core.AWQObserver(w, None, config)
    observer(x, x @ w.T)

    class Theirs:
        def __init__(self, w):
            layer = torch.nn.Linear(*w.T.shape, bias=False)
            layer.weight = torch.nn.Parameter(w)
            quantization.quantize_(layer, config)
            self.values = layer.weight.dequantize()

        def dequantize(self):
            return self.values

    mine = best_factors([w], seen, Theirs)  # type: ignore[arg-type]
    assert mine.max() > 2 * mine.min()
    torch.testing.assert_close(mine.float(), observer.calculate_qparams(), rtol=1e-4, atol=0)


def test_scaling_lowers_the_outputs_error_and_equal_inputs_leave_it_alone():
    w, _, seen = layer_with_a_large_input()
    factor = best_factors([w], seen, plain)
    scaled = plain((w * factor).float()).dequantize() / factor
    before = output_error(w, plain(w).dequantize(), seen.moment).sum()
    assert output_error(w, scaled, seen.moment).sum() < 0.8 * before
    even = Seen(torch.eye(64, dtype=torch.float64), torch.ones(64, dtype=torch.float64))
    assert torch.equal(best_factors([w], even, plain), torch.ones(64, dtype=torch.float64))


def test_with_white_inputs_the_best_clip_is_that_of_the_weight():
    w, _, _ = layer_with_a_large_input(size=80)  # the last group is half filled
    shares = best_shares(w, torch.eye(80, dtype=torch.float64), 3, 32)
    found = quantize_symmetric(w, 3, 32, clip=shares)
    assert torch.equal(found.codes, quantize_symmetric(w, 3, 32, clip="mse").codes)


def test_each_group_has_the_best_share_of_the_grid_for_its_part_of_the_output():
    w, _, seen = layer_with_a_large_input()
    part = seen.moment[32:, 32:]

    def lost(share):
        return output_error(
            w[:, 32:], quantize_symmetric(w[:, 32:], 3, 32, clip=share).dequantize(), part
        )

    best = torch.stack([lost(share) for share in CLIPS]).amin(0)
    chosen = best_shares(w, seen.moment, 3, 32).view(len(w), 2)[:, 1:]
    # The search knows scales before they are rounded to float16, 11 bits.
    assert (lost(chosen) <= best * 1.01).all()


def test_blocks_of_several_rows_are_refused():
    w, _, seen = layer_with_a_large_input()
    with pytest.raises(ValueError, match="spans several"):
        best_shares(w, seen.moment, 4, (2, 32))


def test_a_model_keeps_its_bytes_and_its_first_layer_loses_less(small, ids):
    before = copy.deepcopy(small.state_dict())
    lossy, nbytes = awq.quantize(small, ids, bits=3, granularity=16)
    assert nbytes == rtn.quantize(small, bits=3, granularity=16)[1]
    assert all(torch.equal(before[name], value) for name, value in small.state_dict().items())
    clipped, _ = awq.quantize(small, ids, bits=3, granularity=16, scale=False)
    _, block, seen = next(block_by_block(small, ids))
    for name, layer in linears_of(block):
        plain = quantize_symmetric(layer.weight, 3, 16).dequantize()
        mine = clipped.layers[0].get_submodule(name).weight
        moment = seen[name].moment
        assert (
            output_error(layer.weight, mine, moment).sum()
            < output_error(layer.weight, plain, moment).sum()
        )
    assert not torch.equal(lossy(ids), clipped(ids))
