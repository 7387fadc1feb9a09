"""What the interview answers on float16 and fp8 claim about PyTorch itself, each by running it."""

from __future__ import annotations

import io
import math
import subprocess
import sys
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
import torch
import torch._dynamo  # Transformers loads it, and after TensorFlow it ends the process
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from halfbits.models.llama import rotary_angles

HALF, BF16 = torch.float16, torch.bfloat16
E4M3, FNUZ = torch.float8_e4m3fn, torch.float8_e4m3fnuz
MINUS_INFINITY = -math.inf


def near(size: float) -> Tensor:
    """Rows [64, 256] of float16 numbers within a few percent of `size`."""
    draw = torch.Generator().manual_seed(0)
    return (size * (1 + 0.01 * torch.randn(64, 256, generator=draw))).half()


def by_hand(x: Tensor) -> Tensor:
    """RMSNorm, every operation in the type of x."""
    return x * torch.rsqrt((x * x).mean(-1, keepdim=True) + 1e-5)


@pytest.mark.parametrize("size", [300.0, 6e4])
@pytest.mark.parametrize("norm", [nn.LayerNorm(256), nn.RMSNorm(256), nn.GroupNorm(8, 256)])
def test_pytorchs_norms_square_in_float32_after_half(norm: nn.Module, size: float) -> None:
    x = near(size)
    want = norm.float()(x.float())
    # One rounding of the output; what is subtracted is 100 times as large as the difference.
    torch.testing.assert_close(norm.half()(x).float(), want, rtol=2**-11, atol=1e-4)


def test_a_norm_written_by_hand_in_fp16_returns_zeros_for_inputs_near_300() -> None:
    assert by_hand(near(300)).eq(0).all()
    assert by_hand(near(200)).ne(0).all()
    assert by_hand(near(300).float()).ne(0).all()


def test_transformers_llama_norm_squares_in_float32() -> None:
    llama = pytest.importorskip("transformers.models.llama.modeling_llama")
    x = near(300)
    want = llama.LlamaRMSNorm(256)(x.float())
    torch.testing.assert_close(llama.LlamaRMSNorm(256).half()(x).float(), want, rtol=2**-10, atol=0)


def test_a_batch_norm_whose_variance_overflows_returns_its_bias() -> None:
    norm = nn.BatchNorm1d(4).eval()
    norm.running_var.fill_(1e5)
    with torch.no_grad():
        norm.bias.copy_(torch.arange(4.0))
        x = torch.tensor([[300.0, -300.0, 1000.0, 5.0]])
        assert norm.half()(x.half()).tolist() == [[0, 1, 2, 3]]  # finite, and x is gone
        assert norm.float().running_var.isinf().all()


def test_half_rounds_the_rotary_frequencies_of_a_transformers_llama() -> None:
    llama = pytest.importorskip("transformers.models.llama.modeling_llama")
    config = llama.LlamaConfig(hidden_size=128, num_attention_heads=1, rope_theta=1e4)
    rotary, x = llama.LlamaRotaryEmbedding(config), torch.ones(1, 1, 128)

    def off(position: int) -> float:
        want = rotary_angles(torch.tensor([position]), 128, 1e4)[0]
        return (rotary(x, torch.tensor([[position]]))[0][0] - want).abs().max().item()

    assert max(off(16), off(4000)) < 1e-3
    rotary.half()
    assert rotary.inv_freq.dtype == HALF
    assert off(16) < 0.01 and off(4000) > 0.3  # of cosines between -1 and 1


def test_a_mask_of_minus_1e9_is_minus_infinity_in_fp16_and_a_row_of_it_is_nan() -> None:
    mask = torch.tensor(-1e9).to(HALF)
    assert mask == MINUS_INFINITY
    assert (torch.zeros(4, dtype=HALF) + mask).softmax(-1).isnan().all()
    smallest = torch.finfo(HALF).min
    assert torch.full((4,), smallest, dtype=HALF).softmax(-1).tolist() == [0.25] * 4
    assert torch.full((4,), -1e9, dtype=BF16).softmax(-1).tolist() == [0.25] * 4


