"""Named quantities: one definition each, independent of the formulas they are printed by."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from halfbits.course.interview.bank.expression import BadExpressionError, evaluate
from halfbits.course.interview.bank.parse import filled
from halfbits.quantities import Quantity, quantities, quantity, text, value

ROOT = Path(__file__).parents[2]
EVERY = quantities().values()


@pytest.mark.parametrize("known", EVERY, ids=lambda known: known.name)
def test_a_quantity_has_a_plain_name_a_meaning_and_a_finite_number(known: Quantity) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9_]*", known.name)
    assert len(known.means) > 10 and "\n" not in known.means
    assert abs(known.value) < 1e12  # NaN is not
    assert re.fullmatch(r"\N{MINUS SIGN}?[\d,]+(\.\d+)?", known.text)


def test_no_two_quantities_mean_the_same() -> None:
    means = [known.means for known in EVERY]
    assert len(set(means)) == len(means)


# By hand: 8,030,261,248 parameters, of which 128,256 x 4,096 = 525,336,576 are the head and as
# many the embedding, 266,240 the norms, and 6,979,321,856 lie in the layers.
LAYERS, HEAD, NORMS = 6_979_321_856, 525_336_576, 266_240


@pytest.mark.parametrize(
    ("name", "by_hand"),
    [
        ("parameters_8b", 8.030261248),
        ("weights_8b_bf16", 16.060522496),
        ("weights_8b_int8", (LAYERS + 2 * 1_376_256 + 4 * HEAD + 2 * NORMS) / 1e9),
        ("weights_8b_int4", (LAYERS * 4.125 / 8 + 4 * HEAD + 2 * NORMS) / 1e9),
        ("weights_8b_int4_everything", ((LAYERS + 2 * HEAD) * 4.125 / 8 + 2 * NORMS) / 1e9),
        ("decode_8b_h100_bf16", 3.35e12 / (2 * (LAYERS + HEAD + NORMS))),
        ("decode_8b_h100_int4", 3.35e12 / (LAYERS * 4.125 / 8 + 2 * (HEAD + NORMS))),
        ("cache_token_8b_bf16", 128),
        ("crossover_h100_bf16", 989e12 / 3.35e12),
        ("crossover_h100_int4", 989e12 / 3.35e12 * 4.125 / 16),
        ("memory_h100", 85.017493504),
        ("budget_h100", 0.9 * 85.017493504),
    ],
)
def test_a_quantity_is_what_one_counts_by_hand(name: str, by_hand: float) -> None:
    assert value(name) == pytest.approx(by_hand, rel=1e-12)


def test_a_recorded_quantity_is_the_value_of_the_named_row() -> None:
    rows = json.loads((ROOT / "book/data/ladder.json").read_text(encoding="utf-8"))["rows"]
    [row] = [row for row in rows if row["name"] == "int4 g32 affine"]
    assert value("perplexity_int4_g32_affine") == row["perplexity"]
    assert value("perplexity_change_int4_g32_affine") == row["difference"]


def test_questions_print_a_quantity_by_its_name_and_compute_with_it() -> None:
    assert (
        filled("At most {{decode_8b_h100_int4}}.", {}) == f"At most {text('decode_8b_h100_int4')}."
    )
    assert evaluate("2 * quantity('crossover_h100_bf16')") == 2 * value("crossover_h100_bf16")
    assert evaluate("1e6 * product_seconds('bf16', 64)") == value("time_bf16_64")
    assert evaluate("record('ladder.json#rows[name=fp32].perplexity')") == value("perplexity_fp32")


def test_a_name_of_numbers_comes_before_a_quantity() -> None:
    assert filled("{{ridge_h100:.1f}}", {"ridge_h100": 2}) == "2.0"


def test_a_quantity_has_one_form() -> None:
    with pytest.raises(ValueError, match=r"has a form of its own, \.0f"):
        filled("{{ridge_h100:.1f}}", {})


def test_an_unknown_name_is_told_with_names_like_it() -> None:
    with pytest.raises(
        KeyError, match="no quantity is called 'decode_8b_h100_int5'; there is decode_8b"
    ):
        quantity("decode_8b_h100_int5")


def test_every_quantity_that_a_source_names_exists() -> None:
    role = re.compile(r"\{quantity\}`([^`]*)`")
    names = {
        name
        for folder, kinds in (("book", ("*.md", "*.yaml")), ("notebooks", ("*.ipynb",)))
        for kind in kinds
        for path in (ROOT / folder).rglob(kind)
        for name in role.findall(path.read_text(encoding="utf-8"))
    }
    assert names <= quantities().keys()


def test_a_question_computes_with_what_a_lesson_glued() -> None:
    assert evaluate("glued('measuring_accuracy_loss', 'items paired')") == 10_361
    assert evaluate("glued('measuring_accuracy_loss', 'same int6')") == 94.2
    with pytest.raises(BadExpressionError, match="glues no 'p'; it glues drop"):
        evaluate("glued('measuring_accuracy_loss', 'p')")
