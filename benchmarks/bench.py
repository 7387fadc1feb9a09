"""Everything that this machine can be measured at: `python course.py bench`.

On an NVIDIA GPU: bandwidth, products by format, GEMV by weight format (the course's kernels,
naive code, other libraries' kernels), an ablation of the course's kernels and what the profiler
counts of them, products of 8 bits, a transformer layer decoding and reading, KV caches; a card
without plans is tuned first. Without a GPU: the same questions to the CPU, by instruction set and
number of threads. The record goes to your own data folder; book/data holds the course's.
"""

from __future__ import annotations

import argparse
import datetime
import importlib.util
import json
import platform
import time
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from benchmarks import cpu_levels, gpu_matmul, layers, products
from benchmarks.implementations import (
    UNPACKED,
    Implementation,
    eight_bit_implementations,
    implementations,
    of_plain,
)
from halfbits.folders import data_folder
from halfbits.kernels import VERSION
from halfbits.perf import goals, records
from halfbits.perf.measure import cpu_report

SQUARES = (1024, 2048, 4096, 8192)
LARGE = (4096, 8192)
BESIDE = "h200"  # the record of today's kernels
GEMM = ("fp64", "fp32", "tf32", "fp16", "bf16", "int8", "fp8", "fp8, fast accumulation")
GOALS = ((8192, 8192), (4096, 14336))  # (inputs, outputs)
MORE = ((14336, 4096), (4096, 4096), (8192, 28672), (28672, 8192), (8192, 10240))
FEW = (1, 2, 4, 8, 16, 32, 64)
SKIPPED = (
    *("fp32", "fp16", "fp32, autocast to bf16", "int8, torch.compile of a sum"),
    "int8, torch _weight_int8pack_mm",
)
MANY = (128, 256, 512, 1024, 4096)
PACKAGES = ("torch", "triton", "torchao", "bitsandbytes", "numpy", "numba", "onnxruntime")


def versions(packages: Sequence[str] = PACKAGES) -> dict[str, str]:
    """Of Python and of those of the packages that are here; left out: what multiplies."""
    found = {"python": platform.python_version()}
    for name in packages:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def header(hardware: dict[str, Any]) -> dict[str, Any]:
    return {
        "hardware": hardware,
        "versions": versions(),
        "date": datetime.date.today().isoformat(),
        "command": "python course.py bench",
        "samples": gpu_matmul.SAMPLES,
        "quartiles": "low, median and high of the samples; one sample is a pass over rotated "
        "operands, replayed as a CUDA graph",
    }


