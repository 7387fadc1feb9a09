"""What tests of processes ask: does it come true soon, does that process still run."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path


def soon(holds: Callable[[], object], limit: float = 10.0) -> bool:
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
