"""Times several commands for the same task, interleaved, and makes rows of a record of it."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil

from halfbits.perf.measure import cpu_report


def timed(command: list[str], folder: Path, env: Mapping[str, str] | None = None) -> float:
    """Seconds that a command takes in `folder`; it must succeed. `env` adds to the environment."""
    whole = {**os.environ, **(env or {})}
    began = time.perf_counter()
    ended = subprocess.run(
        command, cwd=folder, env=whole, capture_output=True, text=True, check=False
    )
    taken = time.perf_counter() - began
    if ended.returncode:
        raise SystemExit(f"{command} failed:\n{ended.stdout[-2000:]}{ended.stderr[-2000:]}")
    return taken


def rows(seconds: Mapping[str, list[float]]) -> list[dict[str, Any]]:
    """Each command's median, least and most, in seconds to the millisecond."""
    return [
        {
            "way": name,
            "median_s": round(statistics.median(taken), 3),
            "least_s": round(min(taken), 3),
            "most_s": round(max(taken), 3),
            "runs": len(taken),
        }
        for name, taken in seconds.items()
    ]


def machine() -> dict[str, Any]:
    """What the figures depend on: cores, system, kind of CPU, and the load at the end."""
    return {
        "cores": os.cpu_count(),
        "system": platform.system(),
        "cpu": cpu_report(),
        "load": round(psutil.getloadavg()[0], 1),
    }
