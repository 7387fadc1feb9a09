"""Rows of a record: y [batch, outputs] = x W^T by one implementation, with time and error."""

from __future__ import annotations

import importlib.util
import json
import math
from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import Tensor

from benchmarks.gpu_matmul import ROTATED_BYTES, off, sampled, spread
from benchmarks.implementations import Implementation, stored_bytes

MOST_COPIES = 64
Shape = tuple[int, int]  # (inputs, outputs)


def drawn(inputs: int, outputs: int, device: torch.device) -> Tensor:
    """A weight of unit gain; the same one in every run."""
    draw = torch.Generator(device).manual_seed(0)
    return torch.randn(outputs, inputs, device=device, generator=draw) / math.sqrt(inputs)


def rows(
    name: str,
    implementation: Implementation,
    shape: Shape,
    batches: Iterable[int],
    device: torch.device,
) -> Iterator[dict[str, Any]]:
    """A row for each batch; the operands rotate, so that no cache helps."""
    inputs, outputs = shape
    w = drawn(inputs, outputs, device)
    first = implementation.store(w)
    nbytes = stored_bytes(implementation, first, w, name)
    copies = max(1, min(MOST_COPIES, -(-ROTATED_BYTES // nbytes)))
    sets = [first, *(implementation.store(w) for _ in range(copies - 1))]
    for batch in batches:
        if batch <= implementation.most and (
            not implementation.only or batch in implementation.only
        ):
            x = torch.randn(batch, inputs, device=device)
            taken = implementation.take(x)
            error = off(implementation.call(taken, first), x.double() @ w.double().T)
            times = sampled([lambda s=s, t=taken: implementation.call(t, s) for s in sets], device)
            row: dict[str, Any] = {"way": name, "batch": batch}
            row |= {"inputs": inputs, "outputs": outputs}
            row |= {"weight_bytes": nbytes, **floor_of(nbytes, device)}
            yield {**row, "seconds": spread(times), "error": round(error, 5)}


def floor_of(nbytes: int, device: torch.device) -> dict[str, float]:
    """`floor.floor` as a row keeps it; nothing for a CPU or without Triton."""
    if device.type != "cuda" or importlib.util.find_spec("triton") is None:
        return {}
    from benchmarks.floor import floor

    return {"floor": floor(nbytes, device)}


def collect(
    implementations: dict[str, Implementation],
    shapes: Iterable[Shape],
    batches: Iterable[int],
    device: torch.device,
    failed: dict[str, str],
) -> list[dict[str, Any]]:
    """The rows of all implementations; what cannot run here goes into `failed` with the reason."""
    found: list[dict[str, Any]] = []
    for name, implementation in implementations.items():
        for shape in shapes:
            try:
                for row in rows(name, implementation, shape, batches, device):
                    found.append(row)
                    print(json.dumps(row), flush=True)
            except Exception as error:  # compilers and libraries raise errors of their own
                lines = str(error).strip().splitlines() or [type(error).__name__]
                failed.setdefault(name, lines[0][:200])
                print("failed:", name, shape, failed[name], flush=True)
            if device.type == "cuda":
                torch.cuda.empty_cache()
    return found