def test_sdpa_returns_zero_for_a_fully_masked_row_and_a_softmax_of_ones_own_nan() -> None:
    q = torch.randn(1, 1, 4, 8, generator=torch.Generator().manual_seed(0))
    keep = torch.ones(4, 4, dtype=torch.bool)
    keep[2] = False
    added = torch.zeros(4, 4).masked_fill(~keep, MINUS_INFINITY)
    for mask in (keep, added):
        assert scaled_dot_product_attention(q, q, q, attn_mask=mask)[0, 0, 2].eq(0).all()
    assert (q @ q.mT + added).softmax(-1)[0, 0, 2].isnan().all()


def test_multihead_attention_gives_nan_for_such_a_row_unless_it_skips_the_weights() -> None:
    attention = nn.MultiheadAttention(8, 1, batch_first=True).eval()
    x, hidden = torch.ones(1, 4, 8), torch.ones(1, 4, dtype=torch.bool)
    with torch.no_grad():
        for weights, broken in ((True, True), (False, False)):
            y, _ = attention(x, x, x, key_padding_mask=hidden, need_weights=weights)
            assert y.isnan().any() == broken


def test_a_probability_below_2_to_the_minus_25_is_zero_in_fp16() -> None:
    def second(p: float) -> float:
        return torch.tensor([0.0, math.log(p)]).half().softmax(-1)[1].item()

    assert second(1.02 * 2**-25) == 2**-24  # the smallest number there is
    assert second(0.98 * 2**-25) == 0


def rounded_by_adding(word: int) -> int:
    """The upper 16 bits of a float32 word after the addition that rounds to nearest even."""
    return ((word + 0x7FFF + (word >> 16 & 1)) & 0xFFFFFFFF) >> 16


def test_adding_to_a_nan_carries_it_into_a_zero_and_cutting_can_leave_infinity() -> None:
    assert [rounded_by_adding(word) for word in (0x7FFFFFFF, 0xFFFFFFFF)] == [0x8000, 0x0000]
    assert rounded_by_adding(0x7F800001) == 0x7F80  # a small payload: infinity
    x = torch.randn(4096, generator=torch.Generator().manual_seed(0))
    words = x.view(torch.int32).tolist()
    bits = [rounded_by_adding(word & 0xFFFFFFFF) for word in words]
    assert bits == (x.bfloat16().view(torch.int16).int() & 0xFFFF).tolist()


def test_the_gradient_scaler_refuses_fp16_gradients() -> None:
    weight, scaler = nn.Parameter(torch.ones(2, dtype=HALF)), torch.amp.GradScaler("cpu")
    scaler.scale(weight.sum()).backward()
    with pytest.raises(ValueError, match="FP16 gradients"):
        scaler.unscale_(torch.optim.SGD([weight], 1))


def test_a_step_with_an_infinite_gradient_is_skipped_and_halves_the_scale() -> None:
    weight, scaler = nn.Parameter(torch.ones(2)), torch.amp.GradScaler("cpu")
    optimizer = torch.optim.SGD([weight], 1)
    for loss, left, scale in ((weight.sum() * math.inf, 1, 2**15), (weight.sum(), 0, 2**15)):
        optimizer.zero_grad()
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        assert weight.tolist() == [left, left] and scaler.get_scale() == scale


def test_transformers_loads_a_checkpoint_in_the_dtype_it_was_saved_in(tmp_path: Path) -> None:
    llama = pytest.importorskip("transformers.models.llama.modeling_llama")
    sizes = {"hidden_size": 16, "intermediate_size": 16, "num_attention_heads": 1}
    config = llama.LlamaConfig(vocab_size=16, num_hidden_layers=1, **sizes)
    llama.LlamaForCausalLM(config).half().save_pretrained(tmp_path)
    loaded = llama.LlamaForCausalLM.from_pretrained(tmp_path)
    assert loaded.lm_head.weight.dtype == HALF  # and nobody asked for it
    assert loaded.model.rotary_emb.inv_freq.dtype == torch.float32  # half() would round it


