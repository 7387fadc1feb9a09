"""Time of matrix products by number format and batch size, and of a copy, on one GPU.

`python -m benchmarks.gpu_matmul` writes book/data/gpu_matmul.json in about two minutes. It needs
PyTorch alone. A product is y [batch, outputs] = x [batch, inputs] W^T. Every row holds quartiles
over samples; one sample is a pass over several copies of the operands, together larger than the
caches, replayed as one CUDA graph so that no launch from Python is timed.
"""

from __future__ import annotations

import argparse
import datetime
import itertools
import json
import math
import platform
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

RECORD = Path(__file__).resolve().parents[1] / "book" / "data" / "gpu_matmul.json"
SAMPLES, WARM_UP = 30, 5
ROTATED_BYTES = 512 * 2**20  # ten times the second-level cache of an H100
MOST_COPIES = 128
SQUARES = (1024, 2048, 4096, 8192)
DECODE_SHAPES = ((8192, 8192), (4096, 14336))  # (inputs, outputs)
BATCHES = (1, 4, 16, 64, 128, 256, 512, 1024, 4096)
GROUP = 128

Stored = tuple[Tensor, ...]


@dataclass(frozen=True)
class PlainImplementation:
    """How a layer keeps its weight [outputs, inputs], takes x, and multiplies the two."""

    store: Callable[[Tensor], Stored]
    take: Callable[[Tensor], Tensor]
    call: Callable[..., Tensor]


def plain(dtype: torch.dtype) -> PlainImplementation:
    return PlainImplementation(lambda w: (w.to(dtype),), lambda x: x.to(dtype), F.linear)


def with_tf32(x: Tensor, w: Tensor) -> Tensor:
    torch.backends.cuda.matmul.allow_tf32 = True
    try:
        return F.linear(x, w)
    finally:
        torch.backends.cuda.matmul.allow_tf32 = False


def with_autocast(x: Tensor, w: Tensor) -> Tensor:
    with torch.autocast(x.device.type, dtype=torch.bfloat16, cache_enabled=False):
        return F.linear(x, w)


def int8_rows(w: Tensor) -> Stored:
    """Codes int8 [outputs, inputs] and one bfloat16 scale a row."""
    scale = w.abs().amax(1, keepdim=True) / 127
    return (w / scale).round().to(torch.int8), scale.bfloat16()


def int8_tensor(x: Tensor) -> Tensor:
    """Codes with one scale for the whole tensor, which this product leaves out; at least 32 rows,
    as the library's int8 product asks for more than 16."""
    codes = (x * (127 / x.abs().amax())).round().to(torch.int8)
    return F.pad(codes, (0, 0, 0, max(0, 32 - len(codes))))


def converted(x: Tensor, codes: Tensor, scale: Tensor) -> Tensor:
    return F.linear(x, codes.to(x.dtype) * scale)


@torch.compile(dynamic=False)
def fused_int8(x: Tensor, codes: Tensor, scale: Tensor) -> Tensor:
    """One generated kernel for a batch of one: it reads the codes and keeps sums in float32."""
    return ((codes.float() * x.float()).sum(1) * scale[:, 0].float()).to(x.dtype)[None]


def int4_groups(w: Tensor) -> Stored:
    """Packed codes of the library's fused kernel, and scale and zero of every group."""
    rows, inputs = w.shape
    groups = w.view(rows, -1, GROUP)
    scale = groups.abs().amax(2, keepdim=True) / 7
    codes = ((groups / scale).round() + 8).clamp(0, 15).to(torch.uint8).view(rows, inputs)
    pairs = codes[:, ::2] << 4 | codes[:, 1::2]
    scale = scale[..., 0].T.bfloat16()
    return (
        torch.ops.aten._convert_weight_to_int4pack(pairs, 8),
        torch.stack([scale, torch.zeros_like(scale)], 2).contiguous(),
    )


def fused_int4(x: Tensor, packed: Tensor, scale_and_zero: Tensor) -> Tensor:
    return torch.ops.aten._weight_int4pack_mm(x, packed, GROUP, scale_and_zero)


