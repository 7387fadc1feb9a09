"""What the interview answers on number formats and AMP claim, and no lesson shows."""

import math
import os
import subprocess
import sys

import ml_dtypes
import numpy as np
import pytest
import torch

from halfbits import formats
from halfbits.models.llama import rotary_angles, rotate

HEAD, THETA = 128, 1e4


def neighbor_score_error(start, angles):
    """Largest error of the score of neighbors, as a share of |q| |k|, over 64 positions."""
    draw = torch.Generator().manual_seed(0)
    q, k = torch.randn(2, HEAD, generator=draw)
    cos, sin = angles(torch.arange(start, start + 64))
    scores = (rotate(q.expand(63, -1), cos[1:], sin[1:]) * rotate(k, cos[:-1], sin[:-1])).sum(-1)
    cos, sin = rotary_angles(torch.arange(2), HEAD, THETA)  # only the distance should matter
    true = (rotate(q, cos[1], sin[1]) * rotate(k, cos[0], sin[0])).sum()
    return ((scores - true).abs().max() / (q.norm() * k.norm())).item()


def bf16_positions(positions):
    return rotary_angles(positions.bfloat16().float(), HEAD, THETA)


def bf16_table(positions):
    return tuple(t.bfloat16().float() for t in rotary_angles(positions, HEAD, THETA))


def test_bf16_tells_few_positions_apart():
    counts = [torch.arange(n).bfloat16().unique().numel() for n in (256, 4096, 131072)]
    assert counts == [256, 769, 1409]


def test_bf16_positions_give_neighbors_the_same_angle():
    cos, sin = bf16_positions(torch.arange(4000, 4096))
    assert len(torch.cat([cos, sin], 1).unique(dim=0)) == 7
    assert torch.tensor(4095.0).bfloat16() == 4096


def test_rounded_positions_hurt_a_rope_score_and_a_rounded_table_hardly_does():
    # A rounded cosine or sine is off by 2^-9 at most: q moves by sqrt(2) 2^-9 |q|, k likewise.
    assert neighbor_score_error(8192, bf16_table) < 3 * 2**-9
    assert neighbor_score_error(8192, bf16_positions) > 6 * 2**-9
    assert neighbor_score_error(8192, lambda p: rotary_angles(p, HEAD, THETA)) < 1e-3


def test_positions_rounded_to_bf16_are_harmless_up_to_256():
    exact = rotary_angles(torch.arange(257), HEAD, THETA)
    assert all(map(torch.equal, bf16_positions(torch.arange(257)), exact))


def test_autocast_multiplies_float32_positions_in_bf16():
    positions, frequency = torch.arange(4000.0, 4096.0)[:, None], torch.ones(1, 1)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rounded = positions @ frequency
    assert rounded.dtype == torch.bfloat16 and rounded.unique().numel() == 7


def test_tf32_has_the_range_of_fp32_and_the_steps_of_fp16():
    tf32, fp32, fp16 = (formats.limits(name) for name in ("tf32", "fp32", "fp16"))
    assert tf32.eps == fp16.eps == 2**-10
    assert tf32.smallest_normal == fp32.smallest_normal
    assert tf32.largest > 0.999 * fp32.largest


def test_bits_of_e4m3fn_read_as_fnuz_are_half_and_minus_zero_is_nan():
    codes = np.arange(256, dtype=np.uint8)
    with np.errstate(invalid="ignore"):
        fn = codes.view(ml_dtypes.float8_e4m3fn).astype(float)
        fnuz = codes.view(ml_dtypes.float8_e4m3fnuz).astype(float)
    both = np.isfinite(fn) & np.isfinite(fnuz)
    assert np.array_equal(fnuz[both], fn[both] / 2)
    assert codes[np.isnan(fnuz)].tolist() == [0x80] and fn[0x80] == 0


@pytest.mark.parametrize(
    ("kind", "largest"), [("float8_e4m3fn", 448), ("float8_e4m3fnuz", 240), ("float8_e4m3", 240)]
)
def test_e4m3_ends_where_its_kind_says(kind, largest):
    assert float(ml_dtypes.finfo(kind).max) == largest


def test_scaling_to_448_makes_nan_in_fnuz_and_scaling_to_240_costs_e4m3fn_nothing():
    x = torch.randn(2**16, generator=torch.Generator().manual_seed(0))
    unit = x / x.abs().max()
    assert (448 * unit).to(torch.float8_e4m3fnuz).float().isnan().any()
    errors = [
        ((top * unit).to(torch.float8_e4m3fn).float() / top - unit).norm() for top in (448, 240)
    ]
    assert 0.97 < errors[0] / errors[1] < 1.03


