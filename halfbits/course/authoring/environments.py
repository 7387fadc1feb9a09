"""Environments that differ in what must not change a verdict: cores, locale, time zone, flags."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace

from halfbits.course.authoring.contract import Trial
from halfbits.course.authoring.contract_checks import rejections, wrong_is_rejected
from halfbits.course.grading.process.pool import WorkerPool, pool_for_many

# What a learner's machine may have set. Several at once, since each set costs an import of the
# frameworks; where a set changes a verdict, its settings are tried one by one.
ENVIRONMENTS: dict[str, dict[str, str]] = {
    "an old CPU with one thread": {
        "ATEN_CPU_CAPABILITY": "default",
        "LC_ALL": "tr_TR.UTF-8",
        "OMP_NUM_THREADS": "1",
        "PYTHONHASHSEED": "0",
        "PYTHONOPTIMIZE": "1",
        "TZ": "Pacific/Chatham",
    },
    "two threads where warnings are errors": {
        "ATEN_CPU_CAPABILITY": "avx2",
        "LC_ALL": "POSIX",
        "OMP_NUM_THREADS": "2",
        "PYTHONHASHSEED": "4294967295",
        "PYTHONWARNINGS": "error",
        "TF_ENABLE_ONEDNN_OPTS": "0",
        "TZ": "America/St_Johns",
    },
}


def verdicts_hold_elsewhere(trial: Trial, workers: Mapping[str, WorkerPool]) -> Iterator[str]:
    """In each of ENVIRONMENTS the solution passes and wrong answers fail, too.

    `workers` holds a pool for each environment.
    """
    for name, settings in ENVIRONMENTS.items():
        with environment(settings):
            faults = list(_faults(replace(trial, workers=workers[name])))
        if faults:
            blamed = next(_blamed(trial, settings), f"on {name}")
            yield f"{blamed}, {faults[0]}"


def pool_of(settings: Mapping[str, str]) -> WorkerPool:
    """A pool for an environment; forking servers take the number of threads only when told."""
    told = {key: value for key, value in settings.items() if key == "OMP_NUM_THREADS"}
    return pool_for_many(told)


@contextlib.contextmanager
def environment(changes: Mapping[str, str]) -> Iterator[None]:
    """The environment that processes started in the block inherit, as a learner's shell has it."""
    before = dict(os.environ)
    os.environ.update(changes)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _faults(trial: Trial) -> Iterator[str]:
    yield from rejections(trial.grade(trial.solution, trial.quick), "rejects the solution")
    # An exercise that scores writes and reads whole models: its solution stands for the rest.
    for wrong in trial.wrong_sample if trial.workers.forks and not trial.scores else ():
        yield from wrong_is_rejected(trial, wrong)


def _blamed(trial: Trial, settings: Mapping[str, str]) -> Iterator[str]:
    for key, value in settings.items():
        one = {key: value}
        fresh = pool_of(one)
        with environment(one), contextlib.closing(fresh):
            if list(_faults(replace(trial, workers=fresh))):
                yield f"with {key}={value}"
