"""Figures that questions on quantization quote in words stand in the record or output they name."""

from __future__ import annotations

import functools
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
QUESTIONS = ROOT / "book" / "interview" / "questions"

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


@pytest.mark.parametrize(("slug", "notebook", "cell", "figure"), OUTPUTS)
def test_a_quoted_figure_was_printed_by_the_lesson(slug, notebook, cell, figure):
    assert figure in outputs(notebook)[cell]
    assert all(figure in text for text in halves(slug))
