"""A failure keeps its four parts on the way from the check to the report."""

from __future__ import annotations

import json

import pytest

from halfbits.course.checks.failure import Failure, from_json

FAILURE = Failure("double(2)", "4", "two\nlines", "2 + 2 = 4")


def test_as_text_its_labels_stand_flush_right_and_lines_continue_below() -> None:
    assert str(FAILURE).splitlines() == [
        "   called: double(2)",
        " expected: 4",
        "      got: two",
        "           lines",
        "      why: 2 + 2 = 4",
    ]


def test_through_json_it_is_the_same() -> None:
    assert from_json(json.loads(json.dumps(FAILURE._asdict()))) == FAILURE


@pytest.mark.parametrize("other", ["a text", {"called": "f"}, ["double(2)", "4"], None, 3])
def test_what_has_other_fields_is_a_text(other: object) -> None:
    assert isinstance(from_json(other), str)


def test_each_part_can_be_cut() -> None:
    assert FAILURE.shortened(3) == Failure("dou", "4", "two", "2 +")
