"""A worker seen from its grader: find or start one, send it a job, read its events, end it."""

from __future__ import annotations

import contextlib
import json
import queue
import secrets
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import IO, Any

from halfbits.course.grading.process import idle
from halfbits.course.grading.process.launch import (
    SUPERVISOR,
    module_command,
    own_group,
    worker_environment,
)

START_LIMIT = 180.0
END_LIMIT = 10.0
KILLED = (-9, -15)  # SIGKILL and SIGTERM, as return codes


class Late(Exception):  # noqa: N818
    """The deadline passed before the worker said anything more."""


class Worker:
    """A single-use process that preloads and waits for its one job, behind its supervisor.

    With `claim_idle` the process may be an idle one that an earlier grading left (idle.py).
    """

    def __init__(
        self,
        preload: tuple[str, ...],
        options: Iterable[str] = (),
        environment: Mapping[str, str] | None = None,
        claim_idle: bool = False,
    ) -> None:
        self.preload = preload
        self._arguments = (*options, *preload)
        self._environment = worker_environment() | dict(environment or {})
        self._nonce, self._over = "", dict[str, Any]()
        self._lines: queue.Queue[bytes | None] = queue.Queue()
        self._channel = idle.claim(self._key) if claim_idle else None
        self._supervisor = None if self._channel else self._start()
        self._source, self._sink = self._ends()
        self._reader = threading.Thread(target=self._read, args=(self._source,), daemon=True)
        self._reader.start()

    def ready(self) -> str:
        """Wait until it has preloaded; "" or a sentence that says why it has not."""
        try:
            event = self._next(time.monotonic() + START_LIMIT)
        except Late:
            return f"the grader did not start within {START_LIMIT:g} s: close other programs"
        if event is None or event["event"] == "over":
            tail = str((event or {}).get("printed", "")).strip().splitlines()[-1:]
            return f"the grader's process did not start: {' '.join(tail) or 'no reason given'}"
        return "" if event["event"] == "ready" else f"the grader cannot import: {event['message']}"

    def submit(self, job: dict[str, Any]) -> None:
        """Send a job; a dead worker is noticed by `events`."""
        self._nonce, self._over = secrets.token_hex(8), {}
        with contextlib.suppress(OSError, ValueError):
            self._sink.write(json.dumps({**job, "nonce": self._nonce}).encode() + b"\n")
            self._sink.flush()

    def events(self, deadline: float) -> Iterator[dict[str, Any]]:
        """The job's events until its process ends; raises Late at `deadline`."""
        while (event := self._next(deadline)) is not None:
            if event["event"] == "over":
                self._over = event
                return
            yield event
            if event["event"] in ("done", "exit"):
                return

    def how_it_ended(self) -> str:
        """ "ended early (exit status 0)" or "was ended by signal 11 (SIGSEGV)"."""
        if self._over.get("reason"):
            return str(self._over["reason"])
        return ending(self._over["status"]) if self._over else "closed the grader's channel"

    def was_killed(self) -> bool:
        """Whether somebody may have ended it from outside: by hand, or the system for memory."""
        return not self._over.get("reason") and self._over.get("status") in (None, *KILLED)

    def leave_idle(self) -> None:
        """Start an idle worker like this one, for the next grading."""
        idle.start(self._key, self._arguments, self._environment)

    def close(self) -> None:
        """Have the process ended, everything it started, and what it wrote; does not wait."""
        with contextlib.suppress(OSError, ValueError):
            if self._channel is not None:
                self._channel.shutdown(socket.SHUT_WR)
            else:
                self._sink.close()
        # The supervisor goes on by itself, even when this process ends.
        threading.Thread(target=self.wait, daemon=True).start()

    def wait(self) -> None:
        """After `close`, until the supervisor has cleaned up, for at most END_LIMIT seconds."""
        deadline = time.monotonic() + END_LIMIT
        self._reader.join(END_LIMIT)
        if self._supervisor is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._supervisor.wait(timeout=max(0.1, deadline - time.monotonic()))
            self._supervisor.kill()
            self._supervisor.wait()
        if self._channel is not None:
            self._channel.close()

    @property
    def is_alive(self) -> bool:
        """Whether its supervisor still runs, as far as this process can tell."""
        return self._supervisor is None or self._supervisor.poll() is None

    @cached_property
    def _key(self) -> str:
        return idle.key_of(self._arguments, self._environment)

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            module_command(SUPERVISOR, "--", *self._arguments),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=self._environment,
            **own_group(),
        )

    def _ends(self) -> tuple[IO[bytes], IO[bytes]]:
        if self._channel is not None:
            return self._channel.makefile("rb"), self._channel.makefile("wb")
        assert self._supervisor is not None and self._supervisor.stdout and self._supervisor.stdin
        return self._supervisor.stdout, self._supervisor.stdin

    def _next(self, deadline: float) -> dict[str, Any] | None:
        while True:
            try:
                line = self._lines.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise Late from None
            if line is None:
                self._lines.put(None)
                return None
            with contextlib.suppress(ValueError, AttributeError):
                event = json.loads(line)
                if event.get("nonce") in (self._nonce, ""):
                    return event

    def _read(self, pipe: IO[bytes]) -> None:
        with contextlib.suppress(OSError, ValueError), pipe:
            for line in iter(lambda: pipe.readline(1 << 16), b""):
                self._lines.put(line)
        self._lines.put(None)


def ending(code: int) -> str:
    """ "was ended by signal 11 (SIGSEGV)" and the like, from a process's return code."""
    if code < 0:
        return f"was ended by signal {-code} ({_signal_name(-code)})"
    if code > 0x7FFFFFFF:
        return f"crashed (Windows status {code:#x})"
    return f"ended early (exit status {code})"


def _signal_name(number: int) -> str:
    with contextlib.suppress(ValueError):
        return signal.Signals(number).name
    return "unknown"
