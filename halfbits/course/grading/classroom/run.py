"""`python course.py grade-class`: find the submissions, grade what is new, write the report."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from halfbits.course.catalog import Catalog, load_catalog
from halfbits.course.grading.classroom.cluster import grade_tasks
from halfbits.course.grading.classroom.journal import NOT_JUDGED, TRIES, Journal, Result
from halfbits.course.grading.classroom.points import load_points
from halfbits.course.grading.classroom.submissions import (
    ClassRun,
    StudentSubmission,
    Task,
    find_submissions,
    result,
    task_of,
)
from halfbits.course.grading.process.sandbox import can_confine
from halfbits.course.grading.process.spawn_pool import POOL
from halfbits.course.grading.runner import grade
from halfbits.course.grading.submission import fresh_seed
from halfbits.errors import CourseError

NOT_CONFINED = (
    "This system does not let the grader keep submissions off the network and your files."
)


def run(
    folder: Path,
    out: Path,
    scheduler: str | None,
    names: list[str],
    workers: int | None,
    class_file: Path | None = None,
) -> int:
    """Grade the class in `folder` and write `out` and its companions; 130 when interrupted.

    `class_file` says which exercises count and how much.
    """
    from halfbits.course.grading.classroom.report import write_reports

    if names and class_file:
        raise CourseError("Name the exercises in the class file or by --exercise, not by both.")
    catalog, shown = load_catalog(), Progress()
    points = load_points(class_file, catalog) if class_file else None
    exercises = points.exercises(catalog) if points else [catalog.find(name) for name in names]
    with tempfile.TemporaryDirectory(prefix="halfbits-class-") as unpacked:
        submitted, strays = find_submissions(_folder(folder), catalog, exercises, Path(unpacked))
        journal = Journal(_writable(out).with_suffix(".jsonl"))
        seed = _seed(journal)
        for line in [*strays, *([] if can_confine() else [NOT_CONFINED])]:
            print(line)
        try:
            found = grade_class(
                catalog,
                submitted,
                journal,
                seed,
                scheduler=scheduler,
                workers=workers,
                arrived=shown,
            )
        except KeyboardInterrupt:
            return _stopped(journal)
        found.strays, found.points = strays, points
        paths = write_reports(found, out)
    print(f"{shown.summary(found)}; seed {seed}")
    print("wrote " + ", ".join(str(path) for path in paths))
    return 0


def _stopped(journal: Journal) -> int:
    journal.forgive()
    print(f"\nStopped; {len(journal.results)} results are kept: the same command goes on.")
    return 130


def grade_class(
    catalog: Catalog,
    submitted: list[StudentSubmission],
    journal: Journal,
    seed: int,
    *,
    scheduler: str | None = None,
    workers: int | None = None,
    arrived: Callable[[Result, int, int], None] = lambda result, number, total: None,
) -> ClassRun:
    """Grade what the journal does not know yet; `arrived(result, number, total)` after each."""
    tasks = [task_of(one, catalog, seed) for one in submitted]
    new = [task for task in tasks if task.identity not in journal.results]
    for number, graded in enumerate(_grade(catalog, new, journal, scheduler, workers), 1):
        journal.add(graded)
        arrived(graded, number, len(new))
    found = [(task.submitted, journal.results[task.identity]) for task in tasks]
    return ClassRun(catalog, seed, found, known=len(tasks) - len(new))


def _grade(
    catalog: Catalog,
    tasks: list[Task],
    journal: Journal,
    scheduler: str | None,
    workers: int | None,
) -> Iterator[Result]:
    crowd, suspects = [], []
    for task in tasks:
        if journal.tries[task.identity] >= TRIES:
            yield _poison(catalog, task)
        elif journal.tries[task.identity]:
            suspects.append(task)
        elif task.answer.problem:  # missing or unreadable: nothing runs
            yield task.grade(catalog, POOL)
        else:
            crowd.append(task)
    if crowd or suspects:
        count = workers or os.cpu_count() or 1
        sent = lambda task: journal.trying(task.identity)  # noqa: E731
        for task, graded in grade_tasks(crowd, scheduler, count, sent, suspects):
            yield graded or _poison(catalog, task)


def _poison(catalog: Catalog, task: Task) -> Result:
    problem = f"{task.submitted.exercise.slug}: {NOT_JUDGED}."
    lost = replace(task, answer=replace(task.answer, cells=(), problem=problem))
    return result(task, grade(lost.to_run(catalog)))


class Progress:
    """One line that counts on a terminal; nothing where the output goes to a file."""

    def __init__(self) -> None:
        self._shown = sys.stdout.isatty()

    def __call__(self, graded: Result, number: int, total: int) -> None:
        if self._shown:
            end = "\n" if number == total else ""
            print(f"\r{number} of {total} graded", end=end, flush=True)

    def summary(self, found: ClassRun) -> str:
        """ "3 students, 6 submissions; 4 pass all checks; 2 were graded before"."""
        students = len({submitted.student for submitted, _ in found.graded})
        there = [graded for submitted, graded in found.graded if submitted.path]
        solved = sum(0 < one.total == one.passed and not one.problem for one in there)
        before = f"; {found.known} results were known" if found.known else ""
        return (
            f"{students} students, {len(there)} submissions, {solved} pass all their checks{before}"
        )


def _seed(journal: Journal) -> int:
    """HALFBITS_SEED, else the journal's own, else a fresh one: the same for every student."""
    known = None if os.environ.get("HALFBITS_SEED") else journal.seed
    seed = fresh_seed() if known is None else known
    if seed != journal.seed:
        journal.begin(seed)
    return seed


def _folder(folder: Path) -> Path:
    if not folder.is_dir():
        raise CourseError(f"{folder} is no folder: name one that holds a folder per student.")
    return folder.resolve()


def _writable(out: Path) -> Path:
    if out.suffix != ".html":
        raise CourseError(f"--out names the HTML report, such as report.html, not {out.name}.")
    if not out.parent.is_dir():
        raise CourseError(f"The folder of {out} does not exist: make it, or choose another --out.")
    return out
