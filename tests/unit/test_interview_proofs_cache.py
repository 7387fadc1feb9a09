"""Claims of the interview bank on the KV cache: latents, windows, scales, reuse, moving it."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from interview_draws import draw
from torch import Tensor
from torch.nn import functional as F

from halfbits.methods.kv_cache import Scheme, round_groups
from halfbits.models.tiny_lm import load_tiny_lm
from halfbits.perf.architecture.published import model
from halfbits.perf.cost import hardware, llama_3

E4M3 = torch.float8_e4m3fn


def test_absorbing_the_up_projections_changes_the_order_of_products_and_no_result() -> None:
    heads, tokens, latent, inner, width = 4, 10, 16, 8, 12
    q, c = draw(0, heads, inner), draw(1, tokens, latent)
    up_k, up_v = draw(2, heads, inner, latent), draw(3, heads, inner, latent)
    out = draw(4, width, heads * inner)

    keys = torch.einsum("hdl,tl->htd", up_k, c)  # every head's keys and values, made anew
    values = torch.einsum("hdl,tl->htd", up_v, c)
    weights = torch.einsum("hd,htd->ht", q, keys).softmax(-1)
    explicit = out @ torch.einsum("ht,htd->hd", weights, values).flatten()

    absorbed_q = torch.einsum("hd,hdl->hl", q, up_k)  # the query goes into the latent space
    mixed = torch.einsum("ht,tl->hl", torch.einsum("hl,tl->ht", absorbed_q, c).softmax(-1), c)
    absorbed_out = torch.einsum("whd,hdl->whl", out.view(width, heads, inner), up_v)
    torch.testing.assert_close(torch.einsum("whl,hl->w", absorbed_out, mixed), explicit)


def test_a_rotation_by_position_between_query_and_latent_stops_the_absorption() -> None:
    """R(t) up_k depends on the token: no single matrix can stand for it."""
    up_k = draw(0, 2, 6)

    def turned(angle: float) -> Tensor:
        a = torch.tensor(angle).double()
        return (
            torch.stack([torch.stack([a.cos(), -a.sin()]), torch.stack([a.sin(), a.cos()])]) @ up_k
        )

    assert (turned(0.1) - turned(1.1)).abs().max() > 0.1


def test_absorbed_decode_does_242_operations_a_byte_and_explicit_attention_fewer_operations() -> (
    None
):
    config = model("DeepSeek-V3").config
    heads, latent, rope = (
        config[name] for name in ("num_attention_heads", "kv_lora_rank", "qk_rope_head_dim")
    )
    nope, value = config["qk_nope_head_dim"], config["v_head_dim"]
    absorbed = 2 * heads * (latent + rope) + 2 * heads * latent
    explicit = 2 * heads * (nope + rope) + 2 * heads * value
    assert absorbed / (2 * (latent + rope)) == pytest.approx(241.8, abs=0.1)
    assert absorbed / explicit == pytest.approx(3.4, abs=0.05)
    assert absorbed / (2 * (latent + rope)) < hardware()["H100 SXM"].ridge("bf16")


def test_gemma_3_keeps_11_gb_with_windows_and_67_without() -> None:
    cache = model("Gemma-3-27B").sizes.cache
    kept, full = (2 * cache.elements(131_072, windowed) / 1e9 for windowed in (True, False))
    assert (round(kept, 1), round(full, 1)) == (11.2, 66.6)
    short = [2 * cache.elements(1024, windowed) for windowed in (True, False)]
    assert short[0] == short[1]  # below the window both are one


def test_a_hybrid_model_keeps_little_for_a_token_and_a_state_whatever_the_length() -> None:
    nemotron = model("Nemotron-3-Nano-30B-A3B").sizes.cache
    growth = 2 * (nemotron.elements(2000) - nemotron.elements(1000)) / 1000
    assert growth == 6144 < llama_3(8).kv_bytes("bf16") / 20


def fp8(x: Tensor, scale: float) -> Tensor:
    return (x / scale).clamp(-448, 448).to(E4M3).to(x.dtype) * scale


def error(x: Tensor, approximation: Tensor) -> float:
    return ((approximation - x).norm() / x.norm()).item()


def test_a_scale_taken_from_a_warm_up_clips_what_a_scale_of_one_keeps() -> None:
    warm_up, real = 0.28 * draw(0, 64, 32).clamp(-1, 1), draw(1, 64, 32)
    real[:, 3] *= 8
    from_warm_up = fp8(real, warm_up.abs().max().item() / 448)
    assert error(real, from_warm_up) > 0.8
    assert (
        error(real, fp8(real, 1.0)) < 0.03 > error(real, fp8(real, real.abs().max().item() / 448))
    )


def test_bytes_that_were_written_with_one_scale_mean_something_else_under_another() -> None:
    x = draw(0, 64, 32)
    codes = (x / 1.0).to(E4M3)
    assert (codes.double() * 0.3).std() / x.std() == pytest.approx(0.3, abs=0.01)


def test_a_prefix_has_the_same_codes_under_any_continuation_when_groups_fit_its_blocks() -> None:
    prefix = draw(0, 1, 1, 64, 32)
    for group, same in ((32, True), (48, False)):
        stored = []
        for seed in (1, 2):
            text = torch.cat([prefix, 3 * draw(seed, 1, 1, 32, 32)], 2)
            stored.append(round_groups(text, 4, "channel", group)[:, :, :64])
        assert torch.equal(*stored) is same
    by_token = [
        round_groups(torch.cat([prefix, 3 * draw(seed, 1, 1, 32, 32)], 2), 4, "token", 32)[
            :, :, :64
        ]
        for seed in (1, 2)
    ]
    assert torch.equal(*by_token)


def test_a_key_of_tokens_alone_hands_out_the_cache_of_another_adapter() -> None:
    cache: dict[tuple[object, ...], Tensor] = {}

    def keys(tokens: tuple[int, ...], adapter: int, key: tuple[object, ...]) -> Tensor:
        return cache.setdefault(key, draw(adapter, len(tokens), 4))

    text = (5, 7, 9)
    assert torch.equal(keys(text, 0, text), keys(text, 1, text))  # wrong, and nothing raises
    assert not torch.equal(keys(text, 0, (text, "adapter", 0)), keys(text, 1, (text, "adapter", 1)))


def test_two_bits_of_a_cache_are_three_with_their_scales() -> None:
    assert Scheme(2, 2, group=32).bits(128) == 3
    assert Scheme(4, 4, group=32).bits(128) == 5


def test_reading_a_cache_back_over_a_link_beats_computing_it_again() -> None:
    h100, tokens = hardware()["H100 SXM"], 8192
    for billions in (8, 70):
        sizes = llama_3(billions)
        moved = tokens * sizes.kv_bytes("bf16") / 50e9
        computed = h100.seconds(sizes.prefill(1, tokens, "bf16"), "bf16")
        assert computed > 5 * moved


def test_a_later_token_changes_no_earlier_key_or_value_unless_attention_looks_ahead(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model, shared = load_tiny_lm().model, 24
    texts = torch.arange(64).view(2, 32) + 100
    texts[1, :shared] = texts[0, :shared]

    def largest_change() -> float:
        """Between the keys and values that the shared beginning has in the two texts."""
        with torch.no_grad():
            cache = model.prefill(texts, 32)[1]
        kept = torch.stack([cache.keys, cache.values])[..., :shared, :]
        return (kept[:, :, 0] - kept[:, :, 1]).abs().max().item()

    causal, attention = largest_change(), F.scaled_dot_product_attention

    def both_ways(q: Tensor, k: Tensor, v: Tensor, **_: Any) -> Tensor:
        return attention(q, k, v, enable_gqa=True)

    monkeypatch.setattr(F, "scaled_dot_product_attention", both_ways)
    assert causal < 1e-4 < 0.1 < largest_change()


def test_a_row_of_attention_needs_its_own_query_and_no_other() -> None:
    q, k, v = (draw(seed, 1, 2, 12, 8) for seed in range(3))
    whole = F.scaled_dot_product_attention(q, k, v, is_causal=True)
    newest = F.scaled_dot_product_attention(q[..., -1:, :], k, v)
    torch.testing.assert_close(newest, whole[..., -1:, :])
    shorter = F.scaled_dot_product_attention(q[..., -1:, :], k[..., 1:, :], v[..., 1:, :])
    assert (shorter - newest).abs().max() > 0.01
