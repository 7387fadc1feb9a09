"""Figures that questions quote, and that no lesson glues, stand in the output of a cell."""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
QUESTIONS = ROOT / "book" / "interview" / "questions"

LOSS = "measuring_accuracy_loss"
INT8 = r"int8 .*\n +"  # the second line of its two
# question, notebook, cell, the figure as the text has it, and the words in which it was printed:
# figures that no lesson glues. What a lesson glues, a question takes by `glued`.
OUTPUTS = [
    ("scale_granularity", "quantization_theory", "granularity", "10.1 dB", "tensor .* 10.1 dB"),
    ("scale_granularity", "quantization_theory", "granularity", "17.6 dB", "channel .* 17.6 dB"),
    ("scale_granularity", "quantization_theory", "granularity", "19.3 dB", "64 .* 19.3 dB"),
    ("scale_granularity", "quantization_theory", "granularity", "20.2 dB", "32 .* 20.2 dB"),
    (
        "clipping_calibration",
        "quantization_theory",
        "clip-claims",
        "18.9 dB",
        "4 bits.*18.9 dB",
    ),
    ("fp4_or_int4", "quantization_theory", "cross-claims", "53", "meet at about 53 values"),
    ("quantization_is_lossless", LOSS, "lm-measures", "98.8%", f"{INT8}agreement 98.8%"),
    ("kl_perplexity_accuracy", LOSS, "lm-measures", "98.8%", f"{INT8}agreement 98.8%"),
    ("kl_perplexity_accuracy", LOSS, "lm-measures", "0.0009", f"{INT8}.*KL 0.0009,"),
    ("release_gate", LOSS, "lm-measures", "98.8%", f"{INT8}agreement 98.8%"),
    ("release_gate", LOSS, "lm-measures", "0.0009", f"{INT8}.*KL 0.0009,"),
    ("perplexity_on_own_text", LOSS, "trap-claims", "2.24", "own text +2.24,"),
    ("perplexity_on_own_text", LOSS, "trap-claims", "1.44", "own text +1.44,"),
    ("perplexity_on_own_text", LOSS, "trap-claims", "47.5", "that +47.51"),
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


def holds(text: str, figure: str) -> bool:
    """Whether a text has the figure as a whole number, not as a part of another."""
    return re.search(rf"(?<![\d.,]){re.escape(figure)}(?![\d]|[.,]\d)", text) is not None


@pytest.mark.parametrize(("slug", "notebook", "cell", "figure", "words"), OUTPUTS)
def test_a_quoted_figure_was_printed_by_the_lesson(slug, notebook, cell, figure, words):
    assert re.search(words, outputs(notebook)[cell])
    assert all(holds(text, figure) for text in halves(slug))


def test_a_part_of_another_number_is_not_the_figure():
    assert holds("about 53 values, 5.20", "53") and holds("at 5.20.", "5.20")
    assert not any(holds(text, "53") for text in ("0.53", "253", "1,53", "53.4", "531"))
