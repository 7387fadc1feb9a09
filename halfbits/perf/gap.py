"""How far recorded layers are from the roofline: the error of whoever has nothing better.

For each recorded layer of each card: its measured time over the roofline's, and the roofline's gain
over bf16 against the measured one.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from halfbits.perf import records
from halfbits.perf.cost import Machine, hardware
from halfbits.perf.fit import MULTIPLIED
from halfbits.perf.predict import MODELS, format_of, seconds, weight_bytes
from halfbits.perf.records import Row

CARDS = {"h100": "H100 SXM", "h200": "H200 SXM"}
FUSED = {"bf16": "bf16", "fp8": "fp8", "int8": "int8, ours", "int4": "int4 g128, ours"}


@dataclass(frozen=True)
class Gap:
    """`slower`: measured times over the roofline's, sorted; `errors`: of the gain over bf16."""

    format: str
    slower: tuple[float, ...]
    errors: tuple[float, ...]

    @property
    def typical(self) -> float:
        """Median of how many times slower than the roofline."""
        return statistics.median(self.slower)


@cache
def gap(weights: str) -> Gap | None:
    """Of the recorded kernel that reads `weights` as they are stored; None where there is none."""
    name = weights.removesuffix(" g128")
    if name not in FUSED:
        return None
    pairs = list(_pairs(FUSED[name]))
    slower = sorted(seconds(row) / roof for row, roof, _, _ in pairs)
    gains = (
        (base_roof / roof, seconds(base) / seconds(row)) for row, roof, base, base_roof in pairs
    )
    return Gap(name, tuple(slower), tuple(abs(at_best / real - 1) for at_best, real in gains))


def _pairs(implementation: str) -> Iterator[tuple[Row, float, Row, float]]:
    """Each recorded layer and the same one in bf16, with the roofline's time of both."""
    for record, card in ((records.load(name), hardware()[card]) for name, card in CARDS.items()):
        for row in records.rows(record, "layers", stage="decode", way=implementation):
            same = {key: row[key] for key in ("model", "stage", "batch", "context")}
            [base] = records.rows(record, "layers", way="bf16", **same)
            yield row, _roof(row, card), base, _roof(base, card)


def _roof(row: Row, card: Machine) -> float:
    """The roofline's seconds of one layer and one new token for each row."""
    model, batch, context = MODELS[row["model"]], row["batch"], row["context"]
    read = sum(weight_bytes(row["way"], *shape) for shape in model.matrices)
    read += batch * context * model.kv_bytes("bf16")
    products = 2 * batch * model.block_weights
    scores = 4 * batch * model.heads * model.head_dim * context
    fast = card.peak[MULTIPLIED.get(format_of(row["way"]), "bf16")]
    return max(read / card.bandwidth, products / fast + scores / card.peak["bf16"])
