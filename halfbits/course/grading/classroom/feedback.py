"""What each student gets back: one HTML page with every exercise's checks, without the others."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path
from typing import Any

from halfbits.course.checklist import read_checks
from halfbits.course.grading.classroom.journal import Result
from halfbits.course.grading.classroom.pages import render
from halfbits.course.grading.classroom.points import points_of
from halfbits.course.grading.classroom.submissions import ClassRun, StudentSubmission
from halfbits.course.grading.report import FAILED, MISSING, NOT_RUN, PASSED


def write_feedback(found: ClassRun, folder: Path) -> list[Path]:
    """Write `folder`/<student>.html for each student; the paths written."""
    folder.mkdir(parents=True, exist_ok=True)
    students: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for submitted, result in found.graded:
        students[submitted.student].append(_part(found, submitted, result))
    paths: list[Path] = []
    for name, parts in students.items():
        path = _free(folder, name, paths)
        title = f"Feedback for {name}"
        text = render("student.html", title=title, parts=parts, total=_total(found, parts))
        path.write_text(text, encoding="utf-8")
        paths.append(path)
    return paths


def _part(found: ClassRun, submitted: StudentSubmission, result: Result) -> dict[str, Any]:
    """One exercise: each message once, under the claim of the first check that gave it."""
    worth = found.points.worth[result.exercise] if found.points else 0.0
    points = found.points.of(found.catalog, result) if found.points else None
    claims = {c.name: c.claim for c in read_checks(found.catalog.checks(submitted.exercise))}
    shown: dict[str, str] = {}
    for name, kind, message in result.verdicts:
        if kind in (FAILED, MISSING) or (kind == NOT_RUN and not result.problem):
            shown.setdefault(message, claims.get(name, name))
    return {
        "title": submitted.exercise.title,
        "submitted": submitted.path is not None,
        "summary": result.summary,
        "notes": [*([result.problem] if result.problem else []), *result.notes],
        "shown": list(shown.items()),
        "points": points,
        "worth": worth,
        "scored": points_of(points, worth) if found.points else "",
        "passed": [claims.get(name, name) for name, kind, _ in result.verdicts if kind == PASSED],
    }


def _total(found: ClassRun, parts: list[dict[str, Any]]) -> str:
    """ "23.5 of 40", or "" without a class file."""
    if found.points is None:
        return ""
    got = sum(part["points"] or 0.0 for part in parts)
    return points_of(round(got, 2), sum(part["worth"] for part in parts))


def _free(folder: Path, student: str, taken: list[Path]) -> Path:
    """A file name of the student's that every system takes and nobody else has."""
    plain = re.sub(r"[^\w .-]", "_", student).strip(" .") or "student"
    used = {path.name.lower() for path in taken}
    names = [plain, *(f"{plain} {number}" for number in range(2, len(taken) + 3))]
    return folder / next(f"{n}.html" for n in names if f"{n}.html".lower() not in used)
