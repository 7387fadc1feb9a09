"""Claims of the interview bank on recipes in 8, 4 and fewer bits, and on the error of products."""

from __future__ import annotations

import math

import gguf
import pytest
import torch
from interview_draws import draw
from torch import Tensor

from halfbits import formats
from halfbits.perf import records
from halfbits.perf.cost import hardware
from halfbits.quantize import quantize_mx
from halfbits.quantize.levels import levels_of, nearest

E4M3 = torch.float8_e4m3fn


def sqnr(x: Tensor, approximation: Tensor) -> float:
    """Signal over noise in dB."""
    error = (x - approximation).double()
    return (10 * torch.log10(x.double().square().sum() / error.square().sum())).item()


def fp8(x: Tensor) -> Tensor:
    """x as e4m3 with one scale gives it back."""
    scale = x.abs().max() / 448
    return (x / scale).to(E4M3).to(x.dtype) * scale


def test_an_outlier_of_two_to_the_20_flushes_a_whole_tensor_but_only_its_own_tile_of_128() -> None:
    x = draw(0, 4, 512).float()
    x[0, 0] = 2.0**20
    tiled = torch.stack([torch.cat([fp8(part) for part in row.split(128)]) for row in x])
    zeros = [(rounded == 0).double().mean().item() for rounded in (fp8(x), tiled)]
    assert zeros[0] > 0.95 and zeros[1] < 0.07  # a tile is 1/16 of these values
    error = (tiled - x)[1:] / x[1:]
    assert error.abs().max() <= 1 / 16


@pytest.mark.parametrize(
    ("element", "nearest_is_worse_by", "clipped_up"), [("fp8_e4m3fn", 8, 0), ("fp4_e2m1", 0.2, 0)]
)
def test_an_mx_scale_that_is_rounded_to_nearest_is_the_worst_of_the_three(
    element: str, nearest_is_worse_by: float, clipped_up: float
) -> None:
    x, levels = draw(0, 4096, 32).float(), torch.tensor(levels_of(element))
    amax, top = x.abs().amax(1, keepdim=True), levels.max()
    found = {}
    for name, exponent in (
        ("nearest", (amax / top).log2().round()),
        ("up", (amax / top).log2().ceil()),
    ):
        scale = 2.0**exponent
        clipped = (amax > scale * top).double().mean().item()
        found[name] = sqnr(x, levels[nearest(x / scale, levels)] * scale), clipped
    floor = sqnr(x, quantize_mx(x, element).dequantize())
    assert min(floor, found["up"][0]) - found["nearest"][0] > nearest_is_worse_by
    assert found["up"][1] == clipped_up and found["nearest"][1] > 0.35
    if element == "fp4_e2m1":
        assert abs(floor - found["up"][0]) < 0.1


def second_level(low: int, high: int) -> tuple[int, int]:
    """Scale and zero point of unsigned 4-bit codes for int8 codes from `low` to `high`."""
    scale = max(1, round((high - low) / 15))
    return scale, min(15, max(0, round(-low / scale)))


def leaves_int8(top: int) -> bool:
    """Whether some range within +-top comes back from 4 bits as something beyond int8."""
    for low in range(-top, 1):
        for high in range(top + 1):
            scale, zero = second_level(low, high)
            for value in (low, high):
                code = min(15, max(0, round(value / scale) + zero))
                if not -128 <= (code - zero) * scale <= 127:
                    return True
    return False


def test_int8_codes_up_to_119_stay_in_int8_after_a_second_rounding_to_4_bits() -> None:
    assert not leaves_int8(119)
    assert leaves_int8(120) and leaves_int8(127)


def test_a_w4a8_product_with_integer_group_scales_is_one_integer_product_and_one_scale() -> None:
    draws = torch.Generator().manual_seed(0)
    codes = torch.randint(16, (8, 4, 32), generator=draws)  # rows, groups, weights of a group
    scale = torch.randint(1, 17, (8, 4, 1), generator=draws)
    zero = torch.randint(4, 12, (8, 4, 1), generator=draws)
    x = torch.randint(-127, 128, (3, 4, 32), generator=draws)
    inner = ((codes - zero) * scale).flatten(1)  # 4 bits to 8 bits, integers only
    by_group = torch.einsum("bgk,rgk->brg", x, codes - zero) * scale[..., 0]
    assert torch.equal(x.flatten(1) @ inner.T, by_group.sum(-1))


