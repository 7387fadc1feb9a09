"""Where the worker of a grading comes from: what a pool of workers does for whoever grades."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from halfbits.course.grading.process.client import Worker
from halfbits.course.grading.process.fork_pool import AVAILABLE, ForkPool
from halfbits.course.grading.process.spawn_pool import SpawnPool


class WorkerPool(Protocol):
    """Gives a grading its worker process, with the modules of `preload` already imported.

    `SpawnPool` starts a process for each grading and works everywhere. `ForkPool` keeps a server
    for each set of modules, which forks a child for each of many answers.
    """

    @property
    def forks(self) -> bool:
        """Whether its servers grade many answers, so that they import all that any may need."""

    def prepare(self, preload: tuple[str, ...]) -> None:
        """Start a worker or server that imports these modules, unless there is one."""

    def take(self, preload: tuple[str, ...]) -> Worker:
        """The worker of the next grading."""

    def leave_idle(self) -> None:
        """Start idle workers like those used, which wait for the next grading (idle.py)."""

    def close(self) -> None:
        """End the workers of this pool that grade nothing; idle ones that were left go on."""


def pool_for_many(environment: Mapping[str, str] | None = None) -> WorkerPool:
    """A new pool for many answers in a row: it forks where the system can.

    Forking servers have `environment` added to their own; single-use workers inherit this
    process's.
    """
    return ForkPool(environment) if AVAILABLE else SpawnPool()
