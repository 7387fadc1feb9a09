"""Products and decoding on a CPU, by instruction set and number of threads.

Libraries choose their instructions once, at the start, so each level is a process of its own:
`python -m benchmarks.cpu_levels LEVEL THREADS SIDE` prints the rows of one as JSON.
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import math
import os
import platform
import subprocess
import sys
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.gpu_matmul import spread
from halfbits.perf.measure import cpu_report, seconds

SIDE, SAMPLES, NEW_TOKENS, DECODES = 4096, 9, 16, 5
ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 0.5  # seconds; what takes longer is left out at more rows than one
BATCHES = (1, 32)
GROUP = 128
LEVELS = {
    "sse4": {
        "ATEN_CPU_CAPABILITY": "default",
        "ONEDNN_MAX_CPU_ISA": "SSE41",
        "MKL_ENABLE_INSTRUCTIONS": "SSE4_2",
        "NUMBA_CPU_NAME": "nehalem",
    },
    "avx2": {
        "ATEN_CPU_CAPABILITY": "avx2",
        "ONEDNN_MAX_CPU_ISA": "AVX2",
        "MKL_ENABLE_INSTRUCTIONS": "AVX2",
        "NUMBA_CPU_NAME": "haswell",
    },
    "all of them": {},
}


def cpu_name() -> str:
    """The processor's model name, where the system tells it."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def levels() -> list[str]:
    """The levels that differ here: without AVX-512, avx2 is all that there is."""
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return ["all of them"]
    wide = any(name.startswith(("avx512", "amx", "avx_vnni")) for name in cpu_report()["isa"])
    return ["sse4", "avx2", "all of them"] if wide else ["sse4", "all of them"]


def record(shrink: int) -> dict[str, Any]:
    """Rows of all levels and thread counts, each from its own process."""
    made: dict[str, Any] = {"bandwidth": [], "gemv": [], "decode": [], "failed": {}}
    counts = sorted({1, os.cpu_count() or 1})
    for level in levels():
        for threads in counts:
            print(f"== {level}, {threads} threads", flush=True)
            rows = child(level, threads, SIDE // shrink)
            made["failed"] |= rows.pop("failed")
            for part, found in rows.items():
                made[part] += [{"level": level, "threads": threads, **row} for row in found]
    return made


def child(level: str, threads: int, side: int) -> dict[str, Any]:
    environment = {**os.environ, **LEVELS[level], "OMP_NUM_THREADS": str(threads)}
    environment |= {"OMP_WAIT_POLICY": "PASSIVE", "PYTHONUTF8": "1"}
    command = [sys.executable, "-m", "benchmarks.cpu_levels", level, str(threads), str(side)]
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def in_turns(calls: Mapping[str, Callable[..., object]], repeats: int) -> dict[str, dict[str, Any]]:
    """Quartiles of the seconds of each call, the least, and `speed`: quartiles of the first call's
    time over this one's. The calls take turns, so that all meet one load: on a busy machine the
    speeds hold where the seconds do not."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(repeats + 2):
        for name, call in calls.items():
            taken = seconds(call)
            if turn > 1:
                times[name].append(taken)
    base = next(iter(times.values()))
    return {
        name: {
            "seconds": {**spread(found), "least": float(f"{min(found):.4g}")},
            "speed": spread([one / other for one, other in zip(base, found, strict=True)]),
        }
        for name, found in times.items()
    }


def measured(level: str, threads: int, side: int) -> dict[str, Any]:
    """All rows of this process."""
    import torch

    from benchmarks import cpu_implementations

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    failed: dict[str, str] = {}
    gemv = []
    w = torch.randn(side, side) / math.sqrt(side)
    for batch in BATCHES:
        x = torch.randn(batch, side)
        calls = cpu_implementations.implementations(x, w, threads, level == "all of them", failed)
        errors = {
            n: cpu_implementations.off(call(), x.double() @ w.double().T)
            for n, call in calls.items()
        }
        if batch > 1:
            calls = quick(calls, batch, failed)
        for name, found in in_turns(calls, SAMPLES).items():
            row = {"way": name, "batch": batch, "inputs": side, "outputs": side}
            gemv.append({**row, **found, "error": round(errors[name], 5)})
    return {
        "bandwidth": [bandwidth()],
        "gemv": gemv,
        "decode": decoding(threads, level == "all of them"),
        "failed": failed,
    }


def quick(
    calls: dict[str, Callable[[], object]], batch: int, failed: dict[str, str]
) -> dict[str, Callable[[], object]]:
    """The calls that take less than PATIENCE, and the first."""
    from halfbits.perf.measure import seconds

    took = {name: min(seconds(call) for _ in range(2)) for name, call in calls.items()}
    for name, least in took.items():
        if least > PATIENCE:
            failed[f"{name}, batch {batch}"] = f"left out: one call takes {least:.1f} s"
    first = next(iter(calls))
    return {n: call for n, call in calls.items() if n == first or took[n] <= PATIENCE}


def bandwidth() -> dict[str, Any]:
    """Bytes a second of a copy (read and write counted) and of a sum (read) of 256 MB."""
    import torch

    source = torch.ones(2**26)
    target = torch.empty_like(source)
    found = in_turns({"copy": lambda: target.copy_(source), "read": source.sum}, SAMPLES)
    moved = {"copy": 2 * source.nbytes, "read": source.nbytes}
    return {name: rates(moved[name], row["seconds"]) for name, row in found.items()}


def rates(amount: float, seconds: dict[str, float]) -> dict[str, float]:
    """Amount a second, by quartiles and at best."""
    places = {"low": "high", "median": "median", "high": "low", "best": "least"}
    return {name: float(f"{amount / seconds[place]:.4g}") for name, place in places.items()}


def decoding(threads: int, native: bool) -> list[dict[str, Any]]:
    """Tokens a second of the tiny LM, greedy, by how its block matrices are kept."""
    from benchmarks import cpu_implementations

    prompt, models = cpu_implementations.decoders(NEW_TOKENS, threads, native)
    calls = {name: (lambda step=step: step(prompt, NEW_TOKENS)) for name, step in models.items()}
    said = {name: call()[len(prompt) :] for name, call in calls.items()}
    return [
        {
            "way": name,
            "new_tokens": NEW_TOKENS,
            "same_tokens": int((said[name] == said["fp32"]).sum()),
            "samples": DECODES,
            "tokens_per_second": rates(NEW_TOKENS, found["seconds"]),
            "speed": found["speed"],
        }
        for name, found in in_turns(calls, DECODES).items()
    ]


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    import torch

    with contextlib.redirect_stdout(io.StringIO()), torch.inference_mode():
        rows = measured(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
    print(json.dumps(rows))