def test_a_sum_of_positive_products_stalls_in_fp16_and_not_with_a_promotion_every_32() -> None:
    products = (draw(0, 4096, 64).abs() * draw(1, 4096, 64).abs()).half()
    exact, narrow, wide = products.double().sum(0), torch.zeros(64).half(), torch.zeros(64)
    for start in range(0, 4096, 32):
        partial = torch.zeros(64).half()
        for row in products[start : start + 32]:
            narrow, partial = narrow + row, partial + row
        wide = wide + partial.float()
    errors = [((total.double() - exact).abs() / exact).max().item() for total in (narrow, wide)]
    assert errors[0] > 0.01 and errors[1] < 5e-4


def test_an_fp16_sum_may_overflow_on_the_way_to_a_result_of_zero() -> None:
    terms = torch.cat([torch.full((70,), 1000.0), torch.full((70,), -1000.0)])
    narrow, wide = torch.tensor(0.0).half(), torch.tensor(0.0)
    for term in terms:
        narrow, wide = narrow + term.half(), wide + term
    assert wide == 0 and narrow.isinf()


def rounding_noise(mantissa: int) -> float:
    """Root mean square of the rounding error of N(0, 1), over its own: 0.2127 * 2^-mantissa."""
    return 0.2127 * 2.0**-mantissa


@pytest.mark.parametrize(("dtype", "mantissa"), [(torch.float16, 10), (torch.bfloat16, 7)])
def test_rounding_a_gaussian_number_costs_a_fifth_of_a_step_at_one(
    dtype: torch.dtype, mantissa: int
) -> None:
    x = draw(0, 2**20)
    noise = ((x.to(dtype).double() - x).square().mean() / x.square().mean()).sqrt().item()
    assert noise == pytest.approx(rounding_noise(mantissa), rel=0.01)
    assert formats.FORMATS["tf32"].mantissa == formats.FORMATS["fp16"].mantissa == 10


@pytest.mark.parametrize(
    ("way", "mantissa", "roundings"),
    [("tf32", 10, 2), ("fp16", 10, 3), ("bf16", 7, 3), ("fp8", 3, 2)],
)
def test_the_recorded_error_of_a_product_is_that_of_its_roundings(
    way: str, mantissa: int, roundings: int
) -> None:
    record, side = records.load("gpu_matmul"), 8192
    row = records.rows(record, "products", way=way, batch=side, inputs=side, outputs=side)[0]
    assert row["error"] == pytest.approx(math.sqrt(roundings) * rounding_noise(mantissa), rel=0.03)


def test_blackwell_ultra_has_little_int8_left_and_more_fp4() -> None:
    b200, b300 = (hardware()[name].peak for name in ("B200", "B300"))
    assert b200["fp4"] == 2 * b200["fp8"] == 4 * b200["bf16"] and b200["int8"] == b200["fp8"]
    assert b300["fp4"] > 1.5 * b200["fp4"] and b300["bf16"] == b200["bf16"]
    assert b300["int8"] < b300["bf16"] / 10


def uniform_levels(x: Tensor, bits: int, peak: float) -> Tensor:
    """x on 2^bits even levels that fill -peak to peak."""
    step = 2 * peak / 2**bits
    return ((x / step - 0.5).round() + 0.5).clamp(
        0.5 - 2 ** (bits - 1), 2 ** (bits - 1) - 0.5
    ) * step


def ruled(bits: int, peak_over_rms: float) -> float:
    return 20 * math.log10(2**bits) + 10 * math.log10(3) - 20 * math.log10(peak_over_rms)