def gpu_record(
    shrink: int, save: Callable[[dict[str, Any]], None], minutes: float = 10
) -> dict[str, Any]:
    """The whole record of a GPU; `save` keeps what there is after each part. A card without plans
    is tuned for so many minutes at most."""
    device = torch.device("cuda")
    failed: dict[str, str] = {}
    made: dict[str, Any] = header(gpu_matmul.hardware(device))
    made |= {"kernels": VERSION, "plans": own_plans(minutes)}
    made["bandwidth"] = [gpu_matmul.bandwidth(device, 2**n // shrink) for n in (28, 30, 32)]
    for name, part in gpu_parts(shrink, device, failed).items():
        began = time.monotonic()
        made[name], made["failed"] = part(), failed
        print(f"== {name}: {time.monotonic() - began:.0f} s", flush=True)
        save(made)
    return made


def own_plans(minutes: float) -> list[dict[str, Any]]:
    """The plans of this card; found now, for so many minutes at most, when it has none."""
    if importlib.util.find_spec("triton") is None:
        return []
    from benchmarks import tune_kernels
    from halfbits.kernels import plans

    card = records.short_name(torch.cuda.get_device_name())
    if not plans.known_card(card):
        tune_kernels.keep(tune_kernels.tune(minutes))
    return plans.plans(card)


def gpu_parts(
    shrink: int, device: torch.device, failed: dict[str, str]
) -> dict[str, Callable[[], list[dict[str, Any]]]]:
    """What makes the rows of each part; what cannot run is noted in `failed`."""
    known = implementations()
    others = {n: w for n, w in known.items() if not w.only and n not in SKIPPED}
    large = {n: known[n] for n in (*UNPACKED[2:], *layers.LAYER_IMPLEMENTATIONS[4:])}
    ends: dict[str, Any] = {"device": device, "failed": failed}
    return {
        "gemv": lambda: products.collect(known, scaled(GOALS, shrink), FEW, **ends),
        "ablation": lambda: ablated(scaled(GOALS, shrink), device),
        "kv_cache": lambda: list(layers.kv_rows(device, shrink)),
        "eight_bits": lambda: squares_of(
            eight_bit_implementations(), [n // shrink for n in LARGE], **ends
        ),
        "layers": lambda: layers.record(known, device, failed, shrink),
        "products": lambda: squares([n // shrink for n in SQUARES], **ends),
        "gemv_more": lambda: products.collect(others, scaled(MORE, shrink), (1, 16, 64), **ends),
        "batches": lambda: products.collect(
            large, scaled((GOALS[0], MORE[0]), shrink), MANY, **ends
        ),
        "profile": lambda: profiled_rows(failed),
    }


def squares(sides: list[int], device: torch.device, failed: dict[str, str]) -> list[dict[str, Any]]:
    """Square products in every format that the card multiplies."""
    return squares_of({name: of_plain(name) for name in GEMM}, sides, device, failed)


def ablated(shapes: list[tuple[int, int]], device: torch.device) -> list[dict[str, Any]]:
    from benchmarks.ablation import rows

    return list(rows(shapes, device))


def profiled_rows(failed: dict[str, str]) -> list[dict[str, Any]]:
    """What the profiler counts; none, with the reason, where it is missing or may not count."""
    from benchmarks.profiled import rows

    try:
        return rows()
    except (OSError, RuntimeError) as error:
        failed["profile"] = str(error)
        return []


def squares_of(
    kept: dict[str, Implementation], sides: list[int], device: torch.device, failed: dict[str, str]
) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for side in sides:
        found += products.collect(kept, [(side, side)], [side], device, failed)
    return found


def lines(made: dict[str, Any]) -> str:
    """JSON with one row of a list in each line, so that a change of a row is a change of a line."""
    parts = []
    for name, value in made.items():
        if isinstance(value, list):
            body = "[\n" + ",\n".join("  " + json.dumps(row) for row in value) + "\n ]"
        else:
            body = json.dumps(value)
        parts.append(f" {json.dumps(name)}: {body}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def scaled(shapes: Any, shrink: int) -> list[tuple[int, int]]:
    return [(inputs // shrink, outputs // shrink) for inputs, outputs in shapes]


def own_record(device: str) -> Path:
    """Where a reader's own record lies: $HALFBITS_DATA or the platform's data folder."""
    return data_folder() / f"bench_{device}.json"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--shrink", type=int, default=1, help="divides all sizes, for a trial")
    options.add_argument("--output", type=Path, help="a file; your data folder if left out")
    options.add_argument("--cpu", action="store_true", help="measure the CPU, GPU or not")
    options.add_argument("--minutes", type=float, default=10, help="most for plans of a new card")
    chosen = options.parse_args()
    on_gpu = torch.cuda.is_available() and not chosen.cpu
    if not on_gpu:
        print("No NVIDIA GPU is used: this measures the CPU. book/data has records of GPUs.")
    name = records.short_name(torch.cuda.get_device_name()) if on_gpu else "cpu"
    target = chosen.output or own_record(name)

    def save(made: dict[str, Any]) -> None:
        target.write_text(lines(made), encoding="utf-8")

    with torch.inference_mode():
        if on_gpu:
            gpu_record(chosen.shrink, save, chosen.minutes)
        else:
            save(cpu_record(chosen.shrink))
    made = json.loads(target.read_text(encoding="utf-8"))
    shown = records.beside(made, records.load(BESIDE))
    print("\n".join([*shown, "", *(goals.table if on_gpu else goals.cpu_table)(made)]))
    print(f"The record is in {target}")


def cpu_record(shrink: int) -> dict[str, Any]:
    """The whole record of a CPU."""
    made = header({"device": cpu_levels.cpu_name(), **cpu_report()})
    made["samples"] = cpu_levels.SAMPLES
    made["quartiles"] = "low, median, high and the least; the ways take turns; speed is the first "
    made["quartiles"] += "way's time over this one's, turn by turn"
    return {**made, **cpu_levels.record(shrink)}


if __name__ == "__main__":
    main()
