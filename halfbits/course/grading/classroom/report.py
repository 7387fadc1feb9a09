"""The reports of a class run: an HTML page, two CSV files, and a page for each student."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path
from typing import Any

from halfbits.course.catalog import Catalog
from halfbits.course.checklist import read_checks
from halfbits.course.grading.classroom.copies import to_look_at
from halfbits.course.grading.classroom.feedback import write_feedback
from halfbits.course.grading.classroom.journal import Result
from halfbits.course.grading.classroom.pages import render
from halfbits.course.grading.classroom.points import points_of
from halfbits.course.grading.classroom.submissions import ClassRun, StudentSubmission
from halfbits.course.grading.classroom.tables import (
    checks_rows,
    nbgrader_rows,
    points_rows,
    write_csv,
)
from halfbits.course.grading.report import FAILED, MISSING, NOT_RUN, PASSED, UNWRITTEN
from halfbits.course.progress.leaderboard import Entry, entry_of, merged, write_board

GradedSubmission = tuple[StudentSubmission, Result]
COMMON = 8


def write_reports(found: ClassRun, out: Path) -> list[Path]:
    """Write the page, and the CSV files and students' pages beside it; the paths written."""
    long, grades = out.with_suffix(".csv"), out.with_name(f"{out.stem}-nbgrader.csv")
    out.write_text(page(found), encoding="utf-8")
    write_csv(long, checks_rows(found))
    write_csv(grades, nbgrader_rows(found))
    feedback = out.with_name(f"{out.stem}-feedback")
    write_feedback(found, feedback)
    written = [out, long, grades, feedback]
    if found.points is not None:
        written.append(out.with_name(f"{out.stem}-points.csv"))
        write_csv(written[-1], points_rows(found, found.points))
    if board := scores(found):
        written.append(out.with_name(f"{out.stem}-leaderboard.json"))
        write_board(written[-1], board)
    return written


def scores(found: ClassRun) -> list[Entry]:
    """The board of the class, from what was measured here."""
    graded = (result for _, result in found.graded if result.score)
    return merged(entry_of(one.exercise, one.student, one.score) for one in graded)


def page(found: ClassRun) -> str:
    """The whole HTML page; it needs no script and no other file."""
    groups: dict[str, list[GradedSubmission]] = defaultdict(list)
    for submitted, result in found.graded:
        groups[result.exercise].append((submitted, result))
    look = to_look_at(found.catalog, found.graded)
    return render(
        "class.html",
        title=found.points.title if found.points else "Class report",
        seed=found.seed,
        slugs=[key.split("/")[1] for key in groups],
        points=found.points is not None,
        students=_students(found, [*groups]),
        board=[
            (one.name, one.medal, f"{one.ratio:.3f}", f"{one.bytes:,}", f"{one.speed:.2f}")
            for one in scores(found)
        ],
        look=[(one.student, one.exercise.key, said) for one, said in look],
        chosen=[
            (one.student, one.exercise.key, " ".join(one.notes))
            for one, _ in found.graded
            if one.notes
        ],
        strays=found.strays,
        exercises=[_exercise(found.catalog, key, graded) for key, graded in groups.items()],
    )


def _exercise(catalog: Catalog, key: str, graded: list[GradedSubmission]) -> dict[str, Any]:
    exercise = catalog.find(key)
    there = [result for submitted, result in graded if submitted.path]
    return {
        "title": exercise.title,
        "key": key,
        "there": len(there),
        "all": len(graded),
        "checks": [_counted(check, there) for check in read_checks(catalog.checks(exercise))],
        "failures": _failures(there),
        "problems": [(result.student, result.problem) for result in there if result.problem],
    }


def _counted(check: Any, results: list[Result]) -> dict[str, Any]:
    """How many passed a check, failed it, had not written what it needs, or did not reach it."""
    seen = [kind for r in results for name, kind, _ in r.verdicts if name == check.name]
    counts = [seen.count(PASSED), seen.count(FAILED) + seen.count(MISSING)]
    counts += [seen.count(UNWRITTEN), seen.count(NOT_RUN)]
    return {"check": check, "share": counts[0] / len(seen) if seen else 0.0, "counts": counts}


def _failures(results: list[Result]) -> list[tuple[int, str, str]]:
    """The commonest failures: the same check with the same words, whatever the numbers."""
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    for result in results:
        for name, kind, message in result.verdicts:
            if kind in (FAILED, MISSING):
                groups[name, re.sub(r"[\d.e+-]+", "#", message)].append(message)
    common = sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))[:COMMON]
    return [(len(said), name.removeprefix("test_"), said[0]) for (name, _), said in common]


def _students(found: ClassRun, keys: list[str]) -> list[dict[str, Any]]:
    by_student: dict[str, dict[str, GradedSubmission]] = defaultdict(dict)
    for submitted, result in found.graded:
        by_student[submitted.student][result.exercise] = submitted, result
    return [
        {
            "name": student,
            "scores": [_score(found.catalog, *graded[key]) for key in keys],
            "points": _points(found, [result for _, result in graded.values()]),
            "passed": sum(result.passed for _, result in graded.values()),
            "total": sum(result.total for _, result in graded.values()),
        }
        for student, graded in by_student.items()
    ]


def _points(found: ClassRun, results: list[Result]) -> str:
    """ "23.5 of 40", or "" where no class file says what an exercise is worth."""
    if found.points is None:
        return ""
    got = [found.points.of(found.catalog, result) or 0.0 for result in results]
    return points_of(
        round(sum(got), 2), sum(found.points.worth[result.exercise] for result in results)
    )


def _score(catalog: Catalog, submitted: StudentSubmission, result: Result) -> tuple[str, str]:
    """The class of a cell, and what it says."""
    score = f"{result.passed}/{result.total}"
    if submitted.path is None:
        return "", "not handed in"
    if not result.is_judged:
        return "problem", "not judged"
    if result.problem:
        return "problem", f"{score}, not run to the end"
    if result.passed == result.total:
        return "all", score
    core = {c.name for c in read_checks(catalog.checks(submitted.exercise)) if not c.hardened}
    solved = all(kind == PASSED for name, kind, _ in result.verdicts if name in core)
    return "", f"{score}{', solved' if solved else ''}"
