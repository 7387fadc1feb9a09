"""The bank's questions that an exercise trains."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_course import make_course, write

from halfbits.course.asked import QUESTIONS, Asked, asked_next
from halfbits.course.catalog import Catalog, load_catalog
from halfbits.course.interview.bank.bank import load_bank
from halfbits.folders import find_root

QUESTION = """---
level: onsite
topics: [methods, evaluation]
exercises: [numbers/halve, numbers/double]
---
# en: Why twice <b>?

## Answer in 30 seconds
Because.
"""
PAGE = "book/interview/methods.html#why_twice"


@pytest.fixture
def course(tmp_path: Path) -> Catalog:
    root = make_course(tmp_path)
    write(root / QUESTIONS / "why_twice.md", QUESTION)
    write(root / QUESTIONS / "no_head.md", "numbers/double")
    return load_catalog(root)


def test_question_is_found_by_the_exercise_that_trains_it(course: Catalog) -> None:
    assert asked_next(course.root, "numbers/double") == (Asked("Why twice <b>?", PAGE),)
    assert asked_next(course.root, "numbers/doub") == ()


def test_heads_say_what_the_whole_bank_says() -> None:
    root = find_root(Path(__file__).parent)
    bank = load_bank(root)
    for exercise in load_catalog(root).exercises:
        trained = [one for one in bank.questions if exercise.key in one.exercises]
        wanted = {f"book/interview/{one.topic}.html#{one.slug}" for one in trained}
        assert {one.page for one in asked_next(root, exercise.key)} == wanted
