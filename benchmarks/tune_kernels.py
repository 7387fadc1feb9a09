"""Finds plans for the kernels on this card: `python -m benchmarks.tune_kernels`.

They go to your own data folder, where `halfbits.kernels.plans` looks first. Each plan's product is
compared with float64 before it counts. `--minutes` is a limit: what was found until then is kept,
and the formats and rows that are left take the course's plans. Most of the time is compilation: all
cores share it where processes have the same names for compiled kernels, see `compilers`.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import math
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from functools import cache, lru_cache
from typing import Any

import torch
from rich.progress import Progress
from torch import Tensor

from benchmarks.gpu_matmul import ROTATED_BYTES, sampled, spread
from halfbits.kernels import VERSION
from halfbits.kernels.launch import matmul, padded
from halfbits.kernels.packed import Packed, error_bound, pack, reference
from halfbits.kernels.plans import FALLBACK, Plan, as_row, own_plans, plans
from halfbits.kernels.tiles import BLOCK, TILE, Tiles, arrange
from halfbits.perf.records import short_name
from halfbits.quantize import quantize_affine, quantize_symmetric

SHAPES = ((8192, 8192), (4096, 14336))  # (inputs, outputs)
BATCHES = (1, 16, 64, 4, 8, 32)
QUANTIZERS: dict[str, Callable[[Tensor], Any]] = {
    "int8": lambda w: quantize_symmetric(w, 8),
    "int4 g128": lambda w: quantize_symmetric(w, 4, 128),
    "int4 g32": lambda w: quantize_symmetric(w, 4, 32),
    "int4 g128 zero": lambda w: quantize_affine(w, 4, 128),
    "int4 g32 zero": lambda w: quantize_affine(w, 4, 32),
}
MOST_SHARED = 200_000  # bytes of a multiprocessor's shared memory that a program may take
COMPILERS = os.cpu_count() or 8


def candidates(bits: int, batch: int) -> Iterator[Plan]:
    """Every cut worth a try."""
    if batch == 1 and bits == 8:
        for rows, tiles, warps in itertools.product((1, 2, 4), (8, 16, 32, 64), (1, 2, 4)):
            if 8 <= rows * tiles // warps <= 64:  # words of a thread
                yield Plan("row", rows, tiles, 1, warps, 1)
    if batch == 1 and bits == 4:
        yield from of_columns()
    if 1 < batch <= 8:
        for rows, tiles, split, warps in itertools.product(
            (16, 32, 64), (2, 4, 8), (1, 2, 4), (1, 2, 4)
        ):
            sums = tiles * rows * padded(batch) / (32 * warps)
            if warps <= tiles <= 2 * warps and sums <= 32:
                yield from fitting(bits, batch, ("deep", rows, tiles, split, warps), (3, 5))
    if batch >= 8:
        for rows, split, warps in itertools.product((64, 128, 256), (1, 2, 3, 4), (4, 8)):
            if rows >= 16 * warps:
                cut = ("wide", rows, 1, split, warps)
                yield from fitting(bits, batch, cut, (3, 4) if bits == 4 else (3, 4, 5))


def bits_of(name: str) -> int:
    """Bits of a code of the format."""
    return 8 if name == "int8" else 4


def fits(plan: Plan, name: str) -> bool:
    """Do the groups of a turn find columns in the matrix unit? More tiles would be cut."""
    return plan.kernel != "columns" or plan.tiles <= (2 if "g32" in name else 8)


def of_columns() -> Iterator[Plan]:
    """Cuts of `columns`: 4 or 8 warps for the same rows of W, at most 8 loads of codes a thread
    and turn, which 64 registers may hold or not."""
    for rows, tiles, warps, unroll, registers in itertools.product(
        (16, 32), (2, 4, 8), (4, 8), (1, 2), (0, 64)
    ):
        if tiles * rows // 16 * unroll <= 8:
            yield Plan("columns", rows, tiles, 1, warps, unroll, registers)


def fitting(
    bits: int, batch: int, cut: tuple[str, int, int, int, int], stages: tuple[int, ...]
) -> Iterator[Plan]:
    """The depths of a cut whose codes and rows of x find room in the shared memory."""
    kernel, rows, tiles, split, warps = cut
    tile = TILE * bits // 8 * rows + 2 * TILE * padded(batch)
    for depth in stages:
        if depth * tiles * tile <= MOST_SHARED:
            yield Plan(kernel, rows, tiles, split, warps, depth)


@cache
def weight(name: str, inputs: int, outputs: int, device: torch.device) -> Packed:
    draw = torch.Generator(device).manual_seed(inputs + outputs)
    w = torch.randn(outputs, inputs, device=device, generator=draw) / math.sqrt(inputs)
    return pack(QUANTIZERS[name](w))


def copies(tiles: Tiles) -> list[Tiles]:
    """Enough of them that no cache helps."""
    count = max(2, -(-ROTATED_BYTES // tiles.nbytes))
    zeros = tiles.zero_point
    fields = (tiles.outputs, tiles.inputs, tiles.group, tiles.bits)
    return [
        Tiles(tiles.codes.clone(), tiles.scale.clone(), *fields,
              None if zeros is None else zeros.clone())
        for _ in range(count)
    ]  # fmt: skip


def fastest(
    name: str, inputs: int, outputs: int, batch: int, device: torch.device, tried: list[Plan]
) -> dict[str, Any] | None:
    """The row of the fastest plan that is within its bound; None when none is."""
    packed = weight(name, inputs, outputs, device)
    sets = copies(arrange(packed))
    x = torch.randn(batch, inputs, device=device).bfloat16()
    compile_all(name, x, sets[0], tried)
    timed = [(spread(t)["median"], p) for p in tried if (t := seconds(x, sets, p))]
    want, bound = reference(x, packed), error_bound(x, packed, x.dtype)
    for took, plan in sorted(timed, key=lambda pair: pair[0]):
        if ((matmul(x, sets[0], plan).double() - want).abs() <= bound).all():
            return {**as_row(name, batch, inputs, outputs, plan), "seconds": took}
    return None


def seconds(x: Tensor, sets: list[Tiles], plan: Plan) -> list[float]:
    """Samples of one plan; none when the card or the compiler refuses it."""
    with contextlib.suppress(Exception):
        return sampled([lambda t=t: matmul(x, t, plan) for t in sets], x.device)
    return []


def compile_all(name: str, x: Tensor, tiles: Tiles, tried: list[Plan]) -> None:
    """Compile in parallel; a plan that cannot be compiled fails again, alone, when it is timed."""
    if isinstance(pool := compilers(x.is_cuda), ProcessPoolExecutor):
        case = (name, len(x), tiles.inputs, tiles.outputs)
        list(pool.map(compile_one, [(*case, plan) for plan in tried]))
    else:
        list(pool.map(lambda plan: launch(x, tiles, plan), tried))
    if x.is_cuda:
        torch.cuda.synchronize()


@cache
def compilers(on_gpu: bool) -> Executor:
    """Processes, or threads where two processes would give one kernel two names.

    Triton's names of compiled kernels depend on Python's order of sets. `course.py bench` fixes it.
    """
    if on_gpu and os.environ.get("PYTHONHASHSEED") == "0":
        return ProcessPoolExecutor(COMPILERS, multiprocessing.get_context("spawn"))
    return ThreadPoolExecutor(COMPILERS)


def launch(x: Tensor, tiles: Tiles, plan: Plan) -> None:
    """One product; nothing where it cannot be compiled."""
    with contextlib.suppress(Exception), torch.inference_mode():
        matmul(x, tiles, plan)


def compile_one(case: tuple[str, int, int, int, Plan]) -> None:
    """Compile the kernel of (format, rows of x, inputs, outputs, plan) into Triton's cache."""
    name, batch, inputs, outputs, plan = case
    device = torch.device("cuda")
    x = torch.zeros(batch, inputs, dtype=torch.bfloat16, device=device)
    launch(x, stand_in(name, inputs, outputs, device), plan)


