"""What the GPU kernels were to reach, and what a record says they did, with the unit that limits.

Goals of one row are shares of the floor, the fastest kernel that only reads as many bytes; the
others are speeds, as ratios to what the library or another kernel takes for the same work.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from halfbits.perf.records import rows

Record = dict[str, Any]
OF_FLOOR = {
    "int8, ours": 0.9, "int4 g128, ours": 0.8, "int4 g32, ours": 0.8,
    "int4 g128 with zeros, ours": 0.75, "int4 g32 with zeros, ours": 0.75,
}  # fmt: skip
OF_BF16 = {
    ("int4 g128, ours", 16): 1.8, ("int8, ours", 16): 1.4,
    **{(implementation, 64): 1.0 for implementation in OF_FLOOR},
}  # fmt: skip
OF_CACHE = {"int8, ours": 1.6, "fp8, ours": 1.6, "int4, ours": 2.3}
OF_EIGHT_BITS = {
    ("fp8 tiles, ours", "fp8 tiles, _scaled_mm"): 0.8,
    ("int8, scales in the kernel, ours", "int8, _int_mm, then the scales"): 1.0,
}
UNITS = {"dram": "memory", "l2": "L2", "l1": "L1", "issue": "issue", "pipe": "busiest pipe"}
CASE = ("way", "batch", "inputs", "outputs")
LINE = "{:57s}{:5.2f}{:6.2f}  {}"


@dataclass(frozen=True)
class Goal:
    """`achieved` and `goal` are ratios of one kind; `limit` is "" where nothing was counted."""

    name: str
    achieved: float
    goal: float
    limit: str = ""

    @property
    def met(self) -> bool:
        """Is it at least the goal?"""
        return self.achieved >= self.goal


def goals(record: Record) -> list[Goal]:
    """Every goal that the record has the rows for."""
    parts = of_floor(record), of_peers(record), of_bf16(record), of_caches(record)
    return list(itertools.chain(*parts, of_eight_bits(record)))


def table(record: Record) -> list[str]:
    """One line a goal: what was achieved, the goal, the verdict; where one is missed, a second line
    with what the profiler counted, in percent of each unit's peak."""
    lines = [f"{'':57s}{'is':>5s}{'goal':>6s}"]
    for goal in goals(record):
        verdict = "met" if goal.met else "missed"
        lines.append(LINE.format(goal.name, goal.achieved, goal.goal, verdict))
        if goal.limit and not goal.met:
            lines.append(f"    {goal.limit}")
    return lines


def medians(record: Record, part: str) -> dict[tuple[Any, ...], float]:
    """Seconds by (way, batch, inputs, outputs)."""
    return {tuple(r[n] for n in CASE): r["seconds"]["median"] for r in record.get(part, [])}


def case_name(implementation: str, batch: int, inputs: int, outputs: int) -> str:
    """Such as "int8, 1 row, 8192 to 8192"."""
    rows = "1 row" if batch == 1 else f"{batch} rows"
    return f"{implementation.removesuffix(', ours')}, {rows}, {inputs} to {outputs}"


def of_floor(record: Record) -> Iterator[Goal]:
    """One row: the floor's time over the kernel's."""
    for (implementation, goal), row in itertools.product(OF_FLOOR.items(), record.get("gemv", [])):
        if (row["way"], row["batch"]) == (implementation, 1):
            case = implementation, 1, row["inputs"], row["outputs"]
            achieved = row["floor"] / row["seconds"]["median"]
            yield Goal(f"{case_name(*case)}, of the floor", achieved, goal, limit(record, case))


def of_peers(record: Record) -> Iterator[Goal]:
    """One row: the fastest other kernel of the same format, as a ratio to ours."""
    took = medians(record, "gemv")
    for (way, batch, *shape), seconds in took.items():
        if way in OF_FLOOR and batch == 1:
            kind = way.removesuffix("ours")
            others = [
                t for (other, *rest), t in took.items()
                if other.startswith(kind) and other != way and rest == [1, *shape]
            ]  # fmt: skip
            if others:
                name = f"{case_name(way, 1, *shape)}, of others"
                yield Goal(name, min(others) / seconds, 1.0)


