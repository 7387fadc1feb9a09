"""A worker process seen from its parent: start it, send it a job, read its events, end it."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

START_LIMIT = 180.0
KEPT = 4096
ENVIRONMENT = {
    "CUDA_VISIBLE_DEVICES": "-1",
    "HALFBITS_GRADING": "1",
    "MPLBACKEND": "Agg",
    "PYTHONBREAKPOINT": "0",
    "PYTHONIOENCODING": "utf-8:backslashreplace",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}
# They would change what a check means (-O drops asserts) or leave files behind.
DROPPED = ("PYTHONOPTIMIZE", "PYTHONWARNINGS", "PYTHONINSPECT", "PYTHONSTARTUP", "PYTHONSAFEPATH")


class Late(Exception):  # noqa: N818
    """The deadline passed before the worker said anything more."""


class Worker:
    """One single-use child process that preloads and waits for its one job."""

    def __init__(
        self,
        preload: tuple[str, ...],
        options: Iterable[str] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.preload = preload
        self.captured = b""
        self._nonce = ""
        self._lines: queue.Queue[bytes | None] = queue.Queue()
        module = ["-m", "halfbits.grading.worker", *options, *preload]
        self._child = subprocess.Popen(
            [sys.executable, "-P", "-X", "utf8", *module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_environment() | dict(environment or {}),
            **_own_group(),
        )
        for read, pipe in ((self._read, self._child.stdout), (self._drain, self._child.stderr)):
            threading.Thread(target=read, args=(pipe,), daemon=True).start()

    def ready(self) -> str:
        """Wait until it has preloaded; "" or a sentence that says why it has not."""
        try:
            event = self._next(time.monotonic() + START_LIMIT)
        except Late:
            return f"the grader did not start within {START_LIMIT:g} s: close other programs"
        if event is None:
            tail = self.captured.decode(errors="replace").strip().splitlines()[-1:]
            return f"the grader's process did not start: {' '.join(tail) or 'no reason given'}"
        return "" if event["event"] == "ready" else f"the grader cannot import: {event['message']}"

    def submit(self, job: dict[str, Any]) -> None:
        """Send the one job; a dead worker is noticed by `events`."""
        self._nonce = secrets.token_hex(8)
        self._send(json.dumps({**job, "nonce": self._nonce}) + "\n")
        with contextlib.suppress(OSError):
            self._stdin.close()

    def events(self, deadline: float) -> Iterator[dict[str, Any]]:
        """The job's events until its process closes the channel; raises Late at `deadline`."""
        while (event := self._next(deadline)) is not None:
            yield event
            if event["event"] in ("done", "exit"):
                return

    def how_it_ended(self) -> str:
        """ "ended early (exit status 0)" or "was ended by signal 11 (SIGSEGV)"."""
        try:
            code = self._child.wait(timeout=5)
        except subprocess.TimeoutExpired:
            return "closed the grader's channel"
        return ending(code)

    def close(self) -> None:
        """End the process and everything it started."""
        if os.name == "nt":
            kill = ["taskkill", "/T", "/F", "/PID", str(self._child.pid)]
            subprocess.run(kill, capture_output=True, check=False)
        else:
            # The group may outlive its leader, so it is killed even after the leader's end.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._child.pid, signal.SIGKILL)
        with contextlib.suppress(OSError):
            self._child.kill()
        self._child.wait()
        with contextlib.suppress(OSError):
            self._stdin.close()

    @property
    def _stdin(self) -> IO[bytes]:
        assert self._child.stdin is not None
        return self._child.stdin

    def _send(self, line: str) -> None:
        with contextlib.suppress(OSError):
            self._stdin.write(line.encode())
            self._stdin.flush()

    def _next(self, deadline: float) -> dict[str, Any] | None:
        while True:
            try:
                line = self._lines.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise Late from None
            if line is None:
                return None
            with contextlib.suppress(ValueError, AttributeError):
                event = json.loads(line)
                if event.get("nonce") == self._nonce:
                    return event

    def _read(self, pipe: IO[bytes]) -> None:
        with contextlib.suppress(OSError, ValueError), pipe:
            # An answer can find the channel and flood it; what lacks the job's nonce is dropped
            # here, so that the queue stays short and the deadline is noticed.
            for line in iter(lambda: pipe.readline(1 << 16), b""):
                if self._nonce.encode() in line:
                    self._lines.put(line)
        self._lines.put(None)

    def _drain(self, pipe: IO[bytes]) -> None:
        with contextlib.suppress(OSError, ValueError), pipe:
            while chunk := pipe.read1(1 << 16):  # type: ignore[attr-defined]
                self.captured = (self.captured + chunk)[-KEPT:]


def ending(code: int) -> str:
    """ "was ended by signal 11 (SIGSEGV)" and the like, from a process's return code."""
    if code < 0:
        return f"was ended by signal {-code} ({_signal_name(-code)})"
    if code > 0x7FFFFFFF:
        return f"crashed (Windows status {code:#x})"
    return f"ended early (exit status {code})"


def _environment() -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if key not in DROPPED}
    package = str(Path(__file__).resolve().parents[2])
    paths = [package, *filter(None, [kept.get("PYTHONPATH")])]
    return kept | ENVIRONMENT | {"PYTHONPATH": os.pathsep.join(paths)}


def _own_group() -> dict[str, Any]:
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}


def _signal_name(number: int) -> str:
    with contextlib.suppress(ValueError):
        return signal.Signals(number).name
    return "unknown"
