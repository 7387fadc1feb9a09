"""The one worker that preloads ahead of its job, so that the next verdict need not wait."""

from __future__ import annotations

import atexit

from halfbits.grading.process import Worker


class Spare:
    """At most one waiting worker.

    While one exercise is graded, the next one's worker starts here. A spare that waits between
    runs of `grade()` or of a watcher has its place here too: `prepare` again after each `take`.
    """

    def __init__(self) -> None:
        self._worker: Worker | None = None

    def prepare(self, preload: tuple[str, ...]) -> None:
        """Start a worker that preloads these modules, unless one is waiting already."""
        if self._worker is None or self._worker.preload != preload:
            self.close()
            self._worker = Worker(preload)

    def take(self, preload: tuple[str, ...]) -> Worker:
        """The waiting worker if it preloads these modules, else a new one."""
        worker, self._worker = self._worker, None
        if worker is not None and worker.preload == preload:
            return worker
        if worker is not None:
            worker.close()
        return Worker(preload)

    def close(self) -> None:
        """End the waiting worker, if there is one."""
        if self._worker is not None:
            self._worker.close()
        self._worker = None


SPARE = Spare()
atexit.register(SPARE.close)
