"""A class's submissions on disk, one folder a student, as tasks for the grader."""

from __future__ import annotations

import contextlib
import difflib
import hashlib
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from halfbits.course.catalog import Catalog, Exercise
from halfbits.course.fingerprint import GRADER, fingerprint
from halfbits.course.grading.classroom.journal import Identity, Result
from halfbits.course.grading.process.forks import Forks
from halfbits.course.grading.process.spare import Spare
from halfbits.course.grading.report import Report
from halfbits.course.grading.runner import Submission
from halfbits.course.notebook import Answer, read_answer
from halfbits.errors import CourseError

LARGEST = 64 << 20
SUFFIXES = (".py", ".ipynb")


@dataclass(frozen=True)
class Handed:
    """What one student handed in for one exercise; `path` is None when there is nothing."""

    student: str
    exercise: Exercise
    path: Path | None = None
    notes: tuple[str, ...] = ()

    def read(self) -> Answer | CourseError:
        """The cells to run, or the sentence that says why there are none."""
        if self.path is None:
            return CourseError(f"{self.exercise.slug} was not handed in.")
        try:
            if self.path.stat().st_size > LARGEST:
                return CourseError(f"{self.path.name} is larger than {LARGEST >> 20} MiB.")
            answer = read_answer(self.path, self.notes, patience=0)
        except (CourseError, OSError) as error:
            return CourseError(str(error))
        return answer

    def digest(self) -> str:
        """A hash of the file and of the modules beside it, which it may import."""
        if self.path is None:
            return ""
        return _digest(sorted({self.path, *self.path.parent.glob("*.py")}))


@dataclass(frozen=True)
class Task:
    """One submission as it travels to a worker: everything but the checks, which it has."""

    handed: Handed
    answer: Answer | CourseError
    submission: str
    checks: str
    seed: int
    root: Path

    @property
    def identity(self) -> Identity:
        return (
            self.handed.student,
            self.handed.exercise.key,
            self.submission,
            self.checks,
            self.seed,
        )

    def grade(self, catalog: Catalog, workers: Spare | Forks, machine: str = "") -> Result:
        """Run it and say how it ended."""
        began = time.perf_counter()
        report = self.to_run(catalog).grade(workers=workers)
        return result(self, report, time.perf_counter() - began, machine)

    def to_run(self, catalog: Catalog) -> Submission:
        """The submission as the runner takes it."""
        folder = self.handed.path.parent if self.handed.path else None
        exercise = self.handed.exercise
        return Submission(catalog, exercise, self.answer, seed=self.seed, folder=folder)


@dataclass
class ClassRun:
    """All that a report is made of: every student with every exercise, and how it ended."""

    catalog: Catalog
    seed: int
    graded: list[tuple[Handed, Result]] = field(default_factory=list)
    strays: list[str] = field(default_factory=list)
    known: int = 0


def task_of(handed: Handed, catalog: Catalog, seed: int) -> Task:
    """The task of grading what was handed in."""
    checks = checks_digest(catalog, handed.exercise)
    return Task(handed, handed.read(), handed.digest(), checks, seed, catalog.root)


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
    )


def find_submissions(
    folder: Path, catalog: Catalog, exercises: Iterable[Exercise] = ()
) -> tuple[list[Handed], list[str]]:
    """Every student with every exercise, and one line for each thing that is no submission.

    A student's file is `<student>/<topic>/<slug>` or `<student>/<slug>`, .py or .ipynb. Without
    `exercises`, those that at least one student handed in. Raises CourseError.
    """
    students, strays = _students(folder, catalog)
    wanted = list(exercises) or list(catalog.exercises)
    found = [_handed(folder / name, exercise) for name in students for exercise in wanted]
    if not exercises:
        present = {handed.exercise.key for handed in found if handed.path}
        found = [handed for handed in found if handed.exercise.key in present]
    if not found:
        raise CourseError(
            f"{folder} holds no submissions: expected a folder per student with files such as "
            f"{wanted[0].key}.ipynb in it."
        )
    return found, strays


def checks_digest(catalog: Catalog, exercise: Exercise) -> str:
    """A hash of the exercise's checks and of the code that decides a verdict."""
    return _checks_digest(catalog.checks(exercise), exercise.time_limit)


@cache
def _checks_digest(path: Path, time_limit: float) -> str:
    return f"{_digest([path])}-{fingerprint(GRADER)[:32]}-{time_limit:g}"


def _students(folder: Path, catalog: Catalog) -> tuple[list[str], list[str]]:
    names, strays = [], []
    for entry in _entries(folder):
        if entry.is_dir():
            lines = list(_strays(entry, catalog))
            names.append(entry.name)
            strays += lines
        else:
            strays.append(f"{entry.name} was left out: a submission lies in its student's folder.")
    topics = {exercise.topic for exercise in catalog.exercises}
    if names and topics.issuperset(names):
        raise CourseError(
            f"{folder} is one person's answers, not a folder per student: "
            f"`python course.py grade --answers {folder}` grades it."
        )
    return names, strays


def _strays(student: Path, catalog: Catalog) -> Iterator[str]:
    slugs = [exercise.slug for exercise in catalog.exercises]
    try:
        folders = [student, *(entry for entry in _entries(student) if entry.is_dir())]
        files = [path for folder in folders for path in _entries(folder) if path.is_file()]
    except CourseError as error:
        yield str(error)
        return
    for path in files:
        near = difflib.get_close_matches(path.stem.lower(), slugs, n=1, cutoff=0.8)
        name = path.relative_to(student.parent).as_posix()
        if path.stem not in slugs and path.suffix in SUFFIXES and near:
            yield f"{name} was left out: is it {near[0]}{path.suffix}? Rename it then."
        elif path.stem not in slugs and path.suffix == ".ipynb":
            yield f"{name} was left out: no exercise has this name."


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if not path.name.startswith((".", "__")))
    except OSError as error:
        reason = error.strerror or error
        raise CourseError(f"The folder {folder} cannot be read: {reason}.") from error


def _handed(student: Path, exercise: Exercise) -> Handed:
    bases = (student / exercise.topic / exercise.slug, student / exercise.slug)
    paths = [base.with_name(exercise.slug + suffix) for base in bases for suffix in SUFFIXES]
    there = [path for path in paths if _is_file(path)]
    if not there:
        return Handed(student.name, exercise)
    first, *others = (path.relative_to(student).as_posix() for path in there)
    notes = tuple(f"{first} was graded; it wins over {other}." for other in others)
    return Handed(student.name, exercise, there[0], notes)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False


def _digest(paths: Iterable[Path]) -> str:
    whole = hashlib.sha256()
    for path in paths:
        data = b"cannot be read"
        with contextlib.suppress(OSError):
            data = path.read_bytes() if path.stat().st_size <= LARGEST else b"too large"
        whole.update(path.name.encode("utf-8", "surrogateescape") + b"\0" + data + b"\0")
    return whole.hexdigest()[:32]
