"""Two tiers: an exercise is solved by its core checks; the hardened ones are a second mark."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_course import COUNTER, DOUBLE, DOUBLE_CHECKS, make_course, notebook, write

from halfbits.course.catalog import Catalog, load_catalog
from halfbits.course.checklist import read_checks
from halfbits.course.grading.classroom.journal import Journal
from halfbits.course.grading.classroom.report import page
from halfbits.course.grading.classroom.run import grade_class
from halfbits.course.grading.classroom.submissions import find_submissions
from halfbits.course.grading.looks import PASS, look_of_all
from halfbits.course.grading.record import record_report
from halfbits.course.grading.report import Report, as_text
from halfbits.course.grading.runner import grade_answers
from halfbits.course.progress.progress import Record, next_exercise, read_progress

TEXT_IS_HARD = DOUBLE_CHECKS.replace(
    'task("double")\ndef test_doubles_text', 'task("double")\n@hardened\ndef test_doubles_text'
).replace("import expect", "import expect, hardened")
NUMBERS = "def double(x):\n    return x * 2 if x != 'ab' else None\n"


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Catalog:
    monkeypatch.setenv("HALFBITS_DATA", str(tmp_path / "data"))
    root = make_course(tmp_path / "course")
    write(root / "exercises" / "numbers" / "test_double.py", TEXT_IS_HARD)
    return load_catalog(root)


def graded(course: Catalog, code: str) -> Report:
    return grade_answers(course, course.find("double"), [code, COUNTER])


def test_mark_is_read_from_the_source_of_checks_and_of_suites(course: Catalog) -> None:
    checks = read_checks(course.checks(course.find("double")))
    assert [check.name for check in checks if check.hardened] == ["test_doubles_text"]
    suite = "from halfbits.course.checks import quantizers\n"
    suite += 'weight = quantizers.SymmetricRows("quantize_weight")\n'
    marks = {c.name: c.hardened for c in read_checks(write(course.root / "test_x.py", suite))}
    assert marks["test_weight_denormal_rows_stay_finite"]
    assert not marks["test_weight_error_is_at_most_half_a_step"]


def test_core_checks_solve_and_the_second_tier_is_named(course: Catalog) -> None:
    report = graded(course, NUMBERS)
    assert report.solved and not report.all_pass
    assert report.summary() == "2 of 3 checks pass; solved, not hardened yet"
    assert "doubles_text (hardened): A text is doubled too." in as_text(report)
    wrong = graded(course, "def double(x):\n    return x\n")
    assert not wrong.solved
    assert [v.check.hardened for v in wrong.to_show()] == [False, True]
    assert graded(course, DOUBLE).summary() == "3 of 3 checks pass"


def test_progress_keeps_both_marks_and_goes_on_after_the_first(course: Catalog) -> None:
    checks = read_checks(course.checks(course.find("double")))
    record_report(graded(course, NUMBERS), checks)
    records = read_progress()
    assert records["numbers/double"].is_solved and not records["numbers/double"].is_hardened
    assert next_exercise(course, records) == course.find("halve")
    record_report(graded(course, DOUBLE), checks)
    assert read_progress()["numbers/double"].is_hardened


def test_record_of_an_earlier_version_is_still_solved() -> None:
    assert Record(passed=["a"], total=1).is_solved
    assert not Record(passed=["a"], total=2).is_solved


def test_class_report_says_solved(course: Catalog, tmp_path: Path) -> None:
    write(tmp_path / "class" / "ada" / "double.ipynb", notebook(NUMBERS, COUNTER))
    submitted, _ = find_submissions(tmp_path / "class", course)
    text = page(grade_class(course, submitted, Journal(tmp_path / "r.jsonl"), 3, workers=1))
    assert "<td>2/3, solved</td>" in text


def test_solved_exercise_looks_solved_though_it_is_not_hardened(course: Catalog) -> None:
    report = graded(course, NUMBERS)
    assert report.solved and not report.all_pass
    assert look_of_all(report) is PASS
