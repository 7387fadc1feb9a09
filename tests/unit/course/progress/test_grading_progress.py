"""Results, hints and progress, kept per user outside the checkout."""

from __future__ import annotations

import json
from pathlib import Path
from threading import Thread

import pytest
from fake_course import COUNTER, DOUBLE, HALVE, make_course, notebook, write

from halfbits.course.catalog import Catalog, load_catalog
from halfbits.course.cli import grading as commands
from halfbits.course.progress import store
from halfbits.course.progress.progress import (
    Record,
    changing_progress,
    next_exercise,
    read_progress,
    record_hint,
)
from halfbits.errors import CourseError


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Catalog:
    root = make_course(tmp_path / "course")
    monkeypatch.setenv("HALFBITS_ROOT", str(root))
    monkeypatch.setenv("HALFBITS_DATA", str(tmp_path / "data"))
    write(root / "exercises" / "numbers" / "double.ipynb", notebook(DOUBLE, COUNTER))
    write(root / "exercises" / "numbers" / "halve.ipynb", notebook("def halve(x): return x"))
    return load_catalog(root)


def test_grading_is_recorded_and_its_status_tells(course: Catalog) -> None:
    assert commands.grade([], None) == 1
    assert commands.grade(["double"], None) == 0
    records = read_progress()
    assert records["numbers/double"].is_solved
    assert records["numbers/double"].tries == 2
    assert records["numbers/halve"].passed == []


def test_another_folder_is_graded_but_not_recorded(course: Catalog, tmp_path: Path) -> None:
    other = tmp_path / "other"
    write(other / "numbers" / "halve.ipynb", notebook(HALVE))
    assert commands.grade(["halve"], other) == 0
    assert read_progress() == {}


def test_missing_folder_and_unknown_exercise_are_one_sentence(course: Catalog) -> None:
    with pytest.raises(CourseError, match="--answers wants"):
        commands.grade([], Path("nowhere"))
    with pytest.raises(CourseError, match="did you mean numbers/halve"):
        commands.grade(["halv"], None)


def test_one_broken_exercise_does_not_stop_the_rest(
    course: Catalog, capsys: pytest.CaptureFixture[str]
) -> None:
    write(course.notebook(course.find("double")), "import sys; sys.exit(0)")
    write(course.notebook(course.find("double")).with_suffix(".py"), "import os\nos._exit(0)")
    write(course.notebook(course.find("halve")), notebook(HALVE))
    assert commands.grade([], None) == 1
    told = capsys.readouterr().out
    assert "double.py: the process ended early (exit status 0)." in " ".join(told.split())
    assert "halve: 1 of 1 check pass" in told


def test_hints_open_level_by_level_and_are_remembered(
    course: Catalog, capsys: pytest.CaptureFixture[str]
) -> None:
    for text in ("Say it again.", "Look at +.", "Add x to itself.", "Add x to itself."):
        assert commands.hint("double", None, None) == 0
        assert text in capsys.readouterr().out
    assert read_progress()["numbers/double"].hints == {"double": 3}


def test_hint_of_a_level_or_task(course: Catalog, capsys: pytest.CaptureFixture[str]) -> None:
    commands.hint("double", "DOUBLE", 2)
    assert "Look at +." in capsys.readouterr().out
    with pytest.raises(CourseError, match="its tasks are double, Counter"):
        commands.hint("double", "treble", None)
    with pytest.raises(CourseError, match="no hint 1 for Counter"):
        commands.hint("double", "Counter", None)


def test_unreadable_progress_is_moved_aside_not_lost(
    course: Catalog, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record_hint(course.find("double"), "double", 1)
    path = tmp_path / "data" / "progress.json"
    path.write_text('{"exercises": {"numbers/double": {"pas', encoding="utf-8")
    assert read_progress() == {}
    (kept,) = path.parent.glob("progress-unreadable-*.json")
    assert kept.read_text(encoding="utf-8").endswith('"pas')
    assert str(kept) in capsys.readouterr().err


def test_progress_is_plain_json(course: Catalog, tmp_path: Path) -> None:
    with changing_progress() as records:
        records["numbers/double"] = Record(passed=["test_a"], total=2, tries=1)
    saved = json.loads((tmp_path / "data" / "progress.json").read_text(encoding="utf-8"))
    assert saved["exercises"]["numbers/double"]["passed"] == ["test_a"]
    kept = [p.name for p in (tmp_path / "data").iterdir() if not p.name.endswith(".lock")]
    assert kept == ["progress.json"]


def test_writer_waits_for_another_and_nothing_is_lost(course: Catalog, tmp_path: Path) -> None:
    path = tmp_path / "data" / "progress.json"
    path.parent.mkdir()
    double = course.find("double")
    second = Thread(target=record_hint, args=(double, "double", 2))
    with store.locked(path):
        second.start()
        second.join(0.3)
        assert second.is_alive(), "it wrote while another held the lock"
        store.write(path, {"exercises": {double.key: {"tries": 7}}})
    second.join()
    assert read_progress()[double.key].tries == 7
    assert read_progress()[double.key].hints == {"double": 2}


def test_record_of_another_kind_is_moved_aside(course: Catalog, tmp_path: Path) -> None:
    for text in ('{"exercises": [1]}', "[]", '{"exercises": {"a": {"unknown": 1}}}', "{}"):
        write(tmp_path / "data" / "progress.json", text)
        assert read_progress() == {}, text
        assert not (tmp_path / "data" / "progress.json").exists(), text


def test_next_exercise_waits_for_its_prerequisites(course: Catalog) -> None:
    solved = Record(passed=["a"], total=1)
    assert next_exercise(course, {}) == course.find("double")
    assert next_exercise(course, {"numbers/double": solved}) == course.find("halve")
    both = {"numbers/double": solved, "numbers/halve": solved}
    assert next_exercise(course, both) is None


def test_progress_table_shows_every_exercise(
    course: Catalog, capsys: pytest.CaptureFixture[str]
) -> None:
    commands.grade(["double"], None)
    capsys.readouterr()
    assert commands.progress() == 0
    told = capsys.readouterr().out
    assert "3 of 3" in told
    assert "write" in told
    assert "0 of 1" in told
    assert "next: exercises/numbers/halve.ipynb" in told


def test_progress_table_cuts_off_no_name_of_an_exercise(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HALFBITS_DATA", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "80")
    catalog = load_catalog(Path(__file__).parents[4])
    with changing_progress() as records:
        for exercise in catalog.exercises:
            records[exercise.key] = Record(tries=12, solved="2026-11-28", seconds=5999)
    commands.progress()
    told = capsys.readouterr().out
    assert "…" not in told
    assert [one.slug for one in catalog.exercises if f" {one.slug} " not in told] == []


def test_data_folder_that_cannot_be_made_is_one_sentence(
    course: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "file", "x")
    monkeypatch.setenv("HALFBITS_DATA", str(tmp_path / "file" / "data"))
    with pytest.raises(CourseError, match="set HALFBITS_DATA"):
        read_progress()
