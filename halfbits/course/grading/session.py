"""Grades several exercises in turn; while one runs, the next one's worker already starts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from halfbits.course.catalog import Catalog, Exercise
from halfbits.course.grading.process.spare import SPARE
from halfbits.course.grading.report import Report
from halfbits.course.grading.runner import Submission
from halfbits.course.notebook import Answer, find_answer, read_answer
from halfbits.errors import CourseError


def answers_folder(catalog: Catalog, answers: Path | None) -> Path:
    """The folder to grade: the learner's own, or the one given; raises CourseError."""
    folder = (answers or catalog.root / "exercises").resolve()
    if not folder.is_dir():
        raise CourseError(f"{folder} is no folder: --answers wants one laid out like exercises/.")
    return folder


def grade_all(catalog: Catalog, exercises: Iterable[Exercise], folder: Path) -> Iterator[Report]:
    """The report of each exercise's answer under `folder`, one after the other."""
    waiting = [submission(catalog, exercise, folder) for exercise in exercises]
    yield from grade_submissions(waiting)


def grade_submissions(waiting: list[Submission]) -> Iterator[Report]:
    """The report of each submission in order."""
    for index, one in enumerate(waiting):
        following = next((s for s in waiting[index + 1 :] if s.needs_worker), None)
        yield one.grade(meanwhile=following.preload if following else None)
    SPARE.close()
    SPARE.leave_another()


def submission(
    catalog: Catalog, exercise: Exercise, folder: Path, checks: Iterable[str] | None = None
) -> Submission:
    """The answer to `exercise` under `folder`, read now."""
    path, notes = find_answer(folder, exercise)
    answer: Answer | CourseError
    try:
        answer = read_answer(path, notes)
    except CourseError as error:
        answer = error
    return Submission(catalog, exercise, answer, checks, folder=path.parent)
