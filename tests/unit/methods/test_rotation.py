"""Rotations: the same logits wherever they are folded, and outliers that are gone afterwards."""

from __future__ import annotations

import copy

import pytest
import torch

from halfbits.methods import rotation, rtn
from halfbits.methods.activations import per_token, round_inputs
from halfbits.methods.rotation import blockwise, fold_gains, hadamard, random_hadamard, rotate
from halfbits.models.hooks import record_inputs
from halfbits.models.llama import rotary_angles
from halfbits.models.llama import rotate as turn


@pytest.mark.parametrize("size", [1, 2, 8, 32, 256, 12, 44, 704, 20, 24])
def test_a_hadamard_matrix_is_orthogonal_and_has_entries_of_one_size(size):
    h = hadamard(size)
    torch.testing.assert_close(h @ h.T, torch.eye(size, dtype=torch.float64))
    torch.testing.assert_close(h.abs(), torch.full_like(h, size**-0.5))


def test_powers_of_two_are_sylvesters():
    signs = [[(-1) ** (i & j).bit_count() for j in range(16)] for i in range(16)]
    assert (hadamard(16) * 4).int().tolist() == signs


@pytest.mark.parametrize("size", [3, 7, 11, 36, 92])
def test_an_order_that_the_construction_does_not_reach_is_an_error(size):
    with pytest.raises(ValueError, match="no Hadamard matrix of order"):
        hadamard(size)


def test_folding_the_gains_changes_no_logit(small, ids):
    exact = small.double()
    folded = fold_gains(exact)
    torch.testing.assert_close(folded(ids), exact(ids), rtol=0, atol=1e-10)
    assert all(bool((block.input_layernorm.weight == 1).all()) for block in folded.blocks())
    assert folded.lm_head.weight is not folded.embed_tokens.weight


@pytest.mark.parametrize("down", [None, 4, 0])
@pytest.mark.parametrize("seed", [0, 1])
def test_rotating_changes_no_logit_and_every_matrix(small, ids, down, seed):
    exact = small.double()
    before = copy.deepcopy(exact.state_dict())
    rotated = rotate(exact, seed, down)
    torch.testing.assert_close(rotated(ids), exact(ids), rtol=0, atol=1e-10)
    after = {name.replace("linear.", ""): value for name, value in rotated.state_dict().items()}
    for name, value in before.items():
        assert torch.equal(exact.state_dict()[name], value)
        assert "norm" in name or not torch.allclose(after[name], value, atol=1e-3)


def test_gains_that_stay_in_the_norm_do_not_commute_with_a_rotation(small):
    norm, q = small.double().norm, random_hadamard(32)
    x = torch.randn(5, 32, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert (norm(x @ q) - norm(x) @ q).abs().max() > 0.1
    norm.weight.fill_(1)
    torch.testing.assert_close(norm(x @ q), norm(x) @ q)


def test_rope_stops_a_rotation_of_keys_and_one_after_it_leaves_the_scores():
    r, (cos, sin) = hadamard(8), rotary_angles(torch.arange(6), 8, 10_000.0)
    draw = torch.Generator().manual_seed(0)
    q, k = torch.randn(2, 1, 1, 6, 8, generator=draw, dtype=torch.float64)
    want = turn(q, cos, sin) @ turn(k, cos, sin).mT
    after = (turn(q, cos, sin) @ r) @ (turn(k, cos, sin) @ r).mT
    before = turn(q @ r, cos, sin) @ turn(k @ r, cos, sin).mT
    torch.testing.assert_close(after, want)
    assert (before - want).abs().max() > 0.1


def test_an_outlier_is_spread_over_all_channels():
    x = torch.zeros(1, 64, dtype=torch.float64)
    x[0, 5] = 8
    torch.testing.assert_close(blockwise(x, hadamard(64)).abs(), torch.ones_like(x))
    assert blockwise(x, hadamard(16)).abs().max() == 2  # blocks of 16 spread it over 16


def test_rounding_a_rotated_massive_channel_loses_less(small, ids):
    small.layers[0].mlp.up_proj.weight[3] *= 64
    small.layers[0].mlp.down_proj.weight[:, 3] /= 64
    want = small(ids)

    def lost(model):
        return (round_inputs(model, 4, "mlp.down_proj")(ids) - want).square().mean()

    assert lost(rotate(small)) < 0.6 * lost(fold_gains(small))


def test_rounding_per_token_errs_by_half_a_step_at_most():
    x = torch.randn(9, 30, generator=torch.Generator().manual_seed(0))
    step = x.abs().amax(-1, keepdim=True) / 7
    assert ((per_token(x, 4) - x).abs() <= step / 2 * (1 + 1e-6)).all()
    assert torch.equal(per_token(torch.zeros(2, 3), 4), torch.zeros(2, 3))


def test_a_quantized_rotated_model_counts_the_head_of_its_own(small, ids):
    lossy, nbytes = rotation.quantize(small, None, bits=4, granularity=16)
    assert nbytes == rtn.quantize(small, bits=4, granularity=16)[1] + 2 * 61 * 32
    with record_inputs(lossy, "down_proj") as inputs:
        lossy(ids)
    assert all(len(x[0].unique(dim=0)[0].unique()) <= 15 for x in inputs.values())
    assert not torch.equal(rotation.quantize(small, ids, granularity=16)[0](ids), lossy(ids))