def scaled_cast(x, kind):
    """x rounded to an fp8 format with the scale that puts its largest value at the end."""
    scale = x.abs().max() / torch.finfo(kind).max
    return (x / scale).to(kind).float() * scale


def test_e4m3_wins_on_bell_shaped_data_and_e5m2_on_data_of_wide_range():
    draw = torch.Generator().manual_seed(0)
    bell, sizes = torch.randn(2, 2**17, generator=draw)
    wide = bell.sign() * (4 * sizes).exp()
    kinds = torch.float8_e4m3fn, torch.float8_e5m2
    noise = [(bell - scaled_cast(bell, kind)).square().mean() for kind in kinds]
    decibels = [-10 * (n / bell.square().mean()).log10().item() for n in noise]
    assert 31 < decibels[0] < 32 and 25 < decibels[1] < 26
    zeros = [(scaled_cast(wide, kind) == 0).double().mean().item() for kind in kinds]
    assert zeros[0] > 0.8 and 0.05 < zeros[1] < 0.3


def test_the_upper_byte_of_fp16_is_e5m2():
    codes = torch.arange(256, dtype=torch.int32)
    padded = (codes << 8).to(torch.uint16).view(torch.float16).float()
    short = codes.to(torch.uint8).view(torch.float8_e5m2).float()
    assert torch.equal(padded.nan_to_num(7.5), short.nan_to_num(7.5))


def test_stochastic_rounding_reaches_the_sum_that_nearest_rounding_never_does():
    draw = torch.Generator().manual_seed(0)

    def stochastic(x):
        """bf16 by adding 16 random bits below the cut, and cutting."""
        noise = torch.randint(2**16, x.shape, generator=draw, dtype=torch.int32)
        return ((x.view(torch.int32) + noise) & -(2**16)).view(torch.float32)

    weights, nearest = torch.ones(2000), torch.ones(())
    for _ in range(1000):
        weights = stochastic(weights + 1e-3)
        nearest = (nearest + 1e-3).bfloat16().float()
    assert nearest == 1
    # Steps of 2^-7, taken with probability 0.128: 1,000 of them have a deviation of 0.083.
    assert abs(weights.mean() - 2) < 5 * 0.083 / 2000**0.5
    assert 0.06 < weights.std() < 0.11


def test_gradient_scaler_starts_at_65536_and_grows_every_2000_clean_steps():
    state = torch.amp.GradScaler("cpu").state_dict()
    assert (state["scale"], state["growth_factor"], state["backoff_factor"]) == (65536, 2, 0.5)
    assert state["growth_interval"] == 2000


def test_fp16_keeps_fewer_digits_below_its_smallest_normal_number():
    limits = formats.limits("fp16")
    assert (limits.smallest_normal, limits.smallest) == (2**-14, 2**-24)
    assert formats.spacing(2.0**-14, "fp16") == formats.spacing(2.0**-24, "fp16") == 2**-24
    assert torch.tensor(1e-7).half().item() == 2 * 2**-24  # 19% too large
    assert torch.tensor(2.0**-25).half() == 0 < torch.tensor(1.01 * 2.0**-25).half()


def test_without_subnormals_two_different_numbers_would_have_a_difference_of_zero():
    x, y = (torch.tensor(v, dtype=torch.float16) for v in (1.5 * 2**-14, 2**-14))
    assert x != y and x - y == 2.0**-15 < formats.limits("fp16").smallest_normal


def test_eps_of_1e_minus_8_is_zero_in_fp16_and_not_in_bf16():
    assert torch.tensor(1e-8).half() == 0 < torch.tensor(1e-8).bfloat16()
    assert torch.tensor(1e-5).half() > 0


@pytest.mark.parametrize(
    ("dtype", "step", "first_lost"), [(torch.float16, 0.5, 2049), (torch.bfloat16, 4, 257)]
)
def test_steps_at_1000_and_first_lost_integers(dtype, step, first_lost):
    assert torch.finfo(dtype).eps * 512 == step
    numbers = torch.arange(5000)
    lost = numbers[numbers.to(dtype).long() != numbers]
    assert lost[0] == first_lost


