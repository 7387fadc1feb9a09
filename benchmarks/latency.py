"""Makes book/data/gpu_latency.json: cycles that a warp waits, and bandwidth by loads in flight.

`latency.cu` does the measuring; it needs nvcc, and a card of 132 multiprocessors with 228 KB of
shared memory each, such as an H100 or an H200. Run it as `python -m benchmarks.latency`.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from statistics import quantiles
from typing import Any

from benchmarks.bench import lines
from halfbits.perf.records import folder

SOURCE = Path(__file__).with_suffix(".cu")
RUNS = 9
ASKED = ("name", "compute_cap", "driver_version", "power.limit")


def measured(runs: int = RUNS) -> list[str]:
    """The lines of that many runs: cycles,what,number or bandwidth,threads,bytes,number."""
    with tempfile.TemporaryDirectory() as place:
        program = f"{place}/latency"
        subprocess.run(["nvcc", "-O3", "-arch=native", "-o", program, SOURCE], check=True)
        done = [subprocess.run([program], capture_output=True, text=True) for _ in range(runs)]
    return [line for run in done for line in run.stdout.splitlines()]


def spread(values: list[float]) -> dict[str, float]:
    low, median, high = quantiles(values, n=4, method="inclusive")
    return {"low": low, "median": median, "high": high}


def gathered(printed: Iterable[str]) -> Iterator[tuple[list[str], dict[str, float]]]:
    """What was measured, and the quartiles of its runs."""
    rows = sorted(line.split(",") for line in printed)
    for what, some in groupby(rows, key=lambda row: row[:-1]):
        yield what, spread([float(row[-1]) for row in some])


def record(printed: Iterable[str], hardware: dict[str, Any]) -> dict[str, Any]:
    """Cycles of one instruction after another, and bytes a second by threads and width."""
    made = list(gathered(printed))
    return {
        "hardware": hardware,
        "date": datetime.now(UTC).date().isoformat(),
        "command": "python -m benchmarks.latency",
        "runs": RUNS,
        "cycles": [{"of": what[1], "cycles": found} for what, found in made if what[0] == "cycles"],
        "bandwidth": [
            {"threads": int(what[1]), "bytes": int(what[2]), "bandwidth": found}
            for what, found in made
            if what[0] == "bandwidth"
        ],
    }


def hardware() -> dict[str, Any]:
    command = ["nvidia-smi", f"--query-gpu={','.join(ASKED)}", "--format=csv,noheader"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    names = ("device", "compute_capability", "driver", "power_limit")
    return dict(zip(names, (part.strip() for part in told.splitlines()[0].split(",")), strict=True))


if __name__ == "__main__":
    text = lines(record(measured(), hardware()))
    (folder() / "gpu_latency.json").write_text(text, encoding="utf-8")
