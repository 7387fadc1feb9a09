"""How a product is cut: plans by card, format and rows of x, the course's and a reader's own."""

from __future__ import annotations

import json
import math
import warnings
from dataclasses import astuple, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import torch

from halfbits.folders import data_folder
from halfbits.kernels import VERSION
from halfbits.kernels.tiles import Tiles
from halfbits.perf.records import short_name

TUNED = Path(__file__).with_name("tuned")
FALLBACK = "h200"


@dataclass(frozen=True)
class Plan:
    """The `kernel`: `deep` and `wide` of `gpu`, `row` or `columns`; `rows` of W in a program;
    `tiles` of a row in one step, of each warp in `columns` (`wide` takes one); programs that
    `split` the input; warps; stages of loads in flight (`columns`: turns that are written out;
    `row` splits nothing and has no stages: its loads are all in flight); most `registers` of a
    thread, which only `columns` heeds, 0 for as many as the compiler wants."""

    kernel: str
    rows: int
    tiles: int
    split: int
    warps: int
    stages: int
    registers: int = 0


def name_of(tiles: Tiles) -> str:
    """The format as plans name it, such as "int4 g128 zero"."""
    if tiles.bits == 8:
        return "int8"
    return f"int4 g{tiles.group}" + (" zero" if tiles.zero_point is not None else "")


def plan_for(tiles: Tiles, batch: int, device: torch.device) -> Plan:
    """The plan of this card for the fewest measured rows that `batch` fits, of the nearest shape.

    A card without plans takes another's, and a warning says so once.
    """
    card = short_name(torch.cuda.get_device_name(device)) if device.type == "cuda" else FALLBACK
    return nearest(plans(card), name_of(tiles), batch, *tiles.shape)


def nearest(known: list[dict[str, Any]], name: str, batch: int, outputs: int, inputs: int) -> Plan:
    """The plan whose batch is the least that fits, then whose sides differ least, as ratios."""

    def far(row: dict[str, Any]) -> tuple[int, float]:
        sides = (row["inputs"] / inputs, row["outputs"] / outputs)
        return row["batch"], sum(abs(math.log(side)) for side in sides)

    fitting = [row for row in known if row["format"] == name and row["batch"] >= batch]
    return Plan(*min(fitting, key=far)["plan"])


@cache
def plans(card: str) -> list[dict[str, Any]]:
    """The rows of this card: your own of these kernels, else the course's, else another card's."""
    for path in (own_plans(card), TUNED / f"{card}.json"):
        if path.is_file():
            kept = json.loads(path.read_text(encoding="utf-8"))
            if kept["kernels"] == VERSION:
                return kept["plans"]
    warnings.warn(
        f"There are no plans for {card}: the kernels run with those of {FALLBACK}. "
        "`python -m benchmarks.tune_kernels` finds your card's.",
        stacklevel=2,
    )
    return plans(FALLBACK)


def own_plans(card: str) -> Path:
    """Where the plans of a reader's card lie."""
    return data_folder() / f"plans_{card}.json"


def known_card(card: str) -> bool:
    """Is there a plan for the kernels of today?"""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        plans.cache_clear()
        plans(card)
    return not said


def as_row(name: str, batch: int, inputs: int, outputs: int, plan: Plan) -> dict[str, Any]:
    """The plan as a row of a file of plans."""
    sides = {"inputs": inputs, "outputs": outputs}
    return {"format": name, "batch": batch, **sides, "plan": list(astuple(plan))}
