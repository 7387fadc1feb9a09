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

import psutil

AVAILABLE = sys.platform == "linux"
PR_SET_CHILD_SUBREAPER = 36
PATIENCE = 5.0


def adopt_orphans() -> None:
    """Make this process the parent of descendants whose parent ends; Linux only."""
    if AVAILABLE:
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def of(pid: int) -> list[int]:
    """The living descendants of `pid`, parents before their children."""
    return [process.pid for process in _below(pid)]


def _below(pid: int) -> list[psutil.Process]:
    try:
        found = psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []
    return [process for process in found if _is_living(process)]


def _is_living(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.status() not in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
    return False


def end(child: subprocess.Popen[bytes]) -> None:
    """End `child`, its group, its descendants, and all descendants of this process."""
    below = _below(child.pid)  # while the child is there to be asked
    if sys.platform != "win32":
        # The group may outlive its leader, so it is ended even after the leader's end.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
    with contextlib.suppress(OSError):
        child.kill()
    child.wait()
    _kill(below)
    end_all(os.getpid())


def end_all(pid: int) -> None:
    """End all descendants of `pid`; what still forks is stopped first, else it would win."""
    deadline = time.monotonic() + PATIENCE
    while (left := _below(pid)) and time.monotonic() < deadline:
        _kill(left)
        time.sleep(0.005)


def kill(pids: Iterable[int]) -> None:
    """Stop the processes of these ids, then kill them."""
    _kill([psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)])


def _kill(found: Iterable[psutil.Process]) -> None:
    # psutil leaves alone what has the id of a process that ended.
    for act in (psutil.Process.suspend, psutil.Process.kill):
        for process in found:
            with contextlib.suppress(psutil.Error):
                act(process)
