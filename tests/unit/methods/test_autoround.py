"""AutoRound: near the best of all roundings, better than plain rounding for a block, true bytes."""

from __future__ import annotations

import copy
from itertools import product

import pytest
import torch
from torch import nn

from halfbits.evaluate import kl_divergence, log_probabilities
from halfbits.methods import autoround, rtn
from halfbits.methods.autoround import Rounding, learn
from halfbits.methods.rtn import round_to_nearest


def layer(rows: int, inputs: int) -> nn.Sequential:
    made = nn.Sequential(nn.Linear(inputs, rows, bias=False))
    weight = torch.randn(rows, inputs, generator=torch.Generator().manual_seed(0))
    made[0].weight = nn.Parameter(weight, requires_grad=False)
    return made


def lost(outputs: torch.Tensor, target: torch.Tensor) -> float:
    return (outputs - target).square().mean().item()


def test_a_layer_alone_comes_close_to_the_best_of_all_floors_and_ceilings():
    draw = torch.Generator().manual_seed(1)
    x = torch.randn(400, 7, generator=draw) + torch.randn(400, 1, generator=draw)
    block = layer(12, 7)
    w, base = block[0].weight, round_to_nearest(block[0].weight, 4, "channel", clip=1.0)
    target = block(x)
    found = learn(block, (), x, target, {"0": base}, steps=300, batch=400)["0"]
    floor = (w / base.scale).floor()
    ups = torch.tensor(list(product((0.0, 1.0), repeat=7)))
    best = 0.0
    for row in range(12):
        tried = (floor[row] + ups).clamp(-7, 7) * base.scale[row]
        best += (tried @ x.T - target[:, row]).square().mean(1).min().item() / 12
    nearest = lost(x @ base.dequantize().T, target)
    assert lost(x @ found.dequantize().T, target) < best + 0.35 * (nearest - best)


def test_no_code_is_further_than_the_other_neighbor_and_no_scale_below_half():
    block, draw = layer(6, 32), torch.Generator().manual_seed(1)
    x = torch.randn(64, 32, generator=draw).cumsum(1)
    base = round_to_nearest(block[0].weight, 3, 16, clip=1.0)
    found = learn(block, (), x, block(x), {"0": base}, steps=40, batch=16)["0"]
    share = found.scale / base.scale
    assert (share > 0.499).all() and (share <= 1.001).all() and share.min() < 0.99
    place = (block[0].weight.unflatten(1, (-1, 16)).flatten(0, 1) / found.scale).clamp(-3, 3)
    assert ((found.codes - place).abs() <= 1).all()


def test_before_the_first_step_it_is_plain_rounding():
    base = round_to_nearest(layer(6, 32)[0].weight, 3, 16, clip=1.0)
    start = Rounding.of(layer(6, 32)[0].weight, base)
    assert torch.equal(start.values().detach(), base.dequantize())
    assert torch.equal(start.stored().dequantize(), base.dequantize())


def test_a_step_goes_against_the_sign_of_the_gradient_of_the_rounding():
    block, x = layer(1, 2), torch.tensor([[1.0, 0.0]])
    block[0].weight.copy_(torch.tensor([[1.4, 7.0]]))
    base = round_to_nearest(block[0].weight, 4, "channel", clip=1.0)  # the scale is 1
    target = torch.tensor([[2.0]])  # higher than the weight, rounded to 1: the offset has to grow
    found = learn(block, (), x, target, {"0": base}, steps=5, batch=1)["0"]
    assert found.codes[0, 0] == 2


@pytest.mark.parametrize("bits", [3, 4])
def test_the_model_diverges_less_at_the_same_bytes(small, ids, bits):
    small.embed_tokens.weight.mul_(0.15)
    before = copy.deepcopy(small.state_dict())
    base = log_probabilities(small, ids, 20)
    plain, same = rtn.quantize(small, None, bits, 16, clip=1.0)
    found, nbytes = autoround.quantize(small, ids, bits, 16, steps=60)
    assert nbytes == same
    assert kl_divergence(base, found, ids).value < 0.8 * kl_divergence(base, plain, ids).value
    assert all(torch.equal(before[name], value) for name, value in small.state_dict().items())
    assert not any(p.requires_grad for p in found.parameters())


def test_a_later_block_is_held_to_the_unquantized_models_states(small, ids, monkeypatch):
    seen = []

    def spy(block, others, inputs, target, bases, steps, batch):
        seen.append((inputs, target))
        return learn(block, others, inputs, target, bases, 0, batch)

    monkeypatch.setattr(autoround, "learn", spy)
    autoround.quantize(small, ids, 3, 16, steps=1)
    (first, target), (second, _) = seen
    assert torch.equal(first, small.embed_tokens.weight.half().float()[ids])
    assert not torch.allclose(second, target, atol=1e-3)  # what the rounded block gave, not target
