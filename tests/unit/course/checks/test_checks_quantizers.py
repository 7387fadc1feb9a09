"""Each claim on quantizers accepts a right one and rejects the mistake that it is about."""

from __future__ import annotations

import pytest
from suites import answer_of, claims, verdict

from halfbits.course.checks.activations import AffineTensor
from halfbits.course.checks.quantizers import SymmetricRows

ROWS = SymmetricRows("quantize")
AFFINE = AffineTensor("quantize")
WEIGHT = """
import torch
def quantize(w):
    w = w.detach().float()
    scale = (w.abs().amax(1, keepdim=True) / 127).clamp(min=2.0**-126)
    return torch.round(w / scale).clamp(-127, 127).to(torch.int8), scale
"""
ACTIVATION = """
import torch
def quantize(x):
    x = x.detach().float()
    low, high = min(x.min().item(), 0.0), max(x.max().item(), 0.0)
    scale = max((high - low) / 255, 2.0**-126)
    zero = round(-low / scale)
    return (torch.round(x / scale) + zero).clamp(0, 255).to(torch.uint8), scale, zero
"""
ROW = "amax(1, keepdim=True)"
FLOOR = ".clamp(min=2.0**-126)"
ONES = "scale = scale if w.any(1).all() else torch.ones_like(scale)"
RANGE = "(high - low)"
SINGLE = "float(torch.tensor(high) - torch.tensor(low))"
WRONG_ROWS = {
    "test_gives_int8_codes_and_float32_scales": [(".to(torch.int8)", ""), (ROW, "amax(0)")],
    "test_error_is_at_most_half_a_step": [
        ("torch.round", "torch.trunc"),
        (ROW, "amax().repeat(len(w), 1)", "clamp(-127, 127)", "clamp(-100, 100)"),
        ("clamp(-127, 127)", "clamp(-100, 100)"),
        ("torch.round(w", "(torch.floor if len(w) > 128 else torch.round)(w"),
    ],
    "test_scale_is_amax_over_the_largest_code": [
        ("/ 127)", "/ 128)"),
        ("/ 127)", "/ 127 + 1e-8)"),
        ("/ 127)", "/ (63 if len(w) > 128 else 127))"),
        ("/ 127)", "/ (63 if w.shape[1] < 7 else 127))"),
    ],
    "test_outlier_channel_hurts_no_other": [(ROW, "amax().repeat(len(w), 1)")],
    "test_zero_row_gives_zeros": [(FLOOR, ""), ("return", f"{ONES}\n    return")],
    "test_denormal_rows_stay_finite": [(FLOOR, ".masked_fill(w.abs().amax(1)[:, None] == 0, 1.0)")],
    "test_huge_values_do_not_overflow": [("w / scale)", "w * 127 / (scale * 127))")],
    "test_layout_in_memory_does_not_matter": [
        ("w.detach()", "w.detach().as_strided(w.shape, (w.shape[1], 1), 0)"),
        ("w.detach()", "w.detach().as_strided(w.shape, w.stride(), 0)"),
    ],
    "test_half_precision_is_computed_in_float32": [
        (".float()", "", "2.0**-126", "torch.finfo(w.dtype).tiny", ", scale\n", ", scale.float()\n")
    ],
    "test_is_left_untouched_without_a_graph": [
        ("w.detach()", "w"),
        ("w / scale", "w.div_(scale)"),
        ("torch.round(w", "torch.round(w if w.is_contiguous() else w.mul_(1.5)"),
    ],
}
WRONG_AFFINE = {
    "test_gives_uint8_codes_one_scale_one_zero_point": [
        (".to(torch.uint8)", ".to(torch.int16)"),
        (", scale, zero\n", ", scale, -low / scale\n"),
        (", scale, zero\n", ", scale\n"),
    ],
    "test_error_is_at_most_half_a_step": [
        ("clamp(0, 255)", "clamp(0, 200)"),
        ("torch.round(x", "torch.floor(x"),
        ("torch.round(x / scale) + zero", "torch.round(x / scale + zero)"),
    ],
    "test_zero_is_exact": [("torch.round(x / scale) + zero", "torch.floor((x - low) / scale)")],
    "test_one_sided_ranges_use_all_codes": [
        ("min(x.min().item(), 0.0)", "-x.abs().max().item()"),
        ("max(x.max().item(), 0.0)", "x.abs().max().item()"),
    ],
    "test_constants_come_back": [("min(x.min().item(), 0.0)", "x.min().item()")],
    "test_extreme_ranges_stay_finite": [(RANGE, SINGLE), (", 2.0**-126)", ", 2.0**-200)")],
    "test_half_precision_is_computed_in_float32": [(".float()", "")],
    "test_input_is_left_untouched_without_a_graph": [
        ("x / scale", "x.mul_(2) / scale / 2"),
        ("torch.round(x", "torch.round(x if x.is_contiguous() else x.mul_(1.5)"),
        (", scale, zero\n", ", torch.tensor(scale, requires_grad=True), zero\n"),
    ],
}


@pytest.mark.parametrize("claim", claims(ROWS))
def test_a_quantizer_of_weights_is_judged_by_each_claim(claim: str) -> None:
    assert verdict(ROWS, claim, answer_of(WEIGHT)) == ""
    for swaps in WRONG_ROWS[claim]:
        assert verdict(ROWS, claim, answer_of(WEIGHT, *swaps)), swaps


@pytest.mark.parametrize("claim", claims(AFFINE))
def test_a_quantizer_of_activations_is_judged_by_each_claim(claim: str) -> None:
    assert verdict(AFFINE, claim, answer_of(ACTIVATION)) == ""
    for swaps in WRONG_AFFINE[claim]:
        assert verdict(AFFINE, claim, answer_of(ACTIVATION, *swaps)), swaps
