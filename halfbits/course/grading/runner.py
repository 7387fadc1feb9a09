"""From an answer's file to a report: reads it, runs it in a worker, collects the verdicts."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from halfbits.course.catalog import Catalog, Exercise
from halfbits.course.checklist import Check, read_checks
from halfbits.course.checks.failure import Failure, from_json
from halfbits.course.grading.process.client import Late, Worker
from halfbits.course.grading.process.pool import WorkerPool
from halfbits.course.grading.process.spawn_pool import POOL
from halfbits.course.grading.report import NOT_RUN, UNWRITTEN, Report, Verdict, untouched
from halfbits.course.notebook import Answer, Cell, broken_cells, read_answer
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
        answer: Answer | CourseError,
        checks: Iterable[str] | None = None,
        seed: int | None = None,
        skip_stubs: bool = True,
        folder: Path | None = None,
        shared: Iterable[Path] = (),
        own_folder: bool = True,
    ) -> None:
        """`shared` folders hold others' answers as well; the answer finds there its own folder."""
        self.exercise, self.answer = exercise, answer
        self.path = catalog.checks(exercise)
        self.folder = folder or catalog.notebook(exercise).parent
        self.shared, self.own_folder = tuple(shared), own_folder
        self.checks = [c for c in read_checks(self.path) if checks is None or c.name in checks]
        self.seed = fresh_seed() if seed is None else seed
        self.cells, notes = graded_cells(getattr(answer, "cells", ()))
        self.notes = (*notes, *defined_twice(self.cells, exercise.tasks))
        self.stubs = self._untouched(catalog) if skip_stubs else set()

    def _untouched(self, catalog: Catalog) -> set[str]:
        """The tasks that are as the learner got them: stubs, or the broken program of a repair."""
        tasks = self.exercise.tasks
        if self.exercise.kind != "repair":
            return unwritten(self.cells, tasks)
        broken = broken_cells(catalog.notebook(self.exercise, "solutions"))
        return unmended(self.cells, tasks, broken)

    @property
    def to_run(self) -> list[Check]:
        return [check for check in self.checks if check.task not in self.stubs]

    @property
    def needs_worker(self) -> bool:
        return isinstance(self.answer, Answer) and bool(self.to_run)

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
            words = modules_of(name)
            return name == "torch" or bool(imported & {*words}) or any(w in text for w in words)

        return tuple(m for name in self.exercise.preload if needed(name) for m in modules_of(name))

    def preload_for(self, pool: WorkerPool) -> tuple[str, ...]:
        """`preload`; all the exercise's frameworks for a server that many answers share."""
        if not pool.forks:
            return self.preload
        return tuple(module for name in self.exercise.preload for module in modules_of(name))

    def grade(self, meanwhile: tuple[str, ...] | None = None, workers: WorkerPool = POOL) -> Report:
        """Run it; everything that goes wrong is in the report.

        `meanwhile` is what the next submission preloads: its worker starts once this one is ready.
        """
        name = getattr(self.answer, "name", self.exercise.slug)
        report = Report(self.exercise, name, seed=self.seed)
        kinds: dict[str, tuple[str, Failure | str]] = {}
        if isinstance(self.answer, CourseError):
            report.problem = str(self.answer)
        else:
            report.notes += [*self.answer.notes, *self.notes]
            if self.needs_worker:
                _run(self, self.answer, report, kinds, workers, meanwhile)
        report.verdicts = [self._verdict(check, kinds, report.problem) for check in self.checks]
        return report

    def _verdict(
        self, check: Check, kinds: dict[str, tuple[str, Failure | str]], problem: str | None
    ) -> Verdict:
        if check.name in kinds:
            return Verdict(check, *kinds[check.name])
        if problem is not None:
            return Verdict(check, NOT_RUN, problem)
        return Verdict(check, UNWRITTEN, f"{check.task}: {untouched(self.exercise)}")


