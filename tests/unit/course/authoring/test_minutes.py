"""The minutes of a lesson follow from what a student reads, runs, predicts and answers."""

from __future__ import annotations

import pytest

from halfbits.course.authoring.minutes import count_words, study_minutes


def cell(kind: str, text: str) -> dict[str, object]:
    return {"cell_type": kind, "source": text.splitlines(keepends=True)}


@pytest.mark.parametrize(
    ("markdown", "words"),
    [
        ("One two, three.", 3),
        ("A [link of words](far/away_from_here.ipynb) ends", 5),
        ("The step $s = 2^{-b} r$ halves:\n\n$$\na = b\n$$\n\nso", 4),
        ("```{quiz} quizzes/x.yaml\n```\nafter", 1),
        ("- a point\n| 7 | – |", 3),
        ("<details><summary>Answer</summary>", 1),
    ],
)
def test_words_are_prose(markdown: str, words: int) -> None:
    assert count_words(markdown) == words


def test_words_cells_prediction_and_questions_add_up() -> None:
    cells = [cell("markdown", "word " * 1200)] + [cell("code", "x = 1")] * 15
    assert study_minutes(cells, questions=3) == 30  # 10 + 15 + 2 + 3


@pytest.mark.parametrize(("words", "minutes"), [(360, 5), (600, 5), (720, 10), (1200, 10)])
def test_minutes_are_rounded_to_the_nearest_five(words: int, minutes: int) -> None:
    assert study_minutes([cell("markdown", "word " * words)], questions=0) == minutes


def test_code_counts_by_the_cell_and_not_by_its_lines() -> None:
    short, long = ([cell("code", "x = 1\n" * lines)] * 8 for lines in (1, 15))
    assert study_minutes(short, 3) == study_minutes(long, 3) > study_minutes(short[:2], 3)
