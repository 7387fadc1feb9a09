"""Figures that questions on quantization quote in words stand in the record or output they name."""

from __future__ import annotations

import functools
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
QUESTIONS = ROOT / "book" / "interview" / "questions"

# question, row of book/data/ladder.json, field, the figure as the text has it
LADDER = [
    ("symmetric_or_affine", "int4 g64", "perplexity", "5.09"),
    ("symmetric_or_affine", "int4 g64 affine", "perplexity", "4.88"),
    ("scale_granularity", "int4 tensor", "perplexity", "19.4"),
    ("scale_granularity", "int4 channel", "perplexity", "5.42"),
    ("scale_granularity", "int4 g32", "perplexity", "4.94"),
    ("activation_outliers", "w8a8 tensor", "perplexity", "6.08"),
    ("activation_outliers", "outliers x32 w8a8 tensor", "perplexity", "10.9"),
    ("activation_outliers", "outliers x128 w8a8 tensor", "perplexity", "10,114"),
    ("activation_outliers", "outliers x128 w8a8 token", "perplexity", "25.3"),
    ("activation_outliers", "int8 channel", "difference", "0.001"),
    ("smoothquant_moves", "outliers x32 w8a8 token", "perplexity", "4.77"),
    ("smoothquant_moves", "outliers x128 smoothed w8a8 token", "perplexity", "4.49"),
    ("quantization_is_lossless", "fp32", "perplexity", "4.479"),
    ("quantization_is_lossless", "int6 channel", "difference", "0.031"),
    ("quantization_is_lossless", "int5 channel", "difference", "0.18"),
    ("quantization_is_lossless", "int4 channel", "difference", "0.94"),
    ("quantization_is_lossless", "int4 channel", "difference_standard_error", "0.15"),
    ("quantization_is_lossless", "int3 channel", "difference", "24"),
    ("int8_or_int4", "int4 g32 affine", "perplexity", "4.80"),
    ("fp4_or_int4", "mxfp4", "difference", "0.60"),
    ("fp4_or_int4", "int4 g64", "difference", "0.61"),
    ("fp4_or_int4", "int4 g32", "difference", "0.46"),
    ("fp4_or_int4", "nf4 g64", "difference", "0.31"),
    ("nf4_double_quantization", "nf4 g64", "perplexity", "4.79"),
    ("mxfp4_or_nvfp4", "mxfp4", "difference", "0.60"),
]
# question, notebook, cell, the figure as text and output have it
OUTPUTS = [
    ("scale_granularity", "quantization_theory", "granularity", "17.6 dB"),
    ("scale_granularity", "quantization_theory", "granularity", "20.2 dB"),
    ("clipping_calibration", "quantization_theory", "clip-claims", "18.9 dB"),
    ("fp4_or_int4", "quantization_theory", "cross-claims", "53"),
    ("fp4_or_int4", "quantization_theory", "cross-claims", "49"),
    ("activation_outliers", "quantization_theory", "outliers", "16 dB"),
    ("quantization_is_lossless", "measuring_accuracy_loss", "drop", "96.1%"),
    ("quantization_is_lossless", "measuring_accuracy_loss", "lm-measures", "98.8%"),
    ("kl_perplexity_accuracy", "measuring_accuracy_loss", "lm-measures", "94.2%"),
    ("kl_perplexity_accuracy", "measuring_accuracy_loss", "lm-measures", "0.0009"),
    ("release_gate", "measuring_accuracy_loss", "verdicts", "0.14"),
    ("release_gate", "measuring_accuracy_loss", "verdicts", "0.84"),
    ("below_standard_error", "measuring_accuracy_loss", "verdicts", "0.007"),
    ("below_standard_error", "measuring_accuracy_loss", "variance", "0.87"),
    ("below_standard_error", "measuring_accuracy_loss", "variance", "7.9"),
    ("below_standard_error", "measuring_accuracy_loss", "power-claims", "10,361"),
    ("below_standard_error", "measuring_accuracy_loss", "power-claims", "81,772"),
    ("perplexity_on_own_text", "measuring_accuracy_loss", "trap-claims", "2.24"),
    ("perplexity_on_own_text", "measuring_accuracy_loss", "trap-claims", "1.44"),
]


@functools.cache
def ladder() -> dict[str, dict[str, float]]:
    record = json.loads((ROOT / "book" / "data" / "ladder.json").read_text(encoding="utf-8"))
    return {row["name"]: row for row in record["rows"]}


@functools.cache
def outputs(notebook: str) -> dict[str, str]:
    """What each cell of a lesson printed."""
    path = ROOT / "notebooks" / f"{notebook}.ipynb"
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return {
        cell["id"]: "".join("".join(output.get("text", "")) for output in cell.get("outputs", []))
        for cell in cells
    }


def halves(slug: str) -> list[str]:
    """The English and the Chinese text of a question."""
    return (QUESTIONS / f"{slug}.md").read_text(encoding="utf-8").split("\n# zh: ")


@pytest.mark.parametrize(("slug", "row", "field", "figure"), LADDER)
def test_a_quoted_figure_is_the_rounded_one_of_the_ladder(slug, row, field, figure):
    decimals = len(figure.partition(".")[2])
    assert f"{ladder()[row][field]:,.{decimals}f}" == figure
    assert all(figure in text for text in halves(slug))


@pytest.mark.parametrize(("slug", "notebook", "cell", "figure"), OUTPUTS)
def test_a_quoted_figure_was_printed_by_the_lesson(slug, notebook, cell, figure):
    assert figure in outputs(notebook)[cell]
    assert all(figure in text for text in halves(slug))
