"""Preloaded processes that fork a child per job, for many answers in a row; Linux only.

A fork takes milliseconds where an import takes seconds, so the contract tests (and a class of
students) use this; a learner's own run uses single-use workers (spawn_pool.py), which work
everywhere.
Forking is safe because the server runs no operation itself and OMP_NUM_THREADS=1 keeps it at one
thread: a fork after the frameworks' thread pools have started would hang in the child.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from halfbits.course.grading.process import descendants
from halfbits.course.grading.process.client import END_LIMIT, Late, Worker

AVAILABLE = sys.platform == "linux"
GRACE = 0.5


class ForkingWorker(Worker):
    """A server process; each job runs in a child of its own, one at a time."""

    def __init__(
        self,
        preload: tuple[str, ...],
        environment: Mapping[str, str] | None = None,
        claim_idle: bool = False,
    ) -> None:
        one_thread = {"OMP_NUM_THREADS": "1"}
        super().__init__(preload, ["--fork"], {**one_thread, **(environment or {})}, claim_idle)
        self._is_ready = self._is_shut = False

    def ready(self) -> str:
        reason = "" if self._is_ready else super().ready()
        self._is_ready = not reason
        return reason

    def close(self) -> None:
        """Wait for the end of the job's child; the server stays for the next job."""
        with contextlib.suppress(Late):
            while not self._over:
                event = self._next(time.monotonic() + END_LIMIT)
                if event is None:
                    break
                if event["event"] == "over":
                    self._over = event
        if not self._over or "printed" in self._over:  # it is the server that ended
            self.shut_down()

    def shut_down(self) -> None:
        """End the server."""
        self._is_ready, self._is_shut = False, True
        super().close()

    @property
    def is_alive(self) -> bool:
        return not self._is_shut and super().is_alive


class ForkPool:
    """One forking server for each set of preloaded modules. A `WorkerPool`.

    `environment` is added to the servers' own, for instance {"TZ": "Pacific/Chatham"}. With
    `claim_idle`, servers may be idle ones that an earlier class run left.
    """

    forks = True

    def __init__(
        self, environment: Mapping[str, str] | None = None, claim_idle: bool = False
    ) -> None:
        self._environment, self._claim_idle = dict(environment or {}), claim_idle
        self._servers: dict[tuple[str, ...], ForkingWorker] = {}

    def prepare(self, preload: tuple[str, ...]) -> None:
        """Start the server of these modules, unless it runs already."""
        server = self._servers.get(preload)
        if server is None or not server.is_alive:
            self._servers[preload] = ForkingWorker(preload, self._environment, self._claim_idle)

    def take(self, preload: tuple[str, ...]) -> Worker:
        """The server of these modules."""
        self.prepare(preload)
        return self._servers[preload]

    def leave_idle(self) -> None:
        """Start idle servers like these, for the next class run."""
        for server in self._servers.values():
            server.leave_idle()

    def close(self) -> None:
        """End all servers."""
        for server in self._servers.values():
            server.shut_down()
        self._servers.clear()


def serve(say: Callable[..., None], grade: Callable[[dict[str, Any]], None]) -> None:
    """The server's loop: read a job, fork a child that grades it, report how the child ended."""
    descendants.adopt_orphans()
    for line in iter(sys.stdin.readline, ""):
        job = json.loads(line)
        pid = os.fork()
        if pid == 0:
            try:
                os.setpgid(0, 0)
                grade(job)
                sys.stdout.flush()
            finally:
                os._exit(0)
        say(event="over", nonce=job["nonce"], status=_wait(pid, job["limit"] + GRACE))


def _wait(pid: int, limit: float) -> int:
    deadline = time.monotonic() + limit
    while True:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            break
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.002)
    with contextlib.suppress(ChildProcessError):  # as a rule, it left no child
        os.waitpid(-1, os.WNOHANG)
        descendants.end_all(os.getpid())
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    return os.waitstatus_to_exitcode(status)