def test_bf16_weights_between_2_to_the_minus_17_and_65504_lose_nothing_in_fp16() -> None:
    codes = torch.arange(2**16, dtype=torch.int32).to(torch.uint16).view(BF16)
    size = codes.float().abs()
    inside = (size >= 2**-17) & (size <= torch.finfo(HALF).max)
    assert torch.equal(codes[inside].half().float(), codes[inside].float())
    below = (size > 2**-18) & (size < 2**-17)
    assert (codes[below].half().float() != codes[below].float()).any()
    assert codes[(size > 65535) & size.isfinite()].half().isinf().all()


def test_token_ids_must_not_be_cast() -> None:
    ids = torch.tensor([257, 1001])
    assert ids.to(BF16).long().tolist() == [256, 1000]  # other words
    with pytest.raises(RuntimeError, match="indices"):
        nn.Embedding(2000, 4)(ids.to(BF16))


def test_the_cache_of_casts_is_stale_for_a_trainable_weight_and_not_for_a_frozen_one() -> None:
    def growth(trainable: bool) -> float:
        layer, x = nn.Linear(8, 8, bias=False).requires_grad_(trainable), torch.ones(1, 8)
        with torch.no_grad(), torch.autocast("cpu", dtype=BF16):
            before = layer(x)
            layer.weight.mul_(2)
            return (layer(x) / before).mean().item()

    assert growth(trainable=True) == 1 and growth(trainable=False) == 2


# A process of its own: in one that has run other tests, memory that they freed is used again.
GROWTH = """
import torch
from pathlib import Path
def resident():
    return 4096 * int(Path("/proc/self/statm").read_text().split()[1])
model = torch.nn.Sequential(torch.nn.Linear(4096, 4096, bias=False))
before = resident()
packed = torch.ao.quantization.quantize_dynamic(model, {torch.nn.Linear}, dtype=torch.float16)
print(resident() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="Linux tells its memory in /proc")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_dynamic_fp16_halves_the_weights_in_memory_and_not_the_checkpoint() -> None:
    weights = 4096 * 4096
    done = subprocess.run([sys.executable, "-c", GROWTH], capture_output=True, encoding="utf-8")
    growth = int(done.stdout)
    assert 1.7 * weights < growth < 2.5 * weights  # two bytes a weight, and the rest
    model = nn.Sequential(nn.Linear(4096, 4096, bias=False))
    packed = torch.ao.quantization.quantize_dynamic(model, {nn.Linear}, dtype=HALF)
    file = io.BytesIO()
    torch.save(packed.state_dict(), file)
    assert file.tell() > 4 * weights
    assert packed(torch.ones(1, 4096)).dtype == torch.float32


@pytest.mark.filterwarnings("default::DeprecationWarning")
def test_quantize_dynamic_says_that_it_is_deprecated() -> None:
    with pytest.warns(DeprecationWarning, match="deprecated and will be removed"):
        torch.ao.quantization.quantize_dynamic(nn.Sequential(nn.Linear(2, 2)), {nn.Linear})


def test_a_cast_to_e4m3_turns_infinity_into_448_in_pytorch_and_into_nan_in_ml_dtypes() -> None:
    x = torch.tensor([1e4, math.inf, -math.inf])
    assert x.to(E4M3).float().tolist() == [448, 448, -448]
    with np.errstate(invalid="ignore"):
        assert np.isnan(x.numpy().astype(ml_dtypes.float8_e4m3fn).astype(float)).all()
    assert x.to(torch.float8_e5m2).float().tolist()[1:] == [math.inf, MINUS_INFINITY]


def test_scaled_values_beyond_248_are_nan_in_fnuz() -> None:
    assert torch.tensor([247.0, 241.0]).to(FNUZ).float().tolist() == [240, 240]
    assert torch.tensor([249.0, 448.0]).to(FNUZ).float().isnan().all()


def test_fn_codes_kept_as_fnuz_never_exceed_224_which_is_half_of_448() -> None:
    codes = torch.arange(256, dtype=torch.int32).to(torch.uint8)
    fn, fnuz = codes.view(E4M3).float(), codes.view(FNUZ).float()
    assert fnuz[fn.isfinite() & fnuz.isfinite()].max() == 224
    assert torch.finfo(FNUZ).max == 240
