"""A class's submissions on disk, one folder a student, as tasks for the grader."""

from __future__ import annotations

import contextlib
import hashlib
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from halfbits.course.catalog import Catalog, Exercise
from halfbits.course.fingerprint import GRADER, fingerprint
from halfbits.course.grading.classroom.collect import Student, collect
from halfbits.course.grading.classroom.journal import NOT_JUDGED, TRIES, Identity, Result
from halfbits.course.grading.classroom.points import Points
from halfbits.course.grading.process.pool import WorkerPool
from halfbits.course.grading.report import NOT_RUN, Report, Verdict
from halfbits.course.grading.runner import grade
from halfbits.course.grading.submission import Submission
from halfbits.course.notebook import Answer, open_answer
from halfbits.errors import CourseError

LARGEST = 64 << 20


@dataclass(frozen=True)
class StudentSubmission:
    """What one student handed in for one exercise; `path` is None when there is nothing."""

    student: str
    exercise: Exercise
    path: Path | None = None
    notes: tuple[str, ...] = ()
    kind: str = ""  # .ipynb or .py, whatever the file's name ends with
    own_folder: bool = True  # only the student's files lie beside it
    shared: tuple[Path, ...] = ()  # folders with the files of other students

    def read(self) -> Answer:
        """The answer; where there is nothing to run, its `problem` says why."""
        if self.path is None:
            return Answer(
                self.exercise.slug, (), problem=f"{self.exercise.slug} was not handed in."
            )
        with contextlib.suppress(OSError):
            if self.path.stat().st_size > LARGEST:
                problem = f"{self.path.name} is larger than {LARGEST >> 20} MiB."
                return Answer(self.path.name, (), problem=problem)
        return open_answer(self.path, self.notes, patience=0, kind=self.kind)

    def digest(self) -> str:
        """A hash of the file and of the modules beside it, which it may import."""
        if self.path is None:
            return ""
        beside = self.path.parent.glob("*.py") if self.own_folder else ()
        return _digest(sorted({self.path, *(path for path in beside if not path.is_symlink())}))


@dataclass(frozen=True)
class Task:
    """One submission as it travels to a worker: everything but the checks, which it has."""

    submitted: StudentSubmission
    answer: Answer
    submission: str
    checks: str
    seed: int
    root: Path

    @property
    def identity(self) -> Identity:
        return (
            self.submitted.student,
            self.submitted.exercise.key,
            self.submission,
            self.checks,
            self.seed,
        )

    def grade(self, catalog: Catalog, workers: WorkerPool, machine: str = "") -> Result:
        """Run it and say how it ended."""
        began = time.perf_counter()
        for _ in range(TRIES):
            report = grade(self.to_run(catalog), workers)
            if not report.killed:
                break
        else:
            report.problem = f"{self.submitted.exercise.slug}: {NOT_JUDGED}."
            report.verdicts = [Verdict(v.check, NOT_RUN, report.problem) for v in report.verdicts]
        return result(self, report, time.perf_counter() - began, machine)

    def to_run(self, catalog: Catalog) -> Submission:
        """The submission as the runner takes it."""
        one = self.submitted
        return Submission(
            catalog,
            one.exercise,
            self.answer,
            seed=self.seed,
            folder=one.path.parent if one.path else None,
            shared=one.shared,
            own_folder=one.own_folder,
        )


@dataclass
class ClassRun:
    """All that a report is made of: every student with every exercise, and how it ended."""

    catalog: Catalog
    seed: int
    graded: list[tuple[StudentSubmission, Result]] = field(default_factory=list)
    strays: list[str] = field(default_factory=list)
    known: int = 0
    points: Points | None = None


def task_of(submitted: StudentSubmission, catalog: Catalog, seed: int) -> Task:
    """The task of grading what was handed in."""
    checks = checks_digest(catalog, submitted.exercise)
    return Task(submitted, submitted.read(), submitted.digest(), checks, seed, catalog.root)


def result(task: Task, report: Report, seconds: float = 0.0, worker: str = "") -> Result:
    """What `report` says of `task`, fit for the journal."""
    return Result(
        *task.identity,
        summary=report.summary(),
        problem=report.problem,
        verdicts=tuple((v.check.name, v.kind, v.message) for v in report.verdicts),
        notes=tuple(report.notes),
        seconds=round(seconds, 4),
        worker=worker,
        score=report.score if report.solved else {},
    )


def find_submissions(
    folder: Path,
    catalog: Catalog,
    exercises: Iterable[Exercise] = (),
    unpacked: Path | None = None,
) -> tuple[list[StudentSubmission], list[str]]:
    """Every student with every exercise, and one line for each thing that is no submission.

    A student's file lies in the student's folder, at any depth, or is named as Canvas and Moodle
    name it (names.py). Archives are opened below `unpacked`. Without `exercises`, those that at
    least one student handed in. Raises CourseError.
    """
    students, lines = collect(folder, catalog, unpacked)
    wanted = list(exercises) or list(catalog.exercises)
    found = [_submission_of(student, exercise) for student in students for exercise in wanted]
    if not exercises:
        present = {submitted.exercise.key for submitted in found if submitted.path}
        found = [submitted for submitted in found if submitted.exercise.key in present]
    if not found:
        raise CourseError(
            f"{folder} holds no submissions: expected a folder per student with files such as "
            f"{wanted[0].key}.ipynb in it."
        )
    return found, lines


def _submission_of(student: Student, exercise: Exercise) -> StudentSubmission:
    there = [one for one in student.files if one.slug == exercise.slug]
    if not there:
        return StudentSubmission(student.name, exercise, shared=student.shared)
    first, *others = sorted(there, key=lambda one: one.rank)
    notes = [f"{first.name} was graded; it wins over {other.name}." for other in others]
    notes += [f"{first.name} was read as {exercise.slug}{first.kind}."] * (not first.exact)
    notes += ["It came late."] * first.late
    path, own = first.path, first.own_folder
    return StudentSubmission(
        student.name, exercise, path, tuple(notes), first.kind, own, student.shared
    )


def checks_digest(catalog: Catalog, exercise: Exercise) -> str:
    """A hash of the exercise's checks and of the code that decides a verdict."""
    return _checks_digest(catalog.checks(exercise), exercise.time_limit)


@cache
def _checks_digest(path: Path, time_limit: float) -> str:
    return f"{_digest([path])}-{fingerprint(GRADER)[:32]}-{time_limit:g}"


def _digest(paths: Iterable[Path]) -> str:
    whole = hashlib.sha256()
    for path in paths:
        data = b"cannot be read"
        with contextlib.suppress(OSError):
            data = path.read_bytes() if path.stat().st_size <= LARGEST else b"too large"
        whole.update(path.name.encode("utf-8", "surrogateescape") + b"\0" + data + b"\0")
    return whole.hexdigest()[:32]
