"""The records of measured machines: the course's in book/data, and a reader's own."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from halfbits.errors import CourseError
from halfbits.folders import data_folder, find_root

Row = dict[str, Any]
MAKER_OR_MEMORY = r"nvidia|geforce|tesla|\d+gb|hbm\w*|sxm\d*|pcie"


def folder() -> Path:
    """Where the course keeps its records."""
    return find_root() / "book" / "data"


def known() -> dict[str, Path]:
    """Every record by name, such as h100: the course's, then the reader's as "my h100"."""
    found = {path.stem.removeprefix("bench_"): path for path in sorted(folder().glob("bench_*"))}
    own = sorted(data_folder().glob("bench_*.json"))
    return found | {f"my {path.stem.removeprefix('bench_')}": path for path in own}


def load(name: str) -> dict[str, Any]:
    """The record called `name`: a machine's, or another file of book/data by its stem.

    Raises CourseError with the names that exist.
    """
    paths = {path.stem: path for path in sorted(folder().glob("*.json"))} | known()
    if name not in paths:
        raise CourseError(f"There is no record of {name!r}; there are {', '.join(paths)}.")
    return json.loads(paths[name].read_text(encoding="utf-8"))


def machine(name: str) -> dict[str, Any]:
    """The record of the machine called `name`. Raises CourseError with the names that exist."""
    if name not in known():
        raise CourseError(
            f"There is no record of {name!r}; there are {', '.join(known())}. "
            "`python course.py bench` makes one of this machine."
        )
    return load(name)


def short_name(device: str) -> str:
    """A card's name as a record's: h100 for "NVIDIA H100 80GB HBM3", rtx4090 for a GeForce."""
    words = re.split(r"[ -]", re.sub(r"(\d) gb\b", r"\1gb", device.lower()))
    return "".join(word for word in words if not re.fullmatch(MAKER_OR_MEMORY, word))


def rows(record: dict[str, Any], *parts: str, **wanted: Any) -> list[Row]:
    """The rows of `parts` that have the `wanted` values."""
    found = [row for part in parts for row in record.get(part, [])]
    return [row for row in found if wanted.items() <= row.items()]


def beside(own: dict[str, Any], ours: dict[str, Any], batch: int = 1) -> list[str]:
    """A table of both machines' products of one batch, in microseconds, in `own`'s order; of a
    CPU, which has rows for several instruction sets and thread counts, the last ones."""
    key = ("way", "inputs", "outputs")
    parts = ("gemv", "gemv_more")
    theirs = {tuple(r[k] for k in key): r for r in rows(ours, *parts, batch=batch)}
    mine = {tuple(r[k] for k in key): r for r in rows(own, *parts, batch=batch)}
    name = "the " + short_name(ours["hardware"]["device"]).upper()
    lines = [f"{'microseconds, batch ' + str(batch):58s}{'yours':>10s}{name:>10s}"]
    for (implementation, inputs, outputs), row in mine.items():
        other = theirs.get((implementation, inputs, outputs))
        shown = f"{1e6 * other['seconds']['median']:10.1f}" if other else f"{'-':>10s}"
        name = f"{implementation} {inputs}x{outputs}"
        lines.append(f"{name:58s}{1e6 * row['seconds']['median']:10.1f}{shown}")
    return lines
