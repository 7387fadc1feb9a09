"""A class on disk: what counts as a submission, what the journal keeps, what the reports say."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from fake_course import COUNTER, DOUBLE, HALVE, make_course, notebook, write

from halfbits.course import fingerprint
from halfbits.course.catalog import Catalog, load_catalog
from halfbits.course.grading.classroom.journal import Journal, Result
from halfbits.course.grading.classroom.report import page, write_reports
from halfbits.course.grading.classroom.submissions import (
    ClassRun,
    StudentSubmission,
    _checks_digest,
    find_submissions,
    task_of,
)
from halfbits.course.grading.classroom.tables import NBGRADER
from halfbits.course.grading.process.spawn_pool import POOL
from halfbits.errors import CourseError

SEED = 7


@pytest.fixture
def course(tmp_path: Path) -> Catalog:
    return load_catalog(make_course(tmp_path / "course"))


@pytest.fixture
def students(tmp_path: Path) -> Path:
    return tmp_path / "class"


def found(students: Path, course: Catalog) -> dict[tuple[str, str], StudentSubmission]:
    submitted, _ = find_submissions(students, course)
    return {(one.student, one.exercise.slug): one for one in submitted}


def strays(students: Path, course: Catalog) -> str:
    return "\n".join(find_submissions(students, course)[1])


def graded(submitted: StudentSubmission, course: Catalog) -> Result:
    return task_of(submitted, course, SEED).grade(course, POOL)


def test_submission_lies_in_its_topic_or_directly_in_the_students_folder(
    students: Path, course: Catalog
) -> None:
    write(students / "ada" / "numbers" / "double.ipynb", notebook(DOUBLE))
    write(students / "Émile 2" / "double.py", DOUBLE)
    assert {one.path.name for one in found(students, course).values() if one.path} == {
        "double.ipynb",
        "double.py",
    }


def test_script_wins_over_the_notebook_with_a_note(students: Path, course: Catalog) -> None:
    write(students / "ada" / "numbers" / "double.ipynb", notebook(DOUBLE))
    write(students / "ada" / "numbers" / "double.py", DOUBLE)
    one = found(students, course)["ada", "double"]
    assert one.path is not None
    assert one.path.suffix == ".py"
    assert one.notes == ("numbers/double.py was graded; it wins over numbers/double.ipynb.",)


def test_exercise_that_nobody_handed_in_is_left_out(students: Path, course: Catalog) -> None:
    write(students / "ada" / "double.py", DOUBLE)
    (students / "bob").mkdir()
    assert set(found(students, course)) == {("ada", "double"), ("bob", "double")}


def test_stray_things_are_one_line_each(students: Path, course: Catalog) -> None:
    write(students / "ada" / "double.py", DOUBLE)
    write(students / "ada" / "dobule.ipynb", notebook(DOUBLE))
    write(students / "ada" / "helper.py", "")
    write(students / "ada" / "notes.ipynb", notebook(""))
    write(students / "grades.xlsx", "")
    write(students / ".DS_Store", "")
    assert strays(students, course).splitlines() == [
        "ada/dobule.ipynb was left out: is it double.ipynb? Rename it then.",
        "ada: no exercise has these names: helper.py, notes.ipynb.",
        "grades.xlsx was left out: a submission lies in its student's folder.",
    ]


def test_unreadable_folder_is_one_line_and_the_rest_is_graded(
    students: Path, course: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(students / "ada" / "double.py", DOUBLE)
    (students / "bob").mkdir()
    listing = Path.iterdir

    def refuse(path: Path):
        if path.name == "bob":
            raise PermissionError(13, "Permission denied")
        return listing(path)

    monkeypatch.setattr(Path, "iterdir", refuse)
    assert "bob cannot be read: Permission denied." in strays(students, course)
    assert found(students, course)["ada", "double"].path


@pytest.mark.parametrize("content", ["", "{", "<<<<<<< HEAD\n", '{"cells": 3}', b"\xff\xfe\x00"])
def test_broken_file_is_a_sentence_of_its_student(
    students: Path, course: Catalog, content: str | bytes
) -> None:
    path = write(students / "ada" / "double.ipynb", "")
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    result = graded(found(students, course)["ada", "double"], course)
    assert result.problem is not None
    assert result.problem.startswith("double.ipynb ")
    assert (result.passed, result.total) == (0, 3)


def test_folder_of_one_persons_answers_is_recognized(students: Path, course: Catalog) -> None:
    write(students / "numbers" / "double.py", DOUBLE)
    with pytest.raises(CourseError, match="grade --answers"):
        find_submissions(students, course)


def test_empty_folder_says_what_was_expected(students: Path, course: Catalog) -> None:
    students.mkdir()
    with pytest.raises(CourseError, match=r"expected a folder per student .*numbers/double\.ipynb"):
        find_submissions(students, course)


def test_journal_gives_back_what_was_added(students: Path, course: Catalog, tmp_path: Path) -> None:
    write(students / "ada" / "double.py", "def double(x):\n    return 'é\\n' * 2")
    result = graded(found(students, course)["ada", "double"], course)
    journal = Journal(tmp_path / "report.jsonl")
    journal.begin(SEED)
    journal.add(result)
    again = Journal(tmp_path / "report.jsonl")
    assert again.seed == SEED
    assert again.results == {result.identity: result}


def test_line_cut_off_by_a_crash_costs_only_that_line(
    students: Path, course: Catalog, tmp_path: Path
) -> None:
    write(students / "ada" / "double.py", DOUBLE)
    result = graded(found(students, course)["ada", "double"], course)
    path = tmp_path / "report.jsonl"
    Journal(path).add(result)
    with path.open("a", encoding="utf-8") as file:
        file.write('{"result": {"student": "bo')
    other = replace(result, student="eve")
    Journal(path).add(other)
    assert set(Journal(path).results) == {result.identity, other.identity}


def test_an_edited_module_of_the_grader_grades_anew(
    course: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = tmp_path / "library"
    heavy = shutil.ignore_patterns("__pycache__", "models")
    shutil.copytree(fingerprint.LIBRARY, library, ignore=heavy)
    monkeypatch.setattr(fingerprint, "LIBRARY", library)
    checks_digest = _checks_digest.__wrapped__  # a run asks once, and then remembers
    before = checks_digest(course.checks(course.find("double")), 5)
    reader = library / "course" / "notebook.py"
    reader.write_text(reader.read_text("utf-8") + "# edited", encoding="utf-8")
    assert checks_digest(course.checks(course.find("double")), 5) != before


def test_changed_submission_module_or_seed_is_graded_anew(students: Path, course: Catalog) -> None:
    path = write(students / "ada" / "double.py", DOUBLE)
    identities = set()

    def note(seed: int = SEED) -> None:
        identities.add(task_of(found(students, course)["ada", "double"], course, seed).identity)

    note()
    note()
    assert len(identities) == 1
    path.write_text(DOUBLE + "\n", encoding="utf-8")
    note()
    write(students / "ada" / "helper.py", "x = 1")
    note()
    note(seed=SEED + 1)
    assert len(identities) == 4


def test_stopping_by_hand_makes_nobody_a_suspect(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "report.jsonl")
    identity = ("ada", "numbers/double", "1", "2", 3)
    journal.trying(identity)
    assert Journal(journal.path).tries[identity] == 1
    journal.forgive()
    assert Journal(journal.path).tries[identity] == 0


@pytest.fixture
def a_class(students: Path, course: Catalog) -> ClassRun:
    write(students / "ada" / "double.py", DOUBLE + COUNTER)
    write(students / "bob" / "double.py", "def double(x):\n    return '=<script>'\n")
    write(students / "cyd" / "halve.py", HALVE)
    write(students / "dan" / "double.ipynb", "{")
    submitted, strays = find_submissions(students, course)
    # Not every system allows such a folder, but some do.
    submitted = [replace(h, student="<b>bob</b>") if h.student == "bob" else h for h in submitted]
    return ClassRun(course, SEED, [(one, graded(one, course)) for one in submitted], strays)


def rows_of(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines()))


def test_page_escapes_what_students_wrote(a_class: ClassRun) -> None:
    text = page(a_class)
    assert "<script" not in text
    assert "<b>bob" not in text
    assert "&lt;b&gt;bob&lt;/b&gt;" in text
    assert "=&lt;script&gt;" in text


def test_page_tells_rates_failures_problems_and_the_seed(a_class: ClassRun) -> None:
    text = page(a_class)
    assert "Every number is doubled." in text
    assert "33% <meter" in text  # one of the three who submitted double in
    assert "broken JSON at line 1" in text
    assert f"HALFBITS_SEED={SEED}" in text
    assert "not handed in" in text


def test_csv_has_a_row_for_each_student_and_check(a_class: ClassRun, tmp_path: Path) -> None:
    _, long, *_ = write_reports(a_class, tmp_path / "report.html")
    rows = rows_of(long)
    assert len(rows) == 4 * (3 + 1)
    ada = {row["check"]: row["result"] for row in rows if row["student"] == "ada"}
    assert ada["test_doubles_text"] == "passed"
    assert not any(row["problem"].startswith("=") for row in rows)


def test_nbgrader_csv_has_its_columns_and_one_point_per_check(
    a_class: ClassRun, tmp_path: Path
) -> None:
    _, _, grades, _ = write_reports(a_class, tmp_path / "report.html")
    rows = rows_of(grades)
    assert tuple(rows[0]) == NBGRADER
    scores = {(r["student_id"], r["assignment"]): (r["score"], r["max_score"]) for r in rows}
    assert scores["ada", "double"] == ("3.0", "3.0")
    assert scores["cyd", "double"] == ("0.0", "3.0")
    assert next(r["timestamp"] for r in rows if r["student_id"] == "cyd") == ""


def test_result_survives_json_exactly(students: Path, course: Catalog, tmp_path: Path) -> None:
    write(students / "ada" / "double.py", "def double(x):\n    return float('nan')")
    result = graded(found(students, course)["ada", "double"], course)
    path = tmp_path / "report.jsonl"
    Journal(path).add(result)
    assert json.loads(path.read_text(encoding="utf-8").splitlines()[-1])["result"]["seed"] == SEED
    assert list(Journal(path).results.values()) == [result]


def test_code_that_reaches_for_the_grader_is_shown_to_the_teacher(
    students: Path, course: Catalog
) -> None:
    frames = "import sys\ndef double(x):\n    sys._getframe(1)\n    return 2 * x"
    write(students / "eve" / "double.py", f"{frames}\n{COUNTER}")
    write(students / "ada" / "double.py", f"def double(n):\n    return n * 2\n{COUNTER}")
    write(students / "bob" / "double.py", f"import math\nmath.pi = 3\n{DOUBLE}\n{COUNTER}")
    submitted = found(students, course).values()
    text = page(ClassRun(course, SEED, [(one, graded(one, course)) for one in submitted]))
    section = text.partition("Worth a look")[2].partition("</table>")[0]
    assert "names _getframe" in section
    assert "put back before the checks: math.pi" in section
    assert "ada" not in section
    assert "has the functions of the solution" in section
