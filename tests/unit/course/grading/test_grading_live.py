"""`grade()` in a notebook's last cell: what was executed counts, and the report renders."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fake_course import COUNTER, DOUBLE, cell, make_course, notebook, write

from halfbits.course.catalog import load_catalog
from halfbits.course.grading.faces import notebook as live
from halfbits.course.grading.faces.html import ReportView
from halfbits.course.grading.faces.notebook import executed_cells, grade
from halfbits.course.notebook import Cell
from halfbits.course.selection import graded_cells
from halfbits.errors import CourseError


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = make_course(tmp_path / "course")
    monkeypatch.setenv("HALFBITS_ROOT", str(root))
    monkeypatch.setenv("HALFBITS_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    monkeypatch.chdir(tmp_path)
    return root


def in_kernel(monkeypatch: pytest.MonkeyPatch, *history: str) -> None:
    monkeypatch.setattr(live, "_history", lambda: list(history))


def test_executed_cells_are_graded_without_a_save(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_kernel(monkeypatch, DOUBLE, COUNTER, "from halfbits import grade\ngrade('double')")
    assert grade("double").report.all_pass


def test_outside_a_notebook_the_saved_file_is_graded(root: Path) -> None:
    write(root / "exercises" / "numbers" / "double.ipynb", notebook(DOUBLE, COUNTER))
    assert grade("double").report.all_pass


def test_inside_the_worker_it_does_nothing(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HALFBITS_GRADING", "1")
    assert grade("double") is None
    monkeypatch.delenv("HALFBITS_GRADING")
    again = "from halfbits import grade\nresult = grade('double')\nassert result is None"
    write(root / "exercises" / "numbers" / "double.ipynb", notebook(DOUBLE, COUNTER, again))
    report = grade("double").report
    assert report.all_pass
    assert report.notes == []


def test_cells_keep_the_numbers_of_the_saved_notebook() -> None:
    saved = [Cell("cell 1", "# words", "markdown"), Cell("cell 2", DOUBLE)]
    cells, notes = executed_cells(["x = 1", DOUBLE], saved)
    assert [c.place for c in cells] == ["In [1]", "cell 2"]
    assert notes == []


def test_old_versions_repeats_and_grade_calls_are_left_out() -> None:
    history = ["def double(x): return 0", "x = 1", DOUBLE, "grade('double')", "x = 1"]
    assert [c.source for c in executed_cells(history, [])[0]] == [DOUBLE.strip(), "x = 1"]


@pytest.mark.parametrize("other", ["size = 3", "def double(x):\n    return 2 * x"])
def test_saved_answer_that_differs_from_what_was_run_is_told(other: str) -> None:
    answer = "def double(x):\n    return x * size"
    saved = [Cell("cell 1", answer), Cell("cell 2", other)]
    assert executed_cells([answer], saved)[1] == [
        "The file on disk differs from what you ran (cell 2); this grades what you ran."
    ]


def test_saved_definition_of_a_name_that_was_never_run_is_graded() -> None:
    saved = [Cell("cell 1", DOUBLE), Cell("cell 2", COUNTER)]
    cells, notes = executed_cells([DOUBLE], saved)
    assert [cell.place for cell in cells] == ["cell 1", "cell 2"]
    assert notes == ["You have not run cell 2 here; what the saved file defines there was graded."]


def test_worked_example_and_tasks_not_begun_are_passed_over_in_silence() -> None:
    stub = "class Counter:\n    def add(self):\n        raise NotImplementedError('not yet')"
    saved = [
        Cell("cell 1", "import math\n\nsize = 3\nprint(size)"),
        Cell("cell 2", DOUBLE),
        Cell("cell 3", stub),
    ]
    cells, notes = executed_cells([DOUBLE], saved)
    assert notes == []
    assert [cell.place for cell in cells] == ["cell 2", "cell 3"]


def test_one_task_is_graded_alone(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    in_kernel(monkeypatch, DOUBLE, "class Counter: pass")
    view = grade("double", task="double")
    assert view.report.all_pass
    assert repr(view) == "double, double: 2 of 2 checks pass"
    assert "double, double" in view._repr_html_()
    assert not view.report.asked


def test_one_task_leaves_what_was_recorded_of_the_others(
    root: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    saved = root / "exercises" / "numbers" / "double.ipynb"
    write(saved, notebook(cell(DOUBLE), cell(COUNTER)))
    grade("double", task="Counter")
    grade("double", task="double")
    record = json.loads((tmp_path / "data" / "progress.json").read_text())
    assert len(record["exercises"]["numbers/double"]["passed"]) == 3


def test_task_that_does_not_exist_is_one_sentence(root: Path) -> None:
    with pytest.raises(CourseError, match=r"double has no task 'halve': its tasks are double, C"):
        grade("double", task="halve")


def test_last_cell_alone_in_a_fresh_kernel_grades_the_saved_file(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs_a_constant = "def double(x):\n    return FACTOR * x"
    saved = notebook("FACTOR = 2", needs_a_constant, COUNTER)
    write(root / "exercises" / "numbers" / "double.ipynb", saved)
    in_kernel(monkeypatch, "from halfbits import grade\n\ngrade('double')")
    report = grade("double").report
    assert report.all_pass
    assert report.notes == ["You have run no other cell here; the saved file was graded."]


@pytest.mark.parametrize("executed", ["def double(x): return 0", "double = lambda x: 0"])
def test_saved_definition_never_replaces_an_executed_one(executed: str) -> None:
    cells, notes = executed_cells([executed], [Cell("cell 1", DOUBLE)])
    assert [cell.source for cell in cells] == [executed]
    assert notes == [
        "The file on disk differs from what you ran (cell 1); this grades what you ran."
    ]


def test_queue_dropped_after_a_stub_raised_leaves_the_rest_not_written(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub = "def double(x):\n    raise NotImplementedError('double: not written yet')"
    write(root / "exercises" / "numbers" / "double.ipynb", notebook(stub, "double(2)", COUNTER))
    in_kernel(monkeypatch, stub, "double(2)", "grade('double')")
    report = grade("double").report
    assert report.unwritten_tasks() == ["double"]
    assert not report.to_show()


def test_grade_cell_that_is_running_now_is_no_difference() -> None:
    saved = [Cell("cell 1", "from halfbits import grade\n\ngrade('double')", tags=("grade",))]
    assert executed_cells([], saved)[1] == []


def test_skipped_cells_of_the_file_are_not_graded() -> None:
    slow = Cell("cell 1", "slow()", tags=("skip-grading",))
    assert graded_cells(executed_cells(["slow()"], [slow])[0])[0] == ()


def test_report_renders_as_html_and_as_text(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    in_kernel(monkeypatch, "def double(x): return '<b>'", COUNTER)
    view = grade("double")
    page = view._repr_html_()
    assert "1 of 3 checks pass" in page
    assert "&lt;b&gt;" in page
    assert "<b>'" not in page
    assert "hint double double" in page
    assert "double: 1 of 3 checks pass" in repr(view)


def test_passing_report_holds_nothing_that_changes_from_run_to_run(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_kernel(monkeypatch, DOUBLE, COUNTER)
    first, second = grade("double"), grade("double")
    assert isinstance(first, ReportView)
    assert first._repr_html_() == second._repr_html_()
    assert repr(first) == repr(second) == "double: 3 of 3 checks pass"


def test_only_the_learners_own_notebook_is_recorded(
    root: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    write(tmp_path / "double.ipynb", notebook(cell(DOUBLE)))
    in_kernel(monkeypatch, DOUBLE, COUNTER)
    grade("double")
    assert not (tmp_path / "data" / "progress.json").exists()
    monkeypatch.chdir(load_catalog(root).root / "exercises" / "numbers")
    write(Path("double.ipynb").resolve(), notebook(DOUBLE))
    grade("double")
    assert (tmp_path / "data" / "progress.json").exists()
