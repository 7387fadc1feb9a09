"""Timing that holds on a busy machine: interleaved pairs, medians, spread; and what the CPU is."""

from __future__ import annotations

import platform
import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

Item = TypeVar("Item")


@dataclass(frozen=True)
class Ratio:
    """Quartiles of baseline time over candidate time: `median` above 1 means the candidate wins."""

    low: float
    median: float
    high: float
    pairs: int

    def __str__(self) -> str:
        return f"{self.median:.2f} [{self.low:.2f} to {self.high:.2f}]"


def seconds(run: Callable[[], object]) -> float:
    """Wall time of one call of `run`, in seconds."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def paired_ratio(
    baseline: Callable[[], object],
    candidate: Callable[[], object],
    *,
    pairs: int = 15,
    warm_up: int = 2,
) -> Ratio:
    """How many times faster `candidate` is than `baseline`.

    The two take turns, so that a busy machine slows both; each pair gives one ratio. Raises
    ValueError for fewer than 3 pairs, which have no quartiles.
    """
    if pairs < 3:
        raise ValueError(f"pairs is {pairs}; quartiles need at least 3")
    for _ in range(warm_up):
        baseline(), candidate()
    ratios = [seconds(baseline) / max(seconds(candidate), 1e-9) for _ in range(pairs)]
    low, median, high = statistics.quantiles(ratios, n=4)
    return Ratio(low, median, high, pairs)


def median_seconds(run: Callable[[], object], *, repeats: int = 9, warm_up: int = 2) -> float:
    """Median wall time of `run`, in seconds; for figures that no other run is compared with."""
    for _ in range(warm_up):
        run()
    return statistics.median(seconds(run) for _ in range(repeats))


def cpu_report() -> dict[str, Any]:
    """What decides a CPU's speed in low precision: architecture, instruction sets, threads.

    The keys: machine, capability (PyTorch's dispatch level), isa (the instruction sets for low
    precision that PyTorch finds), threads, native_bf16. No name that identifies a machine.
    """
    import torch

    has = torch.cpu.get_capabilities()
    mkldnn = torch.backends.mkldnn.is_available()
    return {
        "machine": platform.machine(),
        "capability": torch.backends.cpu.get_cpu_capability(),
        "isa": [name for name in _LOW_PRECISION if has.get(name)],
        "threads": torch.get_num_threads(),
        "native_bf16": mkldnn and bool(torch.ops.mkldnn._is_mkldnn_bf16_supported()),
    }


def this_machine() -> str:
    """One line for the machine that a figure belongs to: architecture, PyTorch's dispatch level,
    threads, and the instruction sets for low precision."""
    cpu = cpu_report()
    threads = "1 thread" if cpu["threads"] == 1 else f"{cpu['threads']} threads"
    sets = ", ".join(cpu["isa"]) or "none"
    return f"{cpu['machine']}, {cpu['capability']}, {threads}; low-precision sets: {sets}"


_LOW_PRECISION = (
    *("avx2", "f16c", "avx512_f", "avx512_vnni", "avx512_bf16", "avx512_fp16"),
    *("avx_vnni", "amx_bf16", "amx_fp16", "amx_int8", "fp16_arith", "bf16", "i8mm", "sme"),
)


def progress(items: Iterable[Item], label: str) -> Iterator[Item]:
    """Yield `items` while a bar in the notebook counts them; the stored output ends at "n of n"."""
    from IPython.display import display

    todo = list(items)
    handle = display(_Bar(label, 0, len(todo)), display_id=True)
    for done, item in enumerate(todo, 1):
        yield item
        if handle is not None:
            handle.update(_Bar(label, done, len(todo)))


@dataclass(frozen=True)
class _Bar:
    label: str
    done: int
    total: int

    def __repr__(self) -> str:
        return f"{self.label}: {self.done} of {self.total}"

    def _repr_html_(self) -> str:
        return (
            f'<label>{self!r} <progress max="{self.total}" value="{self.done}"></progress></label>'
        )
