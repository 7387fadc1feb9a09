"""Where a single-use worker comes from: one that already preloads, or a new one."""

from __future__ import annotations

import atexit

from halfbits.course.grading.process.client import Worker


class Spare:
    """At most one worker of this process's own, and those in the waiting room (idle.py).

    While one exercise is graded, the next one's worker starts here.
    """

    def __init__(self) -> None:
        self._worker: Worker | None = None
        self._used: Worker | None = None

    def prepare(self, preload: tuple[str, ...]) -> None:
        """Start a worker that preloads these modules, unless one is waiting already."""
        if self._worker is None or self._worker.preload != preload:
            self.close()
            self._worker = Worker(preload, waiting=True)

    def take(self, preload: tuple[str, ...]) -> Worker:
        """The worker that waits for these modules, here or in the room, else a new one."""
        worker, self._worker = self._worker, None
        if worker is not None and worker.preload != preload:
            worker.close()
            worker = None
        self._used = worker or Worker(preload, waiting=True)
        return self._used

    def leave_another(self) -> None:
        """Let a worker like the one used last wait in the room for the next grading."""
        if self._used is not None:
            self._used.leave_another()
        self._used = None

    def close(self) -> None:
        """End the waiting worker of this process, if there is one."""
        if self._worker is not None:
            self._worker.close()
        self._worker = None


SPARE = Spare()
atexit.register(SPARE.close)
