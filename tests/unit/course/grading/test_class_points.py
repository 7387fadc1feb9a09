"""An instructor's file says which exercises count and how much; its mistakes are one sentence."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from fake_course import COUNTER, DOUBLE, DOUBLE_CHECKS, HALVE, make_course, write

from halfbits.course.catalog import Catalog, load_catalog
from halfbits.course.grading.classroom import run as class_run
from halfbits.course.grading.classroom.points import load_points
from halfbits.errors import CourseError

FILE = """
title = "Spring"
hardened = 0.25

[[exercise]]
key = "numbers/double"
points = 12

[[exercise]]
key = "halve"
points = 4
"""
NUMBERS = "def double(x):\n    return 2.0 * x\n"
TWO_TIERS = DOUBLE_CHECKS.replace(
    'task("double")\ndef test_doubles_text', 'task("double")\n@hardened\ndef test_doubles_text'
).replace("import expect", "import expect, hardened")


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Catalog:
    root = make_course(tmp_path / "course")
    write(root / "exercises" / "numbers" / "test_double.py", TWO_TIERS)
    monkeypatch.setenv("HALFBITS_ROOT", str(root))
    return load_catalog(root)


def test_points_follow_the_weights_in_the_page_the_files_and_the_feedback(
    course: Catalog, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path / "class.toml", FILE)
    write(tmp_path / "class" / "ada" / "double.py", f"{DOUBLE}\n{COUNTER}")
    write(tmp_path / "class" / "ada" / "halve.py", HALVE)
    write(tmp_path / "class" / "bob" / "double.py", f"{NUMBERS}\n{COUNTER}")
    out = tmp_path / "report.html"
    assert class_run.run(tmp_path / "class", out, None, [], 1, file) == 0
    text = out.read_text(encoding="utf-8")
    assert "<h1>Spring</h1>" in text
    assert "16 of 16" in text and "9 of 16" in text  # bob: 12 * 0.75, and halve not handed in
    rows = {row["student"]: row for row in rows_of(out.with_name("report-points.csv"))}
    assert [*rows["ada"]] == ["student", "double", "halve", "points", "of"]
    assert [*rows["ada"].values()] == ["ada", "12.0", "4.0", "16.0", "16.0"]
    assert [*rows["bob"].values()] == ["bob", "9.0", "0.0", "9.0", "16.0"]
    grades = {(r["student_id"], r["assignment"]): r for r in rows_of(tmp_path / NBGRADER)}
    assert grades["bob", "double"]["score"] == "9.0"
    assert grades["bob", "double"]["max_score"] == "12.0"
    own = (tmp_path / "report-feedback" / "bob.html").read_text(encoding="utf-8")
    assert "Points: 9 of 16" in own and "Points: 9 of 12" in own and "Points: 0 of 4" in own


NBGRADER = "report-nbgrader.csv"


def rows_of(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines()))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[[exercise", "class.toml: Expected"),
        ("", "it lists no exercise"),
        ("exercise = 3", "it lists no exercise"),
        ("[[exercise]]\npoints = 3", r"an \[\[exercise\]\] has no key"),
        ("[[exercise]]\nkey = 'numbers/double'", "numbers/double has no points"),
        ("[[exercise]]\nkey = 'duoble'\npoints = 1", "did you mean numbers/double"),
        ("[[exercise]]\nkey = 'double'\npoints = 'ten'", "'ten' is no number"),
        ("[[exercise]]\nkey = 'double'\npoints = true", "True is no number"),
        ("[[exercise]]\nkey = 'double'\npoints = nan", "nan is no number"),
        ("[[exercise]]\nkey = 'double'\npoints = -1", "a weight is above 0"),
        ("[[exercise]]\nkey = 'double'\nweight = 2\npoints = 1", "has 'weight'; known are key"),
        (FILE + "[[exercise]]\nkey = 'double'\npoints = 1", "numbers/double is listed twice"),
        (FILE.replace("0.25", "25"), "hardened is 25, not a share from 0 to 1"),
        (FILE.replace('"Spring"', "3"), "title is 3, not a text"),
        (FILE.replace("title", "name"), "the file has 'name'"),
    ],
)
def test_mistake_in_the_file_is_one_sentence(
    course: Catalog, tmp_path: Path, text: str, sentence: str
) -> None:
    with pytest.raises(CourseError, match=sentence) as caught:
        load_points(write(tmp_path / "class.toml", text), course)
    assert "\n" not in str(caught.value) and str(caught.value).endswith(".")


def test_missing_file_and_exercises_named_twice_are_one_sentence(
    course: Catalog, tmp_path: Path
) -> None:
    with pytest.raises(CourseError, match="cannot be read"):
        load_points(tmp_path / "none.toml", course)
    with pytest.raises(CourseError, match="not by both"):
        class_run.run(
            tmp_path, tmp_path / "r.html", None, ["double"], 1, write(tmp_path / "c.toml", FILE)
        )