def test_weights_without_a_scale_are_mostly_subnormal_in_e4m3_and_scaled_ones_hardly_ever():
    weights = 0.02 * torch.randn(100_000, generator=torch.Generator().manual_seed(0))
    smallest_normal = torch.finfo(torch.float8_e4m3fn).smallest_normal
    scaled = weights * torch.finfo(torch.float8_e4m3fn).max / weights.abs().max()
    shares = [(x.abs() < smallest_normal).float().mean().item() for x in (weights, scaled)]
    assert smallest_normal == 1 / 64
    assert shares[0] > 0.5
    assert shares[1] < 0.001


def test_pytorch_allows_sixteen_bit_reductions_of_partial_sums_by_default():
    assert torch.backends.cuda.matmul.allow_fp16_reduced_precision_reduction
    assert torch.backends.cuda.matmul.allow_bf16_reduced_precision_reduction


@pytest.mark.parametrize("addend", [0.6, 0.75, 1.0, 1.5, 3.0])
def test_a_bf16_sum_stops_at_the_next_power_of_two_from_its_addend_over_u(addend):
    term, total = torch.tensor(addend).bfloat16(), torch.tensor(0.0).bfloat16()
    while total + term != total:
        total += term
    assert total == 2.0 ** math.ceil(math.log2(term.item() / 2**-8))


def test_a_compensation_term_in_bf16_keeps_what_the_updates_of_a_bf16_weight_lose():
    weight, lost, plain = torch.tensor([1.0, 0.0, 1.0], dtype=torch.bfloat16)
    for _ in range(1000):
        step = lost + torch.tensor(1e-3).bfloat16()
        moved = weight + step
        weight, lost = moved, step - (moved - weight)
        plain = plain + torch.tensor(1e-3).bfloat16()
    assert plain == 1
    assert abs(weight.item() - 2) < 0.02  # one step of bf16 at two, and the rounding of 0.001


def test_bf16_ends_above_float32_and_far_below_fp16():
    ends = [formats.limits(name).smallest for name in ("fp16", "bf16", "fp32")]
    assert ends == [2.0**-24, 2.0**-133, 2.0**-149]
    assert torch.tensor(2.0**-140) > 0 == torch.tensor(2.0**-140).bfloat16()


def run(code, **environment):
    """What a fresh Python prints: settings for the whole process are neither read nor left here."""
    told = subprocess.run(
        [sys.executable, "-c", f"import torch\n{code}"],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )
    assert told.returncode == 0, told.stderr
    return told.stdout.split()


def test_pytorch_defaults_to_tf32_for_cudnn_and_not_for_matmul():
    ask = "torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32"
    assert run(f"print({ask})", TORCH_ALLOW_TF32_CUBLAS_OVERRIDE="0") == ["False", "True"]


def test_an_environment_variable_starts_pytorch_with_tf32_products():
    ask = "print(torch.backends.cuda.matmul.allow_tf32, torch.get_float32_matmul_precision())"
    assert run(ask, TORCH_ALLOW_TF32_CUBLAS_OVERRIDE="0") == ["False", "highest"]
    assert run(ask, TORCH_ALLOW_TF32_CUBLAS_OVERRIDE="1") == ["True", "high"]


@pytest.mark.parametrize(
    "old", ["torch.backends.cuda.matmul.allow_tf32", "torch.get_float32_matmul_precision()"]
)
def test_the_old_names_of_tf32_cannot_be_read_once_the_new_one_is_set(old):
    code = f"""
torch.backends.cuda.matmul.fp32_precision = "tf32"
try:
    print({old})
except RuntimeError:
    print("refused")"""
    assert run(code) == ["refused"]


def test_minus_a_billion_is_refused_or_infinite_in_fp16():
    scores, hidden = torch.zeros(1, 4).half(), torch.ones(1, 4).bool()
    with pytest.raises(RuntimeError, match="overflow"):
        scores.masked_fill(hidden, -1e9)
    assert (scores - 1e9).eq(-torch.inf).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_attention_over_nothing_is_nan_by_hand_and_zero_in_pytorchs_own(dtype):
    x = torch.randn(1, 1, 3, 8, generator=torch.Generator().manual_seed(0)).to(dtype)
    seen = torch.tensor([True, False, True])[:, None].expand(1, 1, 3, 3)
    scores = (x @ x.mT).masked_fill(~seen, -torch.inf)
    assert scores.softmax(-1)[0, 0, 1].isnan().all()
    out = torch.nn.functional.scaled_dot_product_attention(x, x, x, attn_mask=seen)
    assert out.isfinite().all() and out[0, 0, 1].eq(0).all()
