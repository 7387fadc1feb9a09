"""On how many seeds a wrong answer is accepted, and a right one rejected: on none, it should.

`python -m halfbits.course.authoring.seeds [NAME ...] [--seeds 60]` prints those that are not. An
answer is judged in one process on all seeds, which takes a twentieth of as many gradings.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import importlib.util
import multiprocessing
import os
import signal
import sys
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from halfbits.course.authoring.contract import Trial
from halfbits.course.catalog import Catalog, Exercise, load_catalog
from halfbits.course.checks import check_named
from halfbits.course.grading.judge.job import load_checks
from halfbits.course.grading.judge.shell import Shell
from halfbits.course.grading.judge.state import State
from halfbits.course.grading.judge.verdict import judge
from halfbits.course.notebook import Cell
from halfbits.folders import find_root

SEEDS = 60
STRIDE = 7919  # between seeds: not a multiple of anything that checks take a seed modulo
AT_MOST = 600  # seconds for one answer on all seeds


class Tally(NamedTuple):
    """An answer, the check that looks at it ("" for all), and the seeds with a false verdict."""

    exercise: str
    answer: str
    check: str
    false: tuple[int, ...]


class Case(NamedTuple):
    """An answer's cells, the checks to judge it by, and whether they have to accept it."""

    exercise: Exercise
    answer: str
    cells: list[Cell]
    names: tuple[str, ...]
    right: bool


def tallies(catalog: Catalog, exercises: Iterable[Exercise], seeds: int) -> Iterator[Tally]:
    """A tally of each right answer, and of each wrong one that a check has to reject."""
    exercises = list(exercises)
    os.environ["OMP_NUM_THREADS"] = "1"  # a thread that exists before a fork is gone after it
    for name in dict.fromkeys(name for one in exercises for name in one.preload):
        importlib.import_module(name)
    cases = [case for exercise in exercises for case in cases_of(Trial(catalog, exercise))]
    context = multiprocessing.get_context("fork")
    with context.Pool(os.cpu_count(), maxtasksperchild=1) as pool:
        yield from pool.imap(partial(tally, catalog, seeds), cases)


def cases_of(trial: Trial) -> Iterator[Case]:
    """Right answers by the checks of their tasks, wrong ones by that which has to reject them."""
    yield Case(trial.exercise, "the solution", trial.solution, tuple(trial.quick), True)
    for right in trial.answers.right:
        tasks = trial.tasks_of(right)
        own = {check.name for check in trial.checks if check.task in tasks}
        names = tuple(name for name in trial.quick if name in own)
        yield Case(trial.exercise, right.name, trial.with_answer(right), names, True)
    for wrong in trial.answers.wrong:
        if wrong.rejected_by:
            cells = trial.with_answer(wrong)
            yield Case(trial.exercise, wrong.name, cells, (wrong.rejected_by,), False)


def tally(catalog: Catalog, seeds: int, case: Case) -> Tally:
    """Judge one answer on all seeds in this process, whose globals it may change."""
    signal.alarm(AT_MOST)
    ours = sys.modules["__main__"]  # which the answer takes for its own
    try:
        with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
            false = list(false_verdicts(catalog, seeds, case))
    finally:
        sys.modules["__main__"] = ours
    check = "" if case.right else case.names[0]
    return Tally(case.exercise.key, case.answer, check, tuple(false))


def false_verdicts(catalog: Catalog, seeds: int, case: Case) -> Iterator[int]:
    """The seeds on which a right answer fails a check, or a wrong one passes."""
    path = catalog.checks(case.exercise)
    checks = load_checks(path)
    functions = [check_named(checks, name) for name in case.names]
    state, shell = State(), Shell(f"{case.exercise.slug}.ipynb")
    for cell in case.cells:
        shell.run(cell, AT_MOST)
    state.restore()
    for seed in range(1, seeds * STRIDE, STRIDE):
        verdicts = []
        for function in functions:
            state.seed(seed)
            kind, _ = judge(function, shell, seed, path)
            verdicts.append(kind == "passed" and not state.changes())
            state.restore()
        if all(verdicts) != case.right:
            yield seed


def main(arguments: list[str] | None = None) -> int:
    """Print each exercise's answers with a false verdict on some seed; 1 if there are any."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="exercises; all if none is named")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    given = parser.parse_args(arguments)
    catalog = load_catalog(find_root())
    chosen = [catalog.find(name) for name in given.names] or list(catalog.exercises)
    bad = 0
    for key, several in groupby(tallies(catalog, chosen, given.seeds), lambda one: one.exercise):
        found = list(several)
        false = [one for one in found if one.false]
        for one in false:
            share = f"{len(one.false)} of {given.seeds} seeds"
            print(f"{key}: {one.answer!r} by {one.check or 'all checks'}: {share}")
        print(f"{key}: {len(found)} answers, {len(false)} with a false verdict", flush=True)
        bad += len(false)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
