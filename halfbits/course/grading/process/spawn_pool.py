"""The pool for a learner's own gradings: a new process for each, if possible started ahead."""

from __future__ import annotations

import atexit

from halfbits.course.grading.process.client import Worker


class SpawnPool:
    """At most one worker that this process has started ahead, and the idle ones (idle.py).

    While one exercise is graded, the next one's worker starts here. A `WorkerPool`.
    """

    forks = False

    def __init__(self) -> None:
        self._ahead: Worker | None = None
        self._used: Worker | None = None

    def prepare(self, preload: tuple[str, ...]) -> None:
        """Start a worker that imports these modules, unless one was started ahead already."""
        if self._ahead is None or self._ahead.preload != preload:
            self.close()
            self._ahead = Worker(preload, claim_idle=True)

    def take(self, preload: tuple[str, ...]) -> Worker:
        """The worker that was started ahead for these modules, else an idle one, else a new one."""
        worker, self._ahead = self._ahead, None
        if worker is not None and worker.preload != preload:
            worker.close()
            worker = None
        self._used = worker or Worker(preload, claim_idle=True)
        return self._used

    def leave_idle(self) -> None:
        """Start an idle worker like the one used last, for the next grading."""
        if self._used is not None:
            self._used.leave_idle()
        self._used = None

    def close(self) -> None:
        """End the worker that was started ahead, if there is one."""
        if self._ahead is not None:
            self._ahead.close()
        self._ahead = None


POOL = SpawnPool()
atexit.register(POOL.close)