def fp8_tensor(x: Tensor) -> Tensor:
    return (x * (448 / x.abs().amax())).to(torch.float8_e4m3fn)


def fp8_product(fast: bool) -> Callable[..., Tensor]:
    def call(x: Tensor, w: Tensor, one: Tensor) -> Tensor:
        kinds: dict[str, Any] = {"out_dtype": torch.bfloat16, "use_fast_accum": fast}
        return torch._scaled_mm(x, w.T, scale_a=one, scale_b=one, **kinds)

    return call


def fp8(fast: bool) -> PlainImplementation:
    def store(w: Tensor) -> tuple[Tensor, ...]:
        return fp8_tensor(w), torch.ones((), device=w.device)

    return PlainImplementation(store, fp8_tensor, fp8_product(fast))


ARITHMETIC = {
    "fp64": plain(torch.float64),
    "fp32": plain(torch.float32),
    "tf32": PlainImplementation(lambda w: (w,), lambda x: x, with_tf32),
    "fp16": plain(torch.float16),
    "bf16": plain(torch.bfloat16),
    "int8": PlainImplementation(
        lambda w: (int8_tensor(w),), int8_tensor, lambda x, w: torch._int_mm(x, w.T)
    ),
    "fp8": fp8(fast=False),
    "fp8, fast accumulation": fp8(fast=True),
}
WEIGHT_ONLY = {
    "fp32, autocast to bf16": PlainImplementation(lambda w: (w,), lambda x: x, with_autocast),
    "int8, converted in each call": PlainImplementation(
        int8_rows, lambda x: x.bfloat16(), converted
    ),
    "int8, one fused kernel": PlainImplementation(int8_rows, lambda x: x.bfloat16(), fused_int8),
    "int4 in groups, fused kernel": PlainImplementation(
        int4_groups, lambda x: x.bfloat16(), fused_int4
    ),
}
IMPLEMENTATIONS = ARITHMETIC | WEIGHT_ONLY
SWEPT = ("bf16", "fp8", "int8, converted in each call", "int4 in groups, fused kernel")


