"""Takes a process, and all that it starts later, off the network; Linux only."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from pathlib import Path

CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000


def leave_network() -> bool:
    """Move this process into a network namespace without interfaces; False where that fails.

    It must run before any thread starts: a process of several threads may not leave its user
    namespace, which is what a user without privileges has to do first.
    """
    if sys.platform != "linux":
        return False
    uid, gid = os.getuid(), os.getgid()
    unshare = ctypes.CDLL(None, use_errno=True).unshare
    if unshare(CLONE_NEWNET) == 0:
        return True
    if unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0:
        return False
    # Without the maps the process would lose the right to its own files.
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{uid} {uid} 1"),
        ("gid_map", f"{gid} {gid} 1"),
    ):
        Path("/proc/self", name).write_text(text, encoding="ascii")
    return True


def can_leave_network() -> bool:
    """Whether `leave_network` works here, tried in a process of its own."""
    command = [sys.executable, "-m", "halfbits.grading.offline"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(0 if leave_network() else 1)
