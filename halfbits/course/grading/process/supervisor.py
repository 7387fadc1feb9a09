"""The small process between a grader and a worker: it passes lines on, and cleans up.

A worker runs code that nobody has read. When its grader is done with it, or is gone, or the
worker ends, the supervisor ends every process that came of it and removes the job's scratch folder.
The grader is at the other end of standard input and output, or it comes later: with --wait the
supervisor registers its worker as an idle one (idle.py), which meanwhile imports the frameworks.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from halfbits.course.grading.process import descendants
from halfbits.course.grading.process.idle import Registration
from halfbits.course.grading.process.launch import WORKER, module_command, own_group

KEPT = 4096  # bytes of what a worker printed, for the sentence that says why it did not start
WATCH = 0.2  # seconds between two looks at the number of processes
MOST_PROCESSES = 64
LINE = 1 << 16


class Supervisor:
    """One worker process and the channel to its grader."""

    def __init__(self, arguments: list[str]) -> None:
        self.is_single_use = "--fork" not in arguments
        self._printed, self._reason, self._nonce = b"", "", ""
        self._scratch: Path | None = None
        self._ended = threading.Event()
        self._child = subprocess.Popen(
            module_command(WORKER, *arguments),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            **own_group(),
        )
        _background(self._drain)

    def is_alive(self) -> bool:
        """Whether the worker still runs."""
        return self._child.poll() is None

    def serve(self, source: IO[bytes], sink: IO[bytes]) -> None:
        """Pass jobs to the worker and its events to the grader until one of them is gone."""
        _background(self._pass_jobs, source)
        passing = _background(self._pass_events, sink)
        if descendants.AVAILABLE:  # not while it waits: looking costs a little, all the time
            _background(self._count_processes)
        status = self._child.wait()
        self.clean_up()
        passing.join(2)
        with contextlib.suppress(OSError, ValueError):
            sink.write(self._over(status))
            sink.flush()

    def clean_up(self) -> None:
        """End the worker, all that came of it, and what it wrote."""
        self._ended.set()
        descendants.end(self._child)
        if self._scratch is not None:
            shutil.rmtree(self._scratch, ignore_errors=True)

    def _pass_jobs(self, source: IO[bytes]) -> None:
        stdin = self._child.stdin
        assert stdin is not None
        with contextlib.suppress(OSError, ValueError):
            for line in iter(source.readline, b""):
                self._note(json.loads(line))
                stdin.write(line)
                stdin.flush()
                if self.is_single_use:
                    stdin.close()
                    break
            source.read()  # until the grader is gone
        descendants.end(self._child)

    def _note(self, job: dict[str, Any]) -> None:
        self._nonce = str(job["nonce"])
        folder = Path(job["scratch"])
        # Only what a grader can have made is ever removed.
        if folder.parent == Path(tempfile.gettempdir()) and folder.name.startswith("halfbits-"):
            self._scratch = folder

    def _pass_events(self, sink: IO[bytes]) -> None:
        with contextlib.suppress(OSError, ValueError):
            for line in self._events():
                sink.write(line)
                sink.flush()

    def _events(self) -> Iterator[bytes]:
        """What the worker says; a flood that lacks the job's nonce ends here."""
        stdout = self._child.stdout
        assert stdout is not None
        lines = iter(lambda: stdout.readline(LINE), b"")
        return (line for line in lines if self._nonce.encode() in line)

    def _over(self, status: int) -> bytes:
        said = {
            "event": "over",
            "nonce": self._nonce,
            "status": status,
            "reason": self._reason,
            "printed": self._printed.decode(errors="replace"),
        }
        return json.dumps(said).encode() + b"\n"

    def _drain(self) -> None:
        stderr: Any = self._child.stderr
        with contextlib.suppress(OSError, ValueError):
            while chunk := stderr.read1(LINE):
                self._printed = (self._printed + chunk)[-KEPT:]

    def _count_processes(self) -> None:
        while not self._ended.wait(WATCH):
            if len(descendants.of(os.getpid())) > MOST_PROCESSES:
                self._reason = f"started more than {MOST_PROCESSES} processes"
                descendants.end(self._child)


def _background(target: Any, *args: Any) -> threading.Thread:
    thread = threading.Thread(target=target, args=args, daemon=True)
    thread.start()
    return thread


def main(arguments: list[str]) -> None:
    """`supervisor [--wait FOLDER KEY SECONDS] -- ARGUMENTS OF THE WORKER`."""
    place = arguments.index("--")
    waiting, arguments = arguments[:place], arguments[place + 1 :]
    descendants.adopt_orphans()
    supervisor = Supervisor(arguments)
    try:
        if not waiting:
            supervisor.serve(sys.stdin.buffer, sys.stdout.buffer)
        elif channel := Registration(*waiting[1:]).wait(supervisor.is_alive):
            with channel:
                supervisor.serve(channel.makefile("rb"), channel.makefile("wb"))
    finally:
        supervisor.clean_up()
    os._exit(0)  # a thread may still wait for a line


if __name__ == "__main__":
    main(sys.argv[1:])