@lru_cache(maxsize=1)
def stand_in(name: str, inputs: int, outputs: int, device: torch.device) -> Tiles:
    """A weight of zeros, of the shapes and types that `arrange` gives a real one."""
    across, blocks = -(-inputs // TILE), -(-outputs // BLOCK)
    whole: dict[str, Any] = {"device": device}
    if name == "int8":
        codes = torch.zeros(outputs, across * TILE // 2, dtype=torch.int16, **whole)
        return Tiles(codes, torch.zeros(1, outputs, **whole), outputs, inputs, inputs, 8)
    group = 32 if "g32" in name else 128
    words: dict[str, Any] = {"dtype": torch.int32, **whole}
    codes = torch.zeros(blocks, across, BLOCK, TILE // 4, dtype=torch.int16, **whole)
    pairs = -(-across * TILE // group // 2)
    scale = torch.zeros(blocks, pairs, BLOCK, **words)
    zeros = torch.zeros(blocks, -(-pairs // 2), BLOCK, **words) if "zero" in name else None
    return Tiles(codes, scale, outputs, inputs, group, 4, zeros)


def tune(minutes: float) -> list[dict[str, Any]]:
    """A row for each format, rows of x and shape, one row of x first, until the time is over; then
    the course's plans of the formats, rows and shapes that nothing was found for."""
    found: list[dict[str, Any]] = []
    end, device = time.monotonic() + 60 * minutes, torch.device("cuda")
    cases = list(itertools.product(BATCHES, QUANTIZERS, SHAPES))
    with Progress() as bar:
        for batch, name, (inputs, outputs) in bar.track(cases, description="plans"):
            if time.monotonic() < end:
                tried = [plan for plan in candidates(bits_of(name), batch) if fits(plan, name)]
                row = fastest(name, inputs, outputs, batch, device, tried)
                found += [row] if row else []
                torch.cuda.empty_cache()
    compilers(True).shutdown()
    compilers.cache_clear()
    done = [case_of(row) for row in found]
    return found + [row for row in plans(FALLBACK) if case_of(row) not in done]


def case_of(row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in ("format", "batch", "inputs", "outputs"))


def keep(rows: list[dict[str, Any]]) -> str:
    """Write the plans of this card; returns the file's name."""
    device = torch.cuda.get_device_name()
    target = own_plans(short_name(device))
    made = {"device": device, "kernels": VERSION, "plans": rows}
    target.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
    plans.cache_clear()
    return str(target)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--minutes", type=float, default=10, help="stop after so long")
    chosen = options.parse_args()
    if not torch.cuda.is_available():
        options.error("no CUDA device is visible; run this on a machine with an NVIDIA GPU")
    with torch.inference_mode():
        print(f"The plans are in {keep(tune(chosen.minutes))}")


if __name__ == "__main__":
    main()
