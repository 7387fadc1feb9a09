"""One answer with the checks that it is put through, before any process runs it."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path

from halfbits.course.catalog import Catalog, Exercise
from halfbits.course.checklist import Check, read_checks
from halfbits.course.checks.failure import Failure
from halfbits.course.grading.process.pool import WorkerPool
from halfbits.course.grading.report import NOT_RUN, UNWRITTEN, Verdict, untouched
from halfbits.course.notebook import Answer, broken_cells, find_answer, open_answer
from halfbits.course.selection import defined_twice, graded_cells
from halfbits.course.sources import defined_names, top_imports, unmended, unwritten
from halfbits.errors import CourseError

FRAMEWORKS = {"tensorflow": ("tensorflow", "keras"), "torch": ("torch",)}


class Submission:
    """One answer to one exercise, with the checks it is to be put through."""

    def __init__(
        self,
        catalog: Catalog,
        exercise: Exercise,
        answer: Answer,
        checks: Iterable[str] | None = None,
        seed: int | None = None,
        skip_stubs: bool = True,
        folder: Path | None = None,
        shared: Iterable[Path] = (),
        own_folder: bool = True,
    ) -> None:
        """`folder` holds the answer, and `own_folder` says that it holds nobody else's.

        `shared` folders hold others' answers as well; the answer finds there its own folder.
        """
        self.catalog, self.exercise, self.answer = catalog, exercise, answer
        self.path = catalog.checks(exercise)
        self.folder = folder or catalog.notebook(exercise).parent
        self.shared, self.own_folder = tuple(shared), own_folder
        self.checks = [c for c in read_checks(self.path) if checks is None or c.name in checks]
        self.seed = fresh_seed() if seed is None else seed
        self.cells, notes = graded_cells(answer.cells)
        self.notes = (*answer.notes, *notes, *defined_twice(self.cells, exercise.tasks))
        self.stubs = self._untouched() if skip_stubs else set()

    @property
    def is_learners(self) -> bool:
        """Whether it lies under the learner's own exercises/, so that it counts as progress."""
        return self.folder.resolve().is_relative_to(self.catalog.own_folder.resolve())

    @property
    def to_run(self) -> list[Check]:
        return [check for check in self.checks if check.task not in self.stubs]

    @property
    def needs_worker(self) -> bool:
        return not self.answer.problem and bool(self.to_run)

    @property
    def preload(self) -> tuple[str, ...]:
        """The exercise's frameworks that this run will need, as far as the sources tell.

        TensorFlow takes seconds to import, so it waits until a cell imports it at its top level
        or a check to run is about it. A framework that is missed here is imported within the time
        limit.
        """
        tasks = {check.task for check in self.to_run}
        cells = [c.source for c in self.cells if tasks & set(defined_names(c.source))]
        text = "\n".join([*(check.source for check in self.to_run), *cells])
        imported = {name for cell in self.cells for name in top_imports(cell.source)}

        def needed(name: str) -> bool:
            modules = modules_of(name)
            return name == "torch" or bool(imported & {*modules}) or any(m in text for m in modules)

        return tuple(m for name in self.exercise.preload if needed(name) for m in modules_of(name))

    def preload_for(self, pool: WorkerPool) -> tuple[str, ...]:
        """`preload`; all the exercise's frameworks for a server that many answers share."""
        if not pool.forks:
            return self.preload
        return tuple(module for name in self.exercise.preload for module in modules_of(name))

    def verdicts(
        self, found: Mapping[str, tuple[str, Failure | str]], problem: str | None
    ) -> list[Verdict]:
        """A verdict for each check: as `found`, not run because of `problem`, or not written."""
        return [
            Verdict(check, *found[check.name])
            if check.name in found
            else Verdict(check, NOT_RUN, problem)
            if problem is not None
            else Verdict(check, UNWRITTEN, f"{check.task}: {untouched(self.exercise)}")
            for check in self.checks
        ]

    def _untouched(self) -> set[str]:
        """The tasks that are as the learner got them: stubs, or the broken program of a repair."""
        tasks = self.exercise.tasks
        if self.exercise.kind != "repair":
            return unwritten(self.cells, tasks)
        broken = broken_cells(self.catalog.notebook(self.exercise, "solutions"))
        return unmended(self.cells, tasks, broken)


def answers_folder(catalog: Catalog, answers: Path | None) -> Path:
    """The folder to grade: the learner's own, or the one given; raises CourseError."""
    folder = (answers or catalog.own_folder).resolve()
    if not folder.is_dir():
        raise CourseError(f"{folder} is no folder: --answers wants one laid out like exercises/.")
    return folder


def submission_of(
    catalog: Catalog, exercise: Exercise, folder: Path, checks: Iterable[str] | None = None
) -> Submission:
    """The answer to `exercise` under `folder`, read now."""
    path, notes = find_answer(folder, exercise)
    answer = open_answer(path, notes)
    return Submission(catalog, exercise, answer, checks, folder=path.parent)


def named(catalog: Catalog, name: str, folder: Path) -> Submission:
    """The answer called `name`: a file that is there, else an exercise's under `folder`.

    Raises CourseError where a path leads to no file.
    """
    path = Path(name)
    is_answer = path.suffix in (".ipynb", ".py") and not path.name.startswith("test_")
    if not is_answer:
        return submission_of(catalog, catalog.find(name), folder)
    there = next((p for p in (path, catalog.root / path) if p.is_file()), None)
    if there is None and path.name != name:
        raise CourseError(f"There is no file {name}.")
    exercise = catalog.find(path.name)
    if there is None:
        return submission_of(catalog, exercise, folder)
    file = there.resolve()
    return Submission(catalog, exercise, open_answer(file), folder=file.parent)


def modules_of(framework: str) -> tuple[str, ...]:
    """What to import for a framework; TensorFlow loads Keras only when asked."""
    return FRAMEWORKS.get(framework, (framework,))


def fresh_seed() -> int:
    """HALFBITS_SEED, or a new seed below 2**31."""
    text = os.environ.get("HALFBITS_SEED")
    if not text:
        return secrets.randbelow(2**31)
    try:
        return int(text)
    except ValueError:
        raise CourseError(f"HALFBITS_SEED is {text!r}: set it to a whole number.") from None
