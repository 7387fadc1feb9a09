"""Every process that came of one process: found and ended; complete on Linux.

Elsewhere a process group (macOS) or a process tree (Windows) is ended, which a child can leave.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

AVAILABLE = sys.platform == "linux"
PR_SET_CHILD_SUBREAPER = 36
PATIENCE = 5.0


def adopt_orphans() -> None:
    """Make this process the parent of descendants whose parent ends; Linux only."""
    if AVAILABLE:
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def of(pid: int) -> list[int]:
    """The living descendants of `pid`, nearest first; empty where there is no /proc."""
    children: dict[int, list[int]] = {}
    for entry in _processes():
        # The name, in parentheses, may hold anything.
        state, parent = entry.rpartition(b")")[2].split()[:2]
        if state not in (b"Z", b"X"):
            children.setdefault(int(parent), []).append(int(entry.split(b" ", 1)[0]))
    found, ahead = [], [pid]
    while ahead:
        more = children.get(ahead.pop(0), [])
        found += more
        ahead += more
    return found


def end(child: subprocess.Popen[bytes]) -> None:
    """End `child`, its group and, where orphans are adopted, all descendants of this process."""
    if sys.platform == "win32":
        kill = ["taskkill", "/T", "/F", "/PID", str(child.pid)]
        subprocess.run(kill, capture_output=True, check=False)
    else:
        # The group may outlive its leader, so it is ended even after the leader's end.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
    with contextlib.suppress(OSError):
        child.kill()
    child.wait()
    end_all(os.getpid())


def end_all(pid: int) -> None:
    """End all descendants of `pid`; what still forks is stopped first, else it would win."""
    deadline = time.monotonic() + PATIENCE
    while (left := of(pid)) and time.monotonic() < deadline:
        kill(left)
        time.sleep(0.005)


def kill(pids: Iterable[int]) -> None:
    """Stop them all, then kill them all."""
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for pid in pids:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, number)


def _processes() -> list[bytes]:
    if not AVAILABLE:
        return []
    texts = []
    for entry in os.scandir("/proc"):
        if entry.name.isdecimal():
            with contextlib.suppress(OSError):
                texts.append(Path(entry.path, "stat").read_bytes())
    return texts
