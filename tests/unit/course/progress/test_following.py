"""`python course.py next` names one exercise and the reason in a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_course import make_course

from halfbits.course.catalog import Catalog, load_catalog
from halfbits.course.cli import grading as commands
from halfbits.course.progress.following import chosen_path, following
from halfbits.course.progress.progress import Record
from halfbits.errors import CourseError
from halfbits.folders import CATALOG

SOLVED = Record(passed=["a"], total=1, core=["a"])
SHORT = """
[[path]]
name = "short"
title = "In a hurry"
exercises = ["numbers/double"]
"""


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Catalog:
    root = make_course(tmp_path / "course")
    file = root / CATALOG
    file.write_text(file.read_text(encoding="utf-8") + SHORT, encoding="utf-8")
    monkeypatch.setenv("HALFBITS_ROOT", str(root))
    monkeypatch.setenv("HALFBITS_DATA", str(tmp_path / "data"))
    return load_catalog(root)


def test_first_exercise_is_named_with_what_builds_on_it(course: Catalog) -> None:
    step = following(course, {})
    assert step is not None and step.exercise.slug == "double"
    assert step.why == "\u201cHalf as much\u201d builds on it."


def test_exercise_after_its_prerequisite_names_what_was_solved(course: Catalog) -> None:
    step = following(course, {"numbers/double": SOLVED})
    assert step is not None and step.exercise.slug == "halve"
    assert step.why == "It builds on \u201cTwice as much\u201d, which you have solved."


def test_begun_exercise_says_how_much_of_it_passes(course: Catalog) -> None:
    begun = Record(passed=["a"], total=3, core=["a", "b"])
    step = following(course, {"numbers/double": begun})
    assert step is not None and step.why == "You have begun it: 1 of 3 checks pass."


def test_path_counts_only_its_own_exercises(course: Catalog) -> None:
    short = course.path("short")
    step = following(course, {}, short)
    assert step is not None and step.why == "It is number 1 of the 1 of the path 'short'."
    assert following(course, {"numbers/double": SOLVED}, short) is None


def test_solved_path_leads_to_what_is_not_hardened(course: Catalog) -> None:
    soft = Record(passed=["a"], total=2, core=["a"])
    step = following(course, {"numbers/double": soft, "numbers/halve": SOLVED})
    assert step is not None and step.exercise.slug == "double"
    assert step.why == "All of the course is solved; here 1 check of production is open."


def test_path_is_remembered_until_another_is_named(course: Catalog) -> None:
    assert chosen_path(course) is None
    chosen_path(course, "short")
    assert chosen_path(course) == course.path("short")
    with pytest.raises(CourseError, match="the paths are short"):
        chosen_path(course, "long")
    assert chosen_path(course) == course.path("short")


def test_commands_print_the_next_exercise_and_the_rows_of_a_path(
    course: Catalog, capsys: pytest.CaptureFixture[str]
) -> None:
    assert commands.name_next("short") == 0
    shown = capsys.readouterr().out
    assert "exercises/numbers/double.ipynb" in shown and "path 'short'" in shown
    assert commands.progress("short") == 0
    shown = capsys.readouterr().out
    assert "double" in shown and "halve" not in shown