def of_bf16(record: Record) -> Iterator[Goal]:
    """Few rows: the speed of the library's bf16 is one."""
    took = medians(record, "gemv")
    for (way, batch), goal in OF_BF16.items():
        for case, seconds in took.items():
            if case[:2] == (way, batch) and ("bf16", *case[1:]) in took:
                achieved = took["bf16", *case[1:]] / seconds
                yield Goal(f"{case_name(*case)}, of bf16", achieved, goal, limit(record, case))


def of_caches(record: Record) -> Iterator[Goal]:
    """Attention of 16 rows over 8,192 tokens: the speed of the library's over bf16 is one."""
    rows = [r for r in record.get("kv_cache", []) if (r["batch"], r["context"]) == (16, 8192)]
    took = {row["cache"]: row["seconds"]["median"] for row in rows}
    for cache, goal in OF_CACHE.items():
        if {cache, "bf16"} <= took.keys():
            name = f"attention, {cache.removesuffix(', ours')} cache, of bf16"
            yield Goal(name, took["bf16"] / took[cache], goal)


def of_eight_bits(record: Record) -> Iterator[Goal]:
    """Large products of eight bits: the speed of the library's of the same scales is one."""
    took = medians(record, "eight_bits")
    for ((way, other), goal), case in itertools.product(OF_EIGHT_BITS.items(), took):
        if case[0] == way and (other, *case[1:]) in took:
            name = f"{way.removesuffix(', ours')}, {case[1]}, of {other.partition(', ')[2]}"
            yield Goal(name, took[other, *case[1:]] / took[case], goal)


def limit(record: Record, case: tuple[Any, ...]) -> str:
    """What the profiler counted of a case: percent of peaks, and what its warps waited for most."""
    for row in record.get("profile", []):
        if tuple(row[name] for name in CASE) == case:
            shares = [f"{said} {row[name]:.0f} %" for name, said in UNITS.items()]
            if row.get("stall"):
                shares.append(f"waits: {row['stall']} {row['stalled']:.0f} %")
            return ", ".join(shares)
    return ""


def on_cpu(record: Record) -> dict[tuple[str, str, str], tuple[float, float]]:
    """Speeds of the course's best way and of the best other one, as multiples of float32's, 0 where
    there is none: by instruction set, int8 or int4, and `gemv` or `decode`; one thread, one row."""
    levels = dict.fromkeys(row["level"] for row in record["gemv"])
    found = {}
    for level, bits, part in itertools.product(levels, ("int8", "int4"), ("gemv", "decode")):
        batch = {"batch": 1} if part == "gemv" else {}
        known = rows(record, part, level=level, threads=1, **batch)
        found[level, bits, part] = fastest(known, bits, True), fastest(known, bits, False)
    return found


def fastest(known: list[dict[str, Any]], bits: str, ours: bool) -> float:
    """The best speed with such weights, of the course's ways or of the others."""
    ways = [row for row in known if row["way"].startswith(bits) and "converted" not in row["way"]]
    ends = ", ours", ", one loop"
    speeds = [row["speed"]["median"] for row in ways if row["way"].endswith(ends) == ours]
    return max(speeds, default=0.0)


def cpu_table(record: Record) -> list[str]:
    """One line an instruction set, format and part: the goal is the best other way."""
    lines = []
    for (level, bits, part), (own, other) in on_cpu(record).items():
        verdict = f"best other {other:.2f}: {'met' if own >= other else 'missed'}" if other else ""
        lines.append(f"{level:12s}{bits} {part:7s} ours {own:.2f}  {verdict}".rstrip())
    return lines