def cases(shrink: int = 1) -> Iterator[tuple[str, int, int, int]]:
    """(name, batch, inputs, outputs) of every row, each once; `shrink` divides the sizes."""
    squares = ((name, n, n, n) for name in ARITHMETIC for n in SQUARES)
    decode = ((name, shrink, *shape) for name in IMPLEMENTATIONS for shape in DECODE_SHAPES)
    sweep = ((name, shrink * batch, *DECODE_SHAPES[0]) for name in SWEPT for batch in BATCHES)
    for name, *sizes in dict.fromkeys(itertools.chain(squares, decode, sweep)):
        batch, inputs, outputs = (size // shrink for size in sizes)
        yield name, batch, inputs, outputs


def sampled(calls: Sequence[Callable[..., object]], device: torch.device) -> list[float]:
    """Seconds a call, one figure for each of SAMPLES passes over `calls`."""
    if device.type == "cpu":
        return [wall(calls) / len(calls) for _ in range(WARM_UP + SAMPLES)][WARM_UP:]
    for call in [calls[0]] * 3:
        call()
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        for call in calls:
            call()
    times = []
    for _ in range(WARM_UP + SAMPLES):
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        graph.replay()
        end.record()
        end.synchronize()
        times.append(start.elapsed_time(end) / 1e3 / len(calls))
    return times[WARM_UP:]


def wall(calls: Sequence[Callable[..., object]]) -> float:
    began = time.perf_counter()
    for call in calls:
        call()
    return time.perf_counter() - began


def spread(times: list[float]) -> dict[str, float]:
    """Quartiles, to four significant digits."""
    names = ("low", "median", "high")
    return {n: float(f"{t:.4g}") for n, t in zip(names, statistics.quantiles(times), strict=True)}


def off(got: Tensor, want: Tensor) -> float:
    """Relative error of `got`, after the best common factor: some products leave scales out."""
    got, want = got[: len(want)].double().flatten(), want.flatten()
    cosine = float(got @ want / (got.norm() * want.norm()))
    return math.sqrt(max(0.0, 1 - cosine * cosine))


@torch.inference_mode()
def product_row(name: str, batch: int, inputs: int, outputs: int, device: torch.device) -> dict:
    """One row of the record. `weight_bytes` counts codes and scales."""
    implementation = IMPLEMENTATIONS[name]
    draw = torch.Generator(device).manual_seed(0)
    w = torch.randn(outputs, inputs, device=device, generator=draw) / math.sqrt(inputs)
    x = torch.randn(batch, inputs, device=device, generator=draw)
    stored, taken = implementation.store(w), implementation.take(x)
    nbytes = sum(part.nbytes for part in stored)
    copies = min(MOST_COPIES, -(-ROTATED_BYTES // (nbytes + taken.nbytes)))
    sets = [(taken.clone(), *(part.clone() for part in stored)) for _ in range(copies)]
    error = off(implementation.call(taken, *stored), x.double() @ w.double().T)
    times = sampled([lambda s=s: implementation.call(*s) for s in sets], device)
    row = {"way": name, "batch": batch, "inputs": inputs, "outputs": outputs}
    return {**row, "weight_bytes": nbytes, "seconds": spread(times), "error": round(error, 5)}


def bandwidth(device: torch.device, nbytes: int) -> dict[str, Any]:
    """Bytes a second of a copy (read and write counted) and of a sum (read), by quartiles."""
    source = torch.ones(nbytes // 4, device=device)
    target = torch.empty_like(source)
    works = {"copy": (2, lambda: target.copy_(source)), "read": (1, lambda: source.sum())}
    found: dict[str, Any] = {}
    for name, (factor, work) in works.items():
        rates = [factor * nbytes / t for t in sampled([work], device)]
        found[name] = spread(rates)
    return {"bytes": nbytes, **found}


def hardware(device: torch.device) -> dict[str, Any]:
    """The card, its driver and the versions; no name that identifies a machine."""
    if device.type == "cpu":
        return {"device": "CPU", "capability": torch.backends.cpu.get_cpu_capability()}
    card = torch.cuda.get_device_properties(device)
    query = ["nvidia-smi", "--query-gpu=driver_version,power.limit", "--format=csv,noheader"]
    driver, power = subprocess.check_output(query, text=True).splitlines()[0].split(", ")
    return {
        "device": card.name,
        "memory_bytes": card.total_memory,
        "l2_bytes": card.L2_cache_size,
        "compute_capability": f"{card.major}.{card.minor}",
        "driver": driver,
        "power_limit": power,
        "cuda": torch.version.cuda,
    }


def record(device: torch.device, shrink: int) -> dict[str, Any]:
    """The whole record; what this machine cannot run stands under `failed` with the reason."""
    card, speeds = hardware(device), bandwidth(device, 2**30 // shrink)
    products: list[dict] = []
    failed: dict[str, str] = {}
    for case in cases(shrink):
        try:
            products.append(product_row(*case, device))
            print(json.dumps(products[-1]), flush=True)
        except Exception as error:  # compilers and libraries raise errors of their own
            failed.setdefault(case[0], str(error).strip().splitlines()[0][:200])
            print("failed:", *case, failed[case[0]], flush=True)
    return {
        "hardware": card,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "date": datetime.date.today().isoformat(),
        "command": "python -m benchmarks.gpu_matmul",
        "samples": SAMPLES,
        "bandwidth": speeds,
        "products": products,
        "failed": failed,
    }


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--device", default="cuda", help="cuda (the default), or cpu for a trial")
    options.add_argument("--shrink", type=int, default=1, help="divides all sizes, for a trial")
    options.add_argument("--output", type=Path, default=RECORD)
    chosen = options.parse_args()
    device = torch.device(chosen.device)
    if device.type == "cuda" and not torch.cuda.is_available():
        options.error("no CUDA device is visible; run this on a machine with an NVIDIA GPU")
    if chosen.output == RECORD and (device.type, chosen.shrink) != ("cuda", 1):
        options.error("a trial needs --output FILE: the record is of a whole run on a GPU")
    made = record(device, chosen.shrink)
    chosen.output.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
