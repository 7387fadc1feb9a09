"""Scores are kept on the user's machine, the best of each; boards of several people merge."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fake_course import COUNTER, DOUBLE, DOUBLE_CHECKS, make_course, notebook, write

from halfbits.course.catalog import Catalog, load_catalog
from halfbits.course.cli import grading as commands
from halfbits.course.grading.classroom import run as class_run
from halfbits.course.grading.faces.html import ReportView
from halfbits.course.grading.report import as_text
from halfbits.course.grading.runner import grade_answers
from halfbits.course.progress.leaderboard import Entry, merged, read_board, remember
from halfbits.errors import CourseError

SCORE = 'NOW.score = dict(medal="gold", ratio=x, bytes=1200, speed=0.5)'
CHECKS = DOUBLE_CHECKS.replace(
    "import expect", "import expect\nfrom halfbits.course.checks.context import NOW", 1
).replace(
    '    assert answer.double("ab")',
    f'    x = answer.double(0.25)\n    {SCORE}\n    assert answer.double("ab")',
)


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Catalog:
    root = make_course(tmp_path / "course")
    write(root / "exercises" / "numbers" / "test_double.py", CHECKS)
    monkeypatch.setenv("HALFBITS_ROOT", str(root))
    monkeypatch.setenv("HALFBITS_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("HALFBITS_NAME", "ada")
    return load_catalog(root)


def entry(name: str, ratio: float, exercise: str = "a/b") -> Entry:
    return Entry(exercise, name, "gold", ratio, 10, 1.0, "2026-01-01")


def test_report_shows_what_a_check_measured(course: Catalog) -> None:
    report = grade_answers(course, course.find("double"), [DOUBLE, COUNTER])
    assert report.score == {"medal": "gold", "ratio": 0.5, "bytes": 1200, "speed": 0.5}
    line = "medal gold, ratio 0.5, bytes 1,200, speed 0.5"
    assert f"score: {line}" in as_text(report)
    assert f"<p>Score: {line}</p>" in ReportView(report)._repr_html_()


def test_solved_exercise_enters_its_score_and_another_answer_does_not(course: Catalog) -> None:
    path = course.notebook(course.find("double"))
    write(path, notebook("def double(x):\n    return x"))
    commands.grade(["double"], None)
    assert read_board() == []
    write(path, notebook(DOUBLE, COUNTER))
    commands.grade(["double"], None)
    assert [(one.name, one.exercise, one.ratio) for one in read_board()] == [
        ("ada", "numbers/double", 0.5)
    ]


def test_best_score_of_each_person_is_kept(course: Catalog) -> None:
    for ratio in (0.7, 0.6, 0.8):
        remember("a/b", {"medal": "gold", "ratio": ratio, "bytes": 3, "speed": 1.0})
    assert [one.ratio for one in read_board()] == [0.6]
    found = merged([entry("bob", 0.5), entry("ada", 0.7), entry("bob", 0.4), entry("ada", 0.9)])
    assert [(one.name, one.ratio) for one in found] == [("bob", 0.4), ("ada", 0.7)]


def test_files_are_merged_shown_and_written(
    course: Catalog, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = []
    for name, ratio in (("bob", 0.5), ("cyd", 0.4)):
        raw = vars(entry(name, ratio))
        files.append(write(tmp_path / f"{name}.json", json.dumps({"entries": [raw]})))
    assert commands.leaderboard(files, tmp_path / "all.json") == 0
    shown = capsys.readouterr().out
    assert shown.index("cyd") < shown.index("bob")
    assert [one.name for one in read_board(tmp_path / "all.json")] == ["cyd", "bob"]
    assert commands.leaderboard([], None) == 0
    assert "No score yet" in capsys.readouterr().out


@pytest.mark.parametrize(
    "text",
    ["{", "[]", '{"entries": [{}]}', '{"entries": 3}', '{"entries": [{"ratio": NaN}]}'],
)
def test_file_that_is_no_board_is_one_sentence(course: Catalog, tmp_path: Path, text: str) -> None:
    with pytest.raises(CourseError, match="is no leaderboard"):
        read_board(write(tmp_path / "x.json", text))
    with pytest.raises(CourseError, match="cannot be read"):
        read_board(tmp_path / "none.json")


def test_class_has_a_board_of_what_was_measured(course: Catalog, tmp_path: Path) -> None:
    for name in ("ada", "bob"):
        write(tmp_path / "class" / name / "double.py", f"{DOUBLE}\n{COUNTER}")
    out = tmp_path / "report.html"
    assert class_run.run(tmp_path / "class", out, None, [], 1) == 0
    text = out.read_text(encoding="utf-8")
    assert "Leaderboard of the capstone" in text and "<td>0.500</td>" in text
    board = read_board(tmp_path / "report-leaderboard.json")
    assert [one.name for one in board] == ["ada", "bob"]
