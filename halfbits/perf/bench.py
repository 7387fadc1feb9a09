"""`python course.py bench`: starts the benchmarks of the checkout on this machine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from halfbits.errors import CourseError
from halfbits.folders import find_root


def run(output: Path | None, cpu: bool, minutes: float = 10) -> int:
    """Run benchmarks.bench of the checkout and return its status; it says where the record is.

    A GPU without plans is tuned first, for so many minutes at most. The status is the process's.
    Raises CourseError where the script is missing.
    """
    root = find_root()
    script = root / "benchmarks" / "bench.py"
    if not script.is_file():
        raise CourseError(f"{script} is missing; restore it with git.")
    command = [sys.executable, "-m", "benchmarks.bench", *(["--cpu"] if cpu else [])]
    if output is not None:
        command += ["--output", str(output.absolute())]
    command += ["--minutes", f"{minutes:g}"]
    # Threads that spin while they wait make a busy machine several times slower. One order of sets
    # in all processes lets them share compiled kernels.
    fixed = {"OMP_WAIT_POLICY": "PASSIVE", "PYTHONUTF8": "1", "PYTHONHASHSEED": "0"}
    environment = {**fixed, **os.environ}
    return subprocess.run(command, cwd=root, env=environment, check=False).returncode
