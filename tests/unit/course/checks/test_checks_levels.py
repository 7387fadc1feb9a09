"""Each claim on quantizers to levels accepts a right one and rejects its mistake."""

from __future__ import annotations

import pytest
from suites import answer_of, claims, verdict

from halfbits.course.checks.levels import LevelGroups

FP4 = (-6.0, -4.0, -3.0, -2.0, -1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0)
UNEVEN = (-1.0, -0.5, -0.2, 0.0, 0.1, 0.3, 0.6, 1.0)
SUITES = {"FP4": LevelGroups("quantize", FP4, 16), "uneven": LevelGroups("quantize", UNEVEN, 8)}
SOURCE = """
import torch
def quantize(w):
    w = w.detach().float()
    blocks = w.reshape(len(w), -1, GROUP)
    scale = (blocks.abs().amax(-1, keepdim=True) / max(LEVELS)).clamp(min=2.0**-126)
    gaps = (blocks / scale).unsqueeze(-1) - torch.tensor(LEVELS)
    return gaps.abs().argmin(-1).to(torch.uint8).reshape(w.shape), scale.squeeze(-1)
"""
AMAX = "blocks.abs().amax(-1, keepdim=True)"
PER_ROW = "blocks.abs().amax((1, 2), True).expand(blocks[..., :1].shape)"
WIDE_SCALE = ("scale.squeeze(-1)", "scale.squeeze(-1).float()")
DIVIDED = "/ max(LEVELS)"
WRONG = {
    "test_scale_is_amax_over_the_largest_level": [
        (DIVIDED, "/ max(LEVELS) * 1.01"),
        (DIVIDED, "/ max(LEVELS) / 2"),
        ("2.0**-126", "1e-6"),
        (AMAX, PER_ROW),
    ],
    "test_takes_the_nearest_level": [
        ("gaps.abs()", "gaps.add(0.2).abs()"),
        ("(blocks / scale)", "(blocks / scale).half()"),
        ("gaps.abs().argmin(-1)", "(gaps >= 0).sum(-1).sub(1).clamp(0)"),
    ],
    "test_levels_come_back_exactly": [
        ("gaps.abs()", "gaps[..., 1:].abs()"),
        ("gaps.abs().argmin(-1)", "gaps.abs().argmin(-1).clamp(max=len(LEVELS) - 2)"),
    ],
    "test_loud_group_hurts_no_other": [
        (AMAX, PER_ROW),
    ],
    "test_zero_group_gives_zeros": [
        (".clamp(min=2.0**-126)", ""),
        ("return gaps", "scale = scale if scale.min() > 1e-30 else scale * 2\n    return gaps"),
    ],
    "test_denormal_groups_stay_finite": [
        ("2.0**-126", "1e-20"),
        (".clamp(min=2.0**-126)", ".clamp(min=2.0**-100)"),
    ],
    "test_huge_values_do_not_overflow": [
        (f"({AMAX} {DIVIDED})", f"({AMAX} * 8 {DIVIDED} / 8)"),
    ],
    "test_half_precision_is_computed_in_float32": [
        (
            ".float()",
            "",
            "2.0**-126",
            "torch.finfo(w.dtype).tiny",
            *WIDE_SCALE,
        )
    ],
    "test_is_left_untouched_without_a_graph": [
        ("w.detach()", "w"),
        ("blocks / scale", "blocks.mul_(1.5) / scale"),
    ],
}


@pytest.mark.parametrize("claim", claims(SUITES["FP4"]))
@pytest.mark.parametrize("name", SUITES)
def test_a_level_quantizer_is_judged_by_each_claim(name: str, claim: str) -> None:
    suite = SUITES[name]
    source = f"LEVELS, GROUP = {suite.levels.tolist()}, {suite.group}\n{SOURCE}"
    assert verdict(suite, claim, answer_of(source)) == ""
    for swaps in WRONG[claim]:
        assert verdict(suite, claim, answer_of(source, *swaps)), swaps
