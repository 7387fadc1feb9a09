"""The precision ladder keeps its order: in the committed record, and in a few rows measured now."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from halfbits.models import load_tiny_lm

ROOT = Path(__file__).parents[2]
RECORD = json.loads((ROOT / "book" / "data" / "ladder.json").read_text(encoding="utf-8"))
ROWS = {row["name"]: row for row in RECORD["rows"]}
LIVE = {"int8 channel", "int4 channel", "int4 g32", "int3 channel", "w8a8 token"}
LIVE |= {f"outliers x128 {kind}" for kind in ("fp32", "w8a8 tensor", "smoothed w8a8 tensor")}

# (better, worse): the second loses more than the first, by far more than measuring can blur.
ORDER = [
    ("int8 channel", "int6 channel"),
    ("int6 channel", "int5 channel"),
    ("int5 channel", "int4 channel"),
    ("int4 channel", "int3 channel"),
    ("int4 channel", "int4 tensor"),
    ("int4 g64", "int4 channel"),
    ("int4 g32", "int4 g64"),
    ("int4 g64 affine", "int4 g64"),
    ("int4 g32 affine", "int4 g32"),
    ("int4 g32 affine", "int3 g32 affine"),
    ("nf4 g64", "int4 g64"),
    ("fp8 tensor", "mxfp4"),
    ("int8 channel", "fp8 tensor"),
    ("w8a8 token", "w8a8 tensor"),
    ("w8a8 token", "outliers x128 w8a8 token"),
    ("outliers x32 w8a8 token", "outliers x128 w8a8 token"),
    ("outliers x32 w8a8 token", "outliers x32 w8a8 tensor"),
    ("outliers x128 smoothed w8a8 token", "outliers x128 w8a8 token"),
    ("outliers x128 smoothed w8a8 tensor", "outliers x128 w8a8 tensor"),
]


def loss(rows, name):
    return rows[name]["difference"]


@pytest.mark.parametrize(("better", "worse"), ORDER)
def test_the_record_keeps_the_order(better, worse):
    assert loss(ROWS, better) < loss(ROWS, worse)


@pytest.mark.parametrize("name", ["bf16", "fp16", "int8 channel", "w8a8 token"])
def test_eight_bits_and_more_cost_less_than_one_percent(name):
    assert abs(loss(ROWS, name)) < 0.01 * ROWS["fp32"]["perplexity"]


@pytest.mark.parametrize("scale", [32, 128])
def test_outliers_change_nothing_in_float32_and_ruin_one_scale_for_all(scale):
    assert loss(ROWS, f"outliers x{scale} fp32") == 0
    ruined = ROWS[f"outliers x{scale} w8a8 tensor"]["perplexity"]
    assert ruined > 2 * ROWS["fp32"]["perplexity"]


def test_a_paired_difference_is_known_far_better_than_a_perplexity():
    row = ROWS["int8 channel"]
    assert 0 < row["difference_standard_error"] < 0.05 * row["standard_error"]


def test_bytes_count_codes_scales_and_the_rest():
    matrices, config = RECORD["block_matrix_weights"], load_tiny_lm().model.config
    rest = config.vocab_size * config.hidden_size + 13 * config.hidden_size
    assert ROWS["fp32"]["bytes"] == 4 * (matrices + rest)
    assert ROWS["bf16"]["bytes"] == 2 * (matrices + rest)
    assert ROWS["int4 g32"]["bytes"] == matrices * (4 + 16 / 32) / 8 + 2 * rest
    assert ROWS["int4 g32 affine"]["bytes"] == matrices * (4 + 20 / 32) / 8 + 2 * rest
    assert ROWS["mxfp4"]["bytes"] == matrices * (4 + 8 / 32) / 8 + 2 * rest
    sizes = [ROWS[f"int{b} channel"]["bytes"] for b in (3, 4, 5, 6, 8)]
    assert sizes == sorted(sizes)


def test_the_full_ladder_took_under_five_minutes():
    assert RECORD["seconds"] < 300


@pytest.fixture(scope="module")
def live():
    from benchmarks import ladder

    lm = load_tiny_lm()
    texts = ladder.split_texts(lm, documents=8)
    return {row["name"]: row for row in ladder.measure(lm, texts, LIVE)}


@pytest.mark.parametrize(("better", "worse"), [p for p in ORDER if LIVE.issuperset(p)])
def test_the_order_holds_on_this_machine(live, better, worse):
    assert loss(live, better) < loss(live, worse)


def test_planting_is_exact_and_int8_nearly_free_on_this_machine(live):
    assert loss(live, "outliers x128 fp32") == 0
    assert abs(loss(live, "int8 channel")) < 0.01 * live["fp32"]["perplexity"]
    assert abs(loss(live, "w8a8 token")) < 0.02 * live["fp32"]["perplexity"]