def test_one_formula_gives_the_sqnr_of_a_sine_a_uniform_and_a_gaussian_signal() -> None:
    turn = torch.arange(2**18).double()
    signals = {
        "sine": (torch.sin(turn), 1.0, math.sqrt(2)),
        "uniform": (
            torch.rand(2**18, generator=torch.Generator().manual_seed(0)) * 2 - 1,
            1.0,
            math.sqrt(3),
        ),
        "gaussian": (draw(0, 2**18), 4.0, 4.0),
    }
    found = {
        name: sqnr(x, uniform_levels(x, 8, peak)) - ruled(8, crest)
        for name, (x, peak, crest) in signals.items()
    }
    assert max(map(abs, found.values())) < 0.6  # four deviations clip a little, too
    assert ruled(8, math.sqrt(2)) == pytest.approx(6.02 * 8 + 1.76, abs=0.01)
    assert ruled(8, math.sqrt(3)) == pytest.approx(6.02 * 8, abs=0.01)
    assert ruled(8, 4) == pytest.approx(6.02 * 8 - 7.27, abs=0.01)


def test_ternary_codes_hold_1_58_bits_and_are_stored_in_1_6_to_2() -> None:
    assert math.log2(3) == pytest.approx(1.585, abs=1e-3)
    assert 3**5 == 243 <= 256 and 8 / 5 == 1.6
    sizes = {
        name: 8 * nbytes / weights
        for name in ("TQ1_0", "TQ2_0")
        for weights, nbytes in [gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType[name]]]
    }
    assert sizes == {"TQ1_0": 1.6875, "TQ2_0": 2.0625}  # a 16-bit scale for 256 weights included


def test_a_ternary_gaussian_keeps_six_decibels_with_the_mean_and_none_with_the_maximum() -> None:
    w = draw(0, 2**17)
    found = {
        name: sqnr(w, (w / scale).round().clamp(-1, 1) * scale)
        for name, scale in {
            "mean": w.abs().mean(),
            "best": torch.tensor(1.22),
            "max": w.abs().max(),
        }.items()
    }
    assert found["mean"] == pytest.approx(5.8, abs=0.1) and found["max"] < 1
    assert found["best"] == pytest.approx(7.2, abs=0.1)
    assert 0.3 < (w.abs() < w.abs().mean() / 2).double().mean() < 0.32


def codebook(x: Tensor, entries: Tensor) -> Tensor:
    """Lloyd's algorithm: entries for the rows of x, each the mean of the rows nearest to it."""
    for _ in range(10):
        nearest_entry = torch.cdist(x, entries).argmin(1)
        sums = torch.zeros_like(entries).index_add_(0, nearest_entry, x)
        entries = sums / torch.bincount(nearest_entry, minlength=len(entries)).clamp(min=1)[:, None]
    return entries


def test_at_two_bits_a_codebook_of_quadruples_beats_the_best_four_levels() -> None:
    """And one bit, a sign with a scale, keeps 4.4 dB. Judged on numbers of another seed."""
    seen, fresh = draw(0, 2**16), draw(1, 2**15)
    starts = (torch.tensor([[-1.5], [-0.5], [0.5], [1.5]]).double(), draw(2, 256, 4))
    kept = {}
    for start in starts:
        width = start.shape[1]
        entries = codebook(seen.reshape(-1, width), start)
        rows = fresh.reshape(-1, width)
        kept[width] = sqnr(rows, entries[torch.cdist(rows, entries).argmin(1)])
    assert kept[1] == pytest.approx(9.3, abs=0.05) and kept[4] == pytest.approx(9.9, abs=0.1)
    assert kept[1] + 0.4 < kept[4] < 2 * 20 * math.log10(2)
    assert sqnr(fresh, fresh.sign() * fresh.abs().mean()) == pytest.approx(4.4, abs=0.05)


def test_ternary_weights_are_added_and_subtracted_and_not_multiplied() -> None:
    codes = torch.randint(-1, 2, (8, 64), generator=torch.Generator().manual_seed(0))
    x = torch.randint(-127, 128, (64,), generator=torch.Generator().manual_seed(1))
    sums = torch.stack([x[row == 1].sum() - x[row == -1].sum() for row in codes])
    assert torch.equal(sums, codes @ x)
