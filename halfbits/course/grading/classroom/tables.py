"""The CSV files of a class run: a row for each check, each grade as nbgrader has it, student."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from halfbits.course.grading.classroom.points import Points
from halfbits.course.grading.classroom.submissions import ClassRun
from halfbits.course.grading.report import clean

# The columns of `nbgrader export` (CsvExportPlugin).
NBGRADER = (
    *("assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email"),
    *("raw_score", "late_submission_penalty", "score", "max_score"),
)


def checks_rows(found: ClassRun) -> Iterable[Iterable[str | int]]:
    """One row for each student, exercise and check."""
    yield "student", "exercise", "file", "passed", "total", "problem", "check", "result"
    for submitted, result in found.graded:
        file = submitted.path.name if submitted.path else ""
        head = (submitted.student, result.exercise, file, result.passed, result.total)
        for check, kind, _ in result.verdicts:
            yield *head, result.problem or "", check, kind


def nbgrader_rows(found: ClassRun) -> Iterable[Iterable[str | int | float]]:
    """One row for each student and exercise in the columns of `nbgrader export`.

    A check is worth one point where no class file says otherwise; the timestamp is the file's
    last change, in UTC.
    """
    yield NBGRADER
    for submitted, result in found.graded:
        if found.points:
            got, most = found.points.of(found.catalog, result), found.points.worth[result.exercise]
        else:
            got, most = float(result.passed) if result.is_judged else None, float(result.total)
        score = "" if got is None else got
        names = (submitted.student, "", "", "")
        points = (score, 0.0, score, most)
        yield submitted.exercise.slug, "", _timestamp(submitted.path), *names, *points


def points_rows(found: ClassRun, points: Points) -> Iterable[Iterable[object]]:
    """One row for each student: the points of each exercise and their sum, by the class file."""
    yield "student", *(key.split("/")[1] for key in points.worth), "points", "of"
    students: dict[str, dict[str, float | None]] = defaultdict(dict)
    for submitted, result in found.graded:
        students[submitted.student][result.exercise] = points.of(found.catalog, result)
    for student, own in students.items():
        got = ["" if own[key] is None else own[key] for key in points.worth]
        whole = round(sum(one or 0.0 for one in own.values()), 2)
        yield student, *got, whole, sum(points.worth.values())


def write_csv(path: Path, rows: Iterable[Iterable[object]]) -> None:
    """With a byte-order mark, by which spreadsheets know UTF-8; no text is taken for a formula."""
    safe = ([_plain(cell) if isinstance(cell, str) else cell for cell in row] for row in rows)
    with path.open("w", encoding="utf-8-sig", errors="backslashreplace", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(safe)


def _plain(text: str) -> str:
    """`text` as no spreadsheet takes for a formula."""
    text = clean(text)
    return "'" + text if text.lstrip().startswith(("=", "+", "-", "@")) else text


def _timestamp(path: Path | None) -> str:
    if path is None:
        return ""
    return datetime.fromtimestamp(path.stat().st_mtime, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