def grade_answers(
    catalog: Catalog,
    exercise: Exercise,
    cells: Sequence[Cell | str] | Path,
    *,
    checks: Iterable[str] | None = None,
    seed: int | None = None,
    skip_stubs: bool = True,
    workers: WorkerPool = POOL,
) -> Report:
    """Grade a file, or a list of cells, by all checks of `exercise` or by those named.

    `skip_stubs=False` runs even the checks of tasks that are visibly not written yet;
    `workers` is where the isolated process comes from.
    """
    answer = open_answer(cells, exercise)
    folder = cells.parent if isinstance(cells, Path) else None
    one = Submission(catalog, exercise, answer, checks, seed, skip_stubs, folder)
    return one.grade(workers=workers)


def open_answer(cells: Sequence[Cell | str] | Path, exercise: Exercise) -> Answer | CourseError:
    """The answer, or the sentence that says why it cannot be read."""
    if isinstance(cells, Path):
        try:
            return read_answer(cells)
        except CourseError as error:
            return error
    whole = (
        cell if isinstance(cell, Cell) else Cell(f"cell {number}", cell)
        for number, cell in enumerate(cells, 1)
    )
    return Answer(f"{exercise.slug}.ipynb", tuple(whole))


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


def _run(
    submission: Submission,
    answer: Answer,
    report: Report,
    kinds: dict[str, tuple[str, Failure | str]],
    workers: WorkerPool,
    meanwhile: tuple[str, ...] | None,
) -> None:
    try:
        scratch = _scratch()
    except CourseError as error:
        report.problem = f"{submission.exercise.slug} was not graded: {error}"
        return
    worker = workers.take(submission.preload_for(workers))
    try:
        if reason := worker.ready():
            report.problem = f"{submission.exercise.slug} was not graded: {reason}."
            return
        worker.submit(_job(submission, answer, scratch))
        if meanwhile is not None:
            workers.prepare(meanwhile)
        _collect(worker, submission, report, kinds)
    finally:
        worker.close()
        shutil.rmtree(scratch, ignore_errors=True)


def _collect(
    worker: Worker,
    submission: Submission,
    report: Report,
    kinds: dict[str, tuple[str, Failure | str]],
) -> None:
    limit, running, ended = submission.exercise.time_limit, "", False
    expected = {check.name for check in submission.to_run}
    try:
        for event in worker.events(time.monotonic() + limit):
            match event["event"]:
                case "running":
                    running = event["what"]
                case "verdict" if event["name"] in expected:
                    kinds[event["name"]] = (event["kind"], from_json(event["explanation"]))
                case "note":
                    report.notes.append(event["message"])
                case "broken cell":
                    report.notes.append(f"a cell went wrong: {event['message']}")
                case "exit":
                    report.problem = f"{_where(running)} {event['message']}: remove that call."
                    return
                case "done":
                    ended = expected == kinds.keys()
        if not ended:
            report.killed = worker.was_killed()
    except Late:
        report.problem = f"{_where(running)} was still running after {limit:g} s: an endless loop?"
        return
    if not ended:
        report.problem = f"{_where(running)}: the process {worker.how_it_ended()}."


def _where(running: str) -> str:
    return f"check {running}" if running.startswith("test_") else running or "the answer"


def _job(submission: Submission, answer: Answer, scratch: str) -> dict[str, Any]:
    return {
        "name": answer.name,
        "cells": [{"place": cell.place, "source": cell.source} for cell in submission.cells],
        "checks": str(submission.path),
        "names": [check.name for check in submission.to_run],
        "seed": submission.seed,
        "limit": submission.exercise.time_limit,
        "scratch": scratch,
        "folder": str(submission.folder),
        "script": answer.name.endswith(".py"),
        "shared": [str(folder) for folder in submission.shared],
        "own_folder": submission.own_folder,
    }


def _scratch() -> str:
    try:
        return tempfile.mkdtemp(prefix="halfbits-")
    except OSError as error:
        raise CourseError(f"No scratch folder can be made: {error}; free some disk.") from error
