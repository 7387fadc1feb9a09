"""What the interview bank says of shared key heads and of contexts beyond the trained length."""

from __future__ import annotations

import math

import pytest
import torch
import torch._dynamo  # Transformers loads it, and after TensorFlow it ends the process
from interview_draws import draw
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention as attend

from halfbits.models.llama import rotary_angles

TRAINED, HEAD, BASE = 4096, 128, 1e4
RATES = BASE ** (-torch.arange(0, HEAD, 2, dtype=torch.float64) / HEAD)


def test_grouped_query_attention_is_multi_head_attention_whose_keys_and_values_repeat() -> None:
    q, k, v = draw(0, 1, 8, 16, 32), draw(1, 1, 2, 16, 32), draw(2, 1, 2, 16, 32)
    grouped = attend(q, k, v, is_causal=True, enable_gqa=True)
    repeated = attend(q, k.repeat_interleave(4, 1), v.repeat_interleave(4, 1), is_causal=True)
    torch.testing.assert_close(grouped, repeated)
    weights = (q @ k.repeat_interleave(4, 1).mT / math.sqrt(32)).softmax(-1)
    same_key = (weights[0, 0] - weights[0, 1]).abs().sum(-1)  # two queries of one group
    assert same_key.min() > 0.1  # each query still looks elsewhere


def test_the_mean_of_the_heads_is_the_key_head_with_the_smallest_squared_distance_to_all() -> None:
    heads = draw(3, 8, 64, 16)

    def distance(one: Tensor) -> float:
        return (heads - one).square().sum().item()

    assert all(distance(heads.mean(0)) < distance(head) for head in heads)


def test_18_of_64_rotary_pairs_make_no_full_turn_within_4096_tokens() -> None:
    turns = TRAINED * RATES / (2 * math.pi)
    assert int((turns < 1).sum()) == 18
    assert turns[0] > 600


def test_positions_divided_by_8_stay_in_the_trained_range_and_neighbors_move_together() -> None:
    positions = torch.arange(8 * TRAINED)
    assert (positions / 8).max() < TRAINED
    trained, _ = rotary_angles(torch.arange(TRAINED), HEAD, BASE)
    divided, _ = rotary_angles(positions[::8] / 8, HEAD, BASE)
    assert torch.equal(divided, trained)  # every eighth position has a trained angle
    assert RATES[0] / 8 == 0.125  # radians from one token to the next, formerly 1


def test_a_larger_base_leaves_the_fastest_pair_and_divides_the_slowest_by_the_factor() -> None:
    larger = BASE * 8 ** (HEAD / (HEAD - 2))
    rates = larger ** (-torch.arange(0, HEAD, 2, dtype=torch.float64) / HEAD)
    ratio = RATES / rates
    assert ratio[0] == 1
    assert ratio[-1].item() == pytest.approx(8)
    assert ratio.diff().gt(0).all()


def yarn(factor: float) -> tuple[Tensor, float]:
    rope = pytest.importorskip("transformers.modeling_rope_utils")
    llama = pytest.importorskip("transformers.models.llama.configuration_llama")
    scaling = {
        "rope_type": "yarn",
        "rope_theta": BASE,
        "factor": factor,
        "original_max_position_embeddings": TRAINED,
    }
    config = llama.LlamaConfig(
        hidden_size=HEAD,
        num_attention_heads=1,
        max_position_embeddings=int(factor * TRAINED),
        rope_parameters=scaling,
    )
    rates, attention = rope.ROPE_INIT_FUNCTIONS["yarn"](config, torch.device("cpu"))
    return RATES / rates.double(), attention


def test_yarn_keeps_fast_pairs_divides_slow_ones_and_sharpens_attention() -> None:
    ratio, attention = yarn(8.0)
    turns = TRAINED * RATES / (2 * math.pi)
    assert ratio[turns > 34].sub(1).abs().max() < 1e-5
    assert ratio[turns < 0.9].sub(8).abs().max() < 1e-4
    assert 1.5 < ratio[turns.sub(6).abs().argmin()] < 7.5  # between the two, a ramp
    assert attention == pytest.approx(0.1 * math.log(8) + 1)
    assert attention**2 == pytest.approx(1.459, abs=1e-3)  # queries and keys both carry it
