"""From a submission to a report: runs it in a worker and collects the verdicts."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from halfbits.course.catalog import Catalog, Exercise
from halfbits.course.checks.failure import Failure, from_json
from halfbits.course.grading.bystanders import Bystanders
from halfbits.course.grading.process.client import Late, Worker
from halfbits.course.grading.process.pool import WorkerPool
from halfbits.course.grading.process.spawn_pool import POOL
from halfbits.course.grading.report import Report
from halfbits.course.grading.submission import Submission
from halfbits.course.notebook import Cell, answer_of, open_answer
from halfbits.errors import CourseError

Found = dict[str, tuple[str, Failure | str]]  # kind and explanation by the check's name


def grade(
    submission: Submission, pool: WorkerPool = POOL, meanwhile: tuple[str, ...] | None = None
) -> Report:
    """Run it; everything that goes wrong is in the report.

    `meanwhile` is what the next submission preloads: its worker starts once this one is ready.
    """
    report = Report(submission.exercise, submission.answer.name, seed=submission.seed)
    found: Found = {}
    if submission.answer.problem:
        report.problem = submission.answer.problem
    else:
        report.notes += submission.notes
        if submission.needs_worker:
            _run(submission, report, found, pool, meanwhile)
    report.verdicts = submission.verdicts(found, report.problem)
    return report


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
    answer = open_answer(cells) if isinstance(cells, Path) else answer_of(exercise, cells)
    folder = cells.parent if isinstance(cells, Path) else None
    return grade(Submission(catalog, exercise, answer, checks, seed, skip_stubs, folder), workers)


def _run(
    submission: Submission,
    report: Report,
    found: Found,
    pool: WorkerPool,
    meanwhile: tuple[str, ...] | None,
) -> None:
    try:
        scratch = _scratch()
    except CourseError as error:
        report.problem = f"{submission.exercise.slug} was not graded: {error}"
        return
    worker = pool.take(submission.preload_for(pool))
    try:
        if reason := worker.ready():
            report.problem = f"{submission.exercise.slug} was not graded: {reason}."
            return
        beside = _bystanders(submission)
        worker.submit(_job(submission, scratch))
        if meanwhile is not None:
            pool.prepare(meanwhile)
        _collect(worker, submission, report, found)
        if said := beside.changed():
            report.notes.append(said)
    finally:
        worker.close()
        shutil.rmtree(scratch, ignore_errors=True)


def _bystanders(submission: Submission) -> Bystanders:
    """The course's files and those beside the answer; none in a class, where all are read-only."""
    if submission.shared:
        return Bystanders((), None)
    trees = (submission.catalog.own_folder, submission.catalog.root / "solutions")
    return Bystanders(trees, submission.folder)


def _collect(worker: Worker, submission: Submission, report: Report, found: Found) -> None:
    limit, running, ended = submission.exercise.time_limit, "", False
    expected = {check.name for check in submission.to_run}
    try:
        for event in worker.events(time.monotonic() + limit):
            match event["event"]:
                case "running":
                    running = event["what"]
                case "verdict" if event["name"] in expected:
                    found[event["name"]] = (event["kind"], from_json(event["explanation"]))
                case "score":
                    report.score = event["values"]
                case "note":
                    report.notes.append(event["message"])
                case "broken cell":
                    report.notes.append(f"a cell went wrong: {event['message']}")
                case "exit":
                    report.problem = f"{_where(running)} {event['message']}: remove that call."
                    return
                case "done":
                    ended = expected == found.keys()
        if not ended:
            report.killed = worker.was_killed()
    except Late:
        report.problem = f"{_where(running)} was still running after {limit:g} s: an endless loop?"
        return
    if not ended:
        report.problem = f"{_where(running)}: the process {worker.how_it_ended()}."


def _where(running: str) -> str:
    return f"check {running}" if running.startswith("test_") else running or "the answer"


def _job(submission: Submission, scratch: str) -> dict[str, Any]:
    name = submission.answer.name
    return {
        "name": name,
        "cells": [{"place": cell.place, "source": cell.source} for cell in submission.cells],
        "checks": str(submission.path),
        "names": [check.name for check in submission.to_run],
        "seed": submission.seed,
        "limit": submission.exercise.time_limit,
        "scratch": scratch,
        "folder": str(submission.folder),
        "script": name.endswith(".py"),
        "shared": [str(folder) for folder in submission.shared],
        "own_folder": submission.own_folder,
    }


def _scratch() -> str:
    try:
        return tempfile.mkdtemp(prefix="halfbits-")
    except OSError as error:
        raise CourseError(f"No scratch folder can be made: {error}; free some disk.") from error
