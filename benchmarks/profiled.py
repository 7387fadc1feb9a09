"""What the profiler counts while the course's kernels run: which unit is busy, what warps wait for.

Nsight Compute (`ncu`, part of NVIDIA's CUDA toolkit) runs `python -m benchmarks.profiled`, which
launches each case once, and repeats every launch until it has all counters, with empty caches and
the clocks as they are.
"""

from __future__ import annotations

import csv
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from benchmarks.implementations import OURS
from benchmarks.products import Shape, drawn

SECTIONS = ("SpeedOfLight", "ComputeWorkloadAnalysis", "WarpStateStats")
KERNELS = "regex:^(row|columns|deep|wide)$"
COUNTED = {
    "dram": "DRAM Throughput", "l2": "L2 Cache Throughput", "l1": "L1/TEX Cache Throughput",
    "issue": "Issue Slots Busy", "pipe": "SM Busy",
}  # fmt: skip
CAUSES = {"L1TEX": "loads", "MIO": "shared memory", "barrier": "other warps"}
STALL = re.compile(r"spends ([\d.]+) cycles being stalled (.*?)\. .*?about ([\d.]+)%", re.DOTALL)
SHAPES: tuple[Shape, ...] = ((8192, 8192), (4096, 14336))


def cases() -> Iterator[dict[str, Any]]:
    """One row of x with both shapes, then 64 rows."""
    for batch in (1, 64):
        for name in OURS:
            for inputs, outputs in SHAPES:
                yield {"way": name, "batch": batch, "inputs": inputs, "outputs": outputs}


def rows() -> list[dict[str, Any]]:
    """A row for each case: percentages of a unit's peak, and the first cause of stalls.

    Raises OSError where ncu is missing, RuntimeError where it counts nothing.
    """
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "counters.csv")
        command = ["ncu", "--clock-control", "none", "--csv", "--page", "details", "-k", KERNELS]
        command += [word for section in SECTIONS for word in ("--section", section)]
        command += ["--log-file", str(log), sys.executable, "-m", "benchmarks.profiled"]
        subprocess.run(command, check=False, capture_output=True)
        text = log.read_text(encoding="utf-8") if log.is_file() else ""
    launches = counted(text)
    if len(launches) != len(list(cases())):
        last = text.strip().splitlines()[-1:] or ["nothing"]
        raise RuntimeError(f"ncu counted {len(launches)} launches; it said: {last[0][:150]}")
    return [{**case, **counts} for case, counts in zip(cases(), launches, strict=True)]


def counted(text: str) -> list[dict[str, Any]]:
    """What ncu wrote as CSV, one dict a launch in their order."""
    table = text[text.find('"ID"') :] if '"ID"' in text else ""
    launches: dict[str, dict[str, Any]] = {}
    names = {long: short for short, long in COUNTED.items()}
    for line in csv.DictReader(table.splitlines()):
        found = launches.setdefault(line["ID"], {"kernel": line["Kernel Name"]})
        if line["Metric Name"] in names:
            found[names[line["Metric Name"]]] = float(line["Metric Value"])
        if match := STALL.search(line.get("Rule Description") or ""):
            cause = next((said for word, said in CAUSES.items() if word in match[2]), match[2])
            found |= {"stall": cause, "stalled": float(match[3])}
    return list(launches.values())


def main() -> None:
    """Launch every case once."""
    from halfbits.kernels.launch import run
    from halfbits.kernels.packed import pack
    from halfbits.kernels.plans import plan_for
    from halfbits.kernels.tiles import arrange

    device = torch.device("cuda")
    for case in cases():
        tiles = arrange(pack(OURS[case["way"]](drawn(case["inputs"], case["outputs"], device))))
        x = torch.randn(case["batch"], case["inputs"], device=device).bfloat16()
        y = torch.empty(case["batch"], case["outputs"], device=device, dtype=x.dtype)
        run(x, tiles, y, plan_for(tiles, case["batch"], device))
    torch.cuda.synchronize()


if __name__ == "__main__":
    with torch.inference_mode():
        main()
