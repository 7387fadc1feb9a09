"""Grades several exercises in turn; while one runs, the next one's worker already starts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from halfbits.course.catalog import Catalog, Exercise
from halfbits.course.grading.process.spawn_pool import POOL
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


def named(catalog: Catalog, name: str, folder: Path) -> Submission:
    """The answer called `name`: a file that is there, else an exercise's under `folder`.

    Raises CourseError where a path leads to no file.
    """
    path = Path(name)
    is_answer = path.suffix in (".ipynb", ".py") and not path.name.startswith("test_")
    if not is_answer:
        return submission(catalog, catalog.find(name), folder)
    there = next((p for p in (path, catalog.root / path) if p.is_file()), None)
    if there is None and path.name != name:
        raise CourseError(f"There is no file {name}.")
    exercise = catalog.find(path.name)
    if there is None:
        return submission(catalog, exercise, folder)
    return _of_file(catalog, exercise, there.resolve())


def grade_submissions(waiting: list[Submission]) -> Iterator[Report]:
    """The report of each submission in order."""
    for index, one in enumerate(waiting):
        following = next((s for s in waiting[index + 1 :] if s.needs_worker), None)
        yield one.grade(meanwhile=following.preload if following else None)
    POOL.close()
    POOL.leave_idle()


def submission(
    catalog: Catalog, exercise: Exercise, folder: Path, checks: Iterable[str] | None = None
) -> Submission:
    """The answer to `exercise` under `folder`, read now."""
    path, notes = find_answer(folder, exercise)
    return _of_file(catalog, exercise, path, notes, checks)


def _of_file(
    catalog: Catalog,
    exercise: Exercise,
    path: Path,
    notes: Iterable[str] = (),
    checks: Iterable[str] | None = None,
) -> Submission:
    answer: Answer | CourseError
    try:
        answer = read_answer(path, notes)
    except CourseError as error:
        answer = error
    return Submission(catalog, exercise, answer, checks, folder=path.parent)
