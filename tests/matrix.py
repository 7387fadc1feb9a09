"""Runs the lessons on the processors that a reader may have: `python tests/matrix.py [lesson ...]`.

By hand: it takes one run of all lessons for each column. Continuous integration runs the lessons
that ask the processor what it has on two of them (`halfbits/course/authoring/selftest.py`).
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from processors import PROCESSORS, environment

from halfbits.course.authoring.selftest import NBVAL

ROOT = Path(__file__).resolve().parents[1]
THREADED = ("default", "avx2", "sse41")  # the others differ in what Python code chooses
COLUMNS = {
    f"{name}/{threads}": {
        **environment(name),
        "OMP_NUM_THREADS": threads,
        "OMP_WAIT_POLICY": "PASSIVE",
    }
    for name in PROCESSORS
    for threads in (("1", "2") if name in THREADED else ("2",))
}


def lessons(names: list[str]) -> list[Path]:
    """The named lessons, or all of them."""
    found = sorted(path for path in (ROOT / "notebooks").glob("*.ipynb"))
    if names:
        return [path for path in found if path.stem in names]
    return [path for path in found if not path.stem.startswith("faq_")]


def verdict(path: Path, settings: dict[str, str], folder: Path) -> str:
    """Seconds of a run that passes, or the names of the cells that fail."""
    began = time.monotonic()
    done = subprocess.run(
        [*NBVAL, str(path)],
        cwd=ROOT,
        env={**settings, "HALFBITS_DATA": str(folder), "PYTHONUTF8": "1"},
        capture_output=True,
        encoding="utf-8",
    )
    if done.returncode == 0:
        return f"{time.monotonic() - began:.0f} s"
    cells = re.findall(r"^FAILED \S+::(?:Cell )?(\S+)", done.stdout, flags=re.MULTILINE)
    return f"FAILED {','.join(cells) or done.returncode}"


def main(names: list[str]) -> int:
    """Print one row a lesson and one column a processor; 1 when anything failed."""
    failed = False
    width = max((len(path.stem) for path in lessons(names)), default=0)
    print(" " * width, *(f"{column:>10s}" for column in COLUMNS))
    with tempfile.TemporaryDirectory(prefix="halfbits-matrix-") as folder:
        for path in lessons(names):
            print(path.stem.ljust(width), end="", flush=True)
            for settings in COLUMNS.values():
                result = verdict(path, settings, Path(folder))
                failed |= result.startswith("FAILED")
                print(f" {result:>10s}", end="", flush=True)
            print()
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
