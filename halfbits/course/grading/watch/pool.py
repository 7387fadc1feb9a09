"""The workers of a watch session: one at work, one started ahead, and an end to both."""

from __future__ import annotations

import threading

from halfbits.course.grading.process.client import Worker
from halfbits.course.grading.process.spawn_pool import SpawnPool


class WatchPool(SpawnPool):
    """A pool of the watch session's own, with a way to end the worker that grades."""

    def __init__(self) -> None:
        super().__init__()
        self._given_up = threading.Event()
        self._lock = threading.Lock()
        self._has_ended = False

    def begin(self) -> None:
        """From now on `give_up` means the next grading."""
        with self._lock:
            if not self._has_ended:
                self._given_up.clear()

    def prepare(self, preload: tuple[str, ...]) -> None:
        """As `SpawnPool.prepare`, but not after the end: nobody would take that worker."""
        with self._lock:
            if not self._has_ended:
                super().prepare(preload)

    def end(self) -> None:
        """End the worker that waits and the grading that runs, and start no other."""
        with self._lock:
            self._has_ended = True
            self.give_up()
            self.close()

    def give_up(self) -> None:
        """End the grading that runs: a later save has made its verdict worthless."""
        self._given_up.set()
        if self._used is not None:
            self._used.close()

    @property
    def gave_up(self) -> bool:
        """Whether the grading since `begin` was given up."""
        return self._given_up.is_set()

    def take(self, preload: tuple[str, ...]) -> Worker:
        """As `SpawnPool.take`; a worker that died while it waited is passed over."""
        if self._ahead is not None and not self._ahead.is_alive:
            self.close()
        worker = super().take(preload)
        if self._given_up.is_set():
            worker.close()
        return worker
