"""A quantized cache: causal, the same token by token, bytes by hand, errors within half a step."""

from __future__ import annotations

import pytest
import torch

from halfbits.methods.kv_cache import (
    QuantizedCache,
    Scheme,
    WithQuantizedCache,
    mean_keys,
    quantize,
    round_groups,
)
from halfbits.models.llama import KVCache

G = 4
SCHEMES = [
    Scheme(2, 2, group=G),
    Scheme(2, 2, key_axis="token", group=G),
    Scheme(2, 16, group=G, first=3),
    Scheme(3, 2, group=G, first=2, recent=4),
    Scheme(2, 2, group=G, before_rope=True),
    Scheme(2, 2, key_axis="token", group=G, hadamard=True),
]
NAMES = ["channel", "token", "first", "recent", "before RoPE", "Hadamard"]


@pytest.fixture
def exact(small):
    return small.double()


@pytest.mark.parametrize("scheme", SCHEMES, ids=NAMES)
def test_chunks_give_what_token_by_token_gives(exact, ids, scheme):
    cache = QuantizedCache(exact.config, *ids.shape, exact.embed_tokens.weight, scheme)
    slow = torch.stack([exact.decode(token, cache) for token in ids.T], dim=1)
    found = WithQuantizedCache(exact, scheme)(ids)
    torch.testing.assert_close(found, slow, rtol=0, atol=1e-10)
    assert (found - exact(ids)).abs().max() > 1e-3  # and it was quantized


@pytest.mark.parametrize("scheme", SCHEMES, ids=NAMES)
def test_no_logit_looks_at_a_later_token(exact, ids, scheme):
    other = ids.clone()
    other[:, 14:] = (other[:, 14:] + 1) % 61
    model = WithQuantizedCache(exact, scheme)
    torch.testing.assert_close(model(ids)[:, :14], model(other)[:, :14], rtol=0, atol=1e-10)


@pytest.mark.parametrize("scheme", SCHEMES, ids=NAMES)
def test_tokens_are_exact_until_a_group_has_passed(exact, ids, scheme):
    until = scheme.first + scheme.recent + G
    found, want = WithQuantizedCache(exact, scheme)(ids), exact(ids)
    torch.testing.assert_close(found[:, :until], want[:, :until], rtol=0, atol=1e-10)


@pytest.mark.parametrize("options", [{}, {"before_rope": True}, {"hadamard": True}])
def test_sixteen_bits_change_nothing(exact, ids, options):
    scheme = Scheme(16, 16, group=G, **options)
    torch.testing.assert_close(
        WithQuantizedCache(exact, scheme)(ids), exact(ids), rtol=0, atol=1e-10
    )


@pytest.mark.parametrize("axis", ["token", "channel"])
@pytest.mark.parametrize("bits", [2, 4, 8])
def test_an_error_is_half_a_step_of_its_group_and_what_float16_adds(axis, bits):
    x = torch.randn(2, 3, 8, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    dim = 2 if axis == "channel" else 3
    cut = x.unflatten(dim, (-1, 4))
    width = cut.amax(dim + 1, keepdim=True) - cut.amin(dim + 1, keepdim=True)
    # low and scale are off by 2^-11 of themselves; the last code carries both.
    bound = width / (2**bits - 1) / 2 + 2**-11 * (width + 2 * x.abs().max())
    found = round_groups(x, bits, axis, 4).unflatten(dim, (-1, 4))
    assert ((found - cut).abs() <= bound).all()


def test_a_channel_that_is_far_from_zero_costs_only_itself_per_channel():
    x = torch.randn(1, 1, 32, 8, generator=torch.Generator().manual_seed(0))
    x[..., 3] += 50
    rest = [c for c in range(8) if c != 3]
    lost = {
        axis: (round_groups(x, 3, axis, 8) - x)[..., rest].square().mean()
        for axis in ("token", "channel")
    }
    assert lost["channel"] < 0.02 * lost["token"]


def test_a_constant_group_comes_back():
    x = torch.full((1, 1, 4, 4), 3.0)
    assert torch.equal(round_groups(x, 2, "channel", 4), x)


def test_bytes_of_what_has_passed_and_of_the_rest(small):
    scheme = Scheme(4, 2, group=4, first=2, recent=3)
    # 15 tokens: 2 first, 3 recent, of 10 others 8 have passed; 7 are in 16 bits.
    values = 2 * 2 * 8  # layers, KV heads, head_dim
    keys_and_values = (4 + 32 / 4) + (2 + 32 / 4)
    assert scheme.passed(15) == 10
    assert scheme.nbytes(small.config, 15) == values * (8 * keys_and_values + 7 * 32) / 8
    assert Scheme(16, 16).nbytes(small.config, 15) == values * 15 * 32 / 8


def test_both_axes_take_the_same_bytes_when_a_head_is_as_wide_as_a_group():
    axes = [Scheme(3, 3, key_axis=axis, group=32).bits(32) for axis in ("token", "channel")]
    assert axes == [4, 4]


def test_a_group_that_does_not_divide_is_an_error():
    with pytest.raises(ValueError, match="do not divide 6 along channel"):
        round_groups(torch.zeros(1, 1, 6, 4), 4, "channel", 4)


def test_the_mean_key_before_rope_is_that_of_the_projection(exact, ids):
    x = exact.layers[0].input_layernorm(exact.embed_tokens(ids))
    want = exact.layers[0].self_attn.k_proj(x).mean(dim=(0, 1)).view(2, 8)
    # Angles are float32: turning back and forth is exact to some of its roundings.
    torch.testing.assert_close(mean_keys(exact, ids)[0], want, rtol=0, atol=1e-6)


def test_taking_a_mean_off_and_putting_it_back_helps_keys_with_an_offset(exact, ids):
    scheme = Scheme(2, 16, key_axis="token", group=G, before_rope=True)
    mean = 20 * torch.rand(2, 2, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    shift = QuantizedCache(exact.config, 1, 8, exact.embed_tokens.weight, scheme, mean)
    plain = QuantizedCache(exact.config, 1, 8, exact.embed_tokens.weight, scheme)
    k = torch.randn(1, 2, 8, 8, dtype=torch.float64) + mean[0, None, :, None]
    places = torch.zeros(8, dtype=torch.int64)  # position 0 turns nothing
    lost = [(c._rounded_keys(0, k, places) - k).square().mean() for c in (shift, plain)]
    assert lost[0] < 0.2 * lost[1]


def test_the_method_leaves_the_model_and_its_cache_alone(small, ids):
    want = small(ids)
    lossy, bits = quantize(small, None, key_bits=2, value_bits=2, group=4)
    assert bits == 2 + 32 / 4
    lossy(ids)
    cache = KVCache(small.config, *ids.shape, small.embed_tokens.weight)
    torch.testing.assert_close(small(ids, cache), want)
