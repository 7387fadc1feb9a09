"""What tests of processes ask: does it come true soon, does that process still run."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from halfbits.course.grading.process import descendants

# One of each serves the whole interpreter until its end.
PYTHONS_OWN = (b"multiprocessing.resource_tracker", b"multiprocessing.forkserver")
LIMIT = 120.0  # seconds for what takes one or two on an idle machine; only failures wait so long


def soon(holds: Callable[[], object], limit: float = LIMIT) -> bool:
    """Whether `holds()` comes true within `limit` seconds."""
    give_up = time.monotonic() + limit
    while not holds() and time.monotonic() < give_up:
        time.sleep(0.02)
    return bool(holds())


def is_running(pid: int) -> bool:
    """Whether the process is there, and not only waits to be reaped."""
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except ProcessLookupError:
        return False
    except FileNotFoundError:  # it ended just now, or this system has no /proc
        return not Path("/proc/self/stat").exists()
    return state not in "ZX"


def left_since(before: set[int]) -> set[int]:
    """The descendants of this process that were not there `before`."""
    started = set(descendants.of(os.getpid())) - before
    return {pid for pid in started if not any(own in command_of(pid) for own in PYTHONS_OWN)}


def command_of(pid: int) -> bytes:
    """The words of a process's command; empty when it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ")
    except OSError:
        return b""
