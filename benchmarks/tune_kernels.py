"""Finds the fastest cut of each kernel on one GPU: `python -m benchmarks.tune_kernels out.json`.

Prints the best plans per format, shape and batch; `halfbits.kernels.launch.plan_for` holds what was
found on an H100. First it checks every kernel against float64 on random shapes.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmarks.gpu_matmul import ROTATED_BYTES, bandwidth, hardware, sampled, spread
from halfbits.kernels.launch import FEW_ROWS, Plan, matmul
from halfbits.kernels.packed import Packed, error_bound, pack, reference
from halfbits.quantize import quantize_affine, quantize_symmetric

SHAPES = ((8192, 8192), (4096, 14336))  # (inputs, outputs)
QUANTIZERS = {
    "int8": lambda w: quantize_symmetric(w, 8),
    "int4 g128": lambda w: quantize_symmetric(w, 4, 128),
    "int4 g32": lambda w: quantize_symmetric(w, 4, 32),
    "int4 g128 zero": lambda w: quantize_affine(w, 4, 128),
    "int4 g32 zero": lambda w: quantize_affine(w, 4, 32),
}


def weight(name: str, inputs: int, outputs: int) -> Packed:
    draw = torch.Generator("cuda").manual_seed(inputs + outputs)
    w = torch.randn(outputs, inputs, device="cuda", generator=draw) / math.sqrt(inputs)
    return pack(QUANTIZERS[name](w))


def check() -> dict[str, float]:
    """Largest error over its bound of each format and dtype; above 1 is a wrong kernel."""
    worst: dict[str, float] = {}
    for name, (inputs, outputs) in itertools.product(QUANTIZERS, ((384, 70), (1408, 513))):
        packed = weight(name, inputs, outputs)
        for dtype in (torch.float16, torch.bfloat16, torch.float32):
            for batch in (1, 2, 5, 8, 16):
                x = torch.randn(inputs, batch, device="cuda").to(dtype).T
                off = (matmul(x, packed).double() - reference(x, packed)).abs()
                share = (off / error_bound(x, packed, dtype)).max().item()
                key = f"{name} {str(dtype)[6:]} {'row' if batch == 1 else 'rows'}"
                worst[key] = max(worst.get(key, 0.0), share)
    return worst


def plans(bits: int, batch: int) -> Iterator[Plan]:
    """Every cut worth a try."""
    if batch == 1 or (bits == 4 and batch <= FEW_ROWS):
        size = 16 if bits == 8 else 4  # what one thread loads at once
        for rows, each, warps, stages in itertools.product(
            (1, 2, 4, 8, 16), (1, 2, 4, 8), (1, 2, 4, 8), (1, 3)
        ):
            step = 32 * size * each
            loads = rows * each / warps
            if 1 <= loads <= 16 and (stages == 1 or loads <= 4):
                yield Plan(rows, step, warps, stages)
        return
    steps = (64, 128, 256) if bits == 8 else (16, 32, 64)
    for rows, step, warps, stages in itertools.product((16, 32, 64), steps, (1, 2, 4), (3, 4, 5)):
        if rows >= 16 * warps and rows * step * (1 if bits == 8 else 4) * stages <= 160_000:
            yield Plan(rows, step, warps, stages)


def copies(packed: Packed) -> list[Packed]:
    """Enough of them that no cache helps."""
    count = max(2, -(-ROTATED_BYTES // packed.nbytes))
    fields = (packed.group, packed.bits)
    zeros = packed.zero_point
    return [
        Packed(packed.codes.clone(), packed.scale.clone(), *fields,
               None if zeros is None else zeros.clone())
        for _ in range(count)
    ]  # fmt: skip


def tune(
    name: str, inputs: int, outputs: int, batch: int, dtype: torch.dtype, one_stage: bool
) -> list[dict]:
    """A row for each plan that runs, the fastest first."""
    packed = weight(name, inputs, outputs)
    x = torch.randn(batch, inputs, device="cuda").to(dtype)
    tried = [p for p in plans(packed.bits, batch) if p.stages == 1 or not one_stage]
    compile_all(x, packed, tried)
    sets = copies(packed)
    found: list[dict[str, Any]] = []
    for plan in tried:
        try:
            times = sampled([lambda p=p, plan=plan: matmul(x, p, plan) for p in sets], x.device)
        except Exception as error:  # too much shared memory, or a compiler's own error
            print("failed", name, plan, str(error)[:80], flush=True)
            continue
        found.append({"plan": list(vars(plan).values()), "seconds": spread(times)})
    found.sort(key=lambda row: row["seconds"]["median"])
    return [{**row, "bytes": packed.nbytes} for row in found]


def compile_all(x: Tensor, packed: Packed, tried: list[Plan]) -> None:
    """Compile in parallel; a plan that cannot be compiled fails again, alone, when it is timed."""

    def launch(plan: Plan) -> None:
        with contextlib.suppress(Exception):
            matmul(x, packed, plan)

    with ThreadPoolExecutor(14) as pool:
        list(pool.map(launch, tried))
    torch.cuda.synchronize()


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("output", type=Path)
    options.add_argument("--batches", type=int, nargs="+", default=[1, 16])
    options.add_argument("--formats", nargs="+", default=["int8", "int4 g128", "int4 g32"])
    options.add_argument("--shapes", type=int, default=len(SHAPES), help="how many of the shapes")
    options.add_argument("--one-stage", action="store_true", help="leave out deeper pipelines")
    chosen = options.parse_args()
    made: dict[str, Any] = {"hardware": hardware(torch.device("cuda")), "check": check()}
    print(json.dumps(made, indent=1), flush=True)
    made["bandwidth"] = [bandwidth(torch.device("cuda"), 2**n) for n in (26, 28, 30, 32)]
    for row in made["bandwidth"]:
        print(row["bytes"], row["copy"]["median"], row["read"]["median"], flush=True)
    for batch, name, shape in itertools.product(
        chosen.batches, chosen.formats, SHAPES[: chosen.shapes]
    ):
        rows = tune(name, *shape, batch, torch.bfloat16, chosen.one_stage)
        made[f"{name} {shape} {batch}"] = rows
        for row in rows[:4]:
            rate = row["bytes"] / row["seconds"]["median"] / 1e12
            print(name, shape, batch, row["plan"], row["seconds"], f"{rate:.3f} TB/s", flush=True)
        chosen.output.write_text(json.dumps(made), encoding="utf-8")


if __name__ == "__main__":
    main()
