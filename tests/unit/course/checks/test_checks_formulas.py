"""What checks compare with is worked out by hand here."""

from __future__ import annotations

import random

import pytest
import torch
from torch import nn

from halfbits.course.checks import cases, decoders, formulas, quantizers, spies
from halfbits.course.checks.expect import CheckFailed


def test_codes_and_scales_follow_the_formula_and_zeros_have_none() -> None:
    x = torch.tensor([[3.5, -7.0, 1.4], [0.0, 0.0, 0.0]])
    codes, scale = formulas.symmetric(x, 1, 7)
    assert codes.tolist() == [[4, -7, 1], [0, 0, 0]]  # 3.5 is a tie, and goes to the even code
    assert scale.tolist() == [[1.0], [0.0]] and scale.dtype == torch.float64
    assert formulas.symmetric(x, 0, 7)[1].shape == (1, 3)


def test_a_cache_has_fewer_heads_than_ask_and_keeps_keys_and_values() -> None:
    for seed in range(20):
        model = decoders.attention(random.Random(seed))
        assert model["heads"] % model["kv_heads"] == 0 and model["heads"] > model["kv_heads"]
    sizes = {"layers": 3, "kv_heads": 2, "head_dim": 64, "cache_bits": 4}
    assert decoders.cache_bytes(sizes, 10) == 10 * 2 * 3 * 2 * 64 / 2


def test_groups_say_what_they_are() -> None:
    assert cases.grouped((8, 40, 32)) == {"8 x 40 in groups of 32": (8, 40, 32)}


def test_parts_of_a_result_have_the_wanted_types_and_shapes() -> None:
    got = torch.zeros(2, 3, dtype=torch.int8), torch.zeros(2)
    assert quantizers.arrays(got, codes=(torch.int8, (2, 3)), scale=torch.ones(2)) is got
    for wrong in (got[:1], got[::-1], (got[0], torch.zeros(3))):
        with pytest.raises(CheckFailed, match="codes"):
            quantizers.arrays(wrong, codes=(torch.int8, (2, 3)), codes_scale=torch.ones(2))


def test_calls_of_layers_are_written_down_as_they_end() -> None:
    twice = nn.Tanh()
    model = nn.Sequential(twice, nn.Sequential(nn.Linear(4, 3)), nn.Identity(), twice)
    with spies.calls_of_layers(model) as made:
        model(torch.ones(2, 4))
    model(torch.ones(2, 4))
    assert [name for name, *_ in made] == ["0", "1.0", "2", "0"]
    assert [(given.shape[1], out.shape[1]) for _, _, given, out in made][1] == (4, 3)
