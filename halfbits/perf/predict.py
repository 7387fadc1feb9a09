"""Predicts a transformer layer's time from its sizes, a record's rates, and the roofline.

Three terms add up: the products with the weights, attention over the KV cache, and the rest (norms,
rotation, rounding of activations). Rates are fitted to a few rows of the record; `errors` judges
the prediction on all the others.
"""

from __future__ import annotations

import bisect
import math
import statistics
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from halfbits.perf.cost import Decoder, llama_3
from halfbits.perf.records import Row, rows
from halfbits.perf.storage import storage

# One layer of each.
MODELS = {f"{billions}B": replace(llama_3(billions), layers=1) for billions in (8, 70)}
FITTED = ((8192, 8192), (4096, 14336))  # (inputs, outputs) whose rows give the rates
SMALL = (4096, 4096)  # and the fixed cost, with the first
FITTED_LAYERS = {"model": "8B", "stage": "decode", "context": 128}


@dataclass(frozen=True)
class Terms:
    """Seconds of one layer."""

    weights: float
    cache: float
    rest: float

    @property
    def total(self) -> float:
        """Seconds of the whole layer."""
        return self.weights + self.cache + self.rest


def format_of(implementation: str) -> str:
    """The format whose name an implementation begins with, such as int4 for "int4 g128, ours"."""
    return implementation.replace(",", " ").split()[0]


def weight_bytes(implementation: str, inputs: int, outputs: int) -> float:
    """Bytes of a weight's codes and group scales."""
    return inputs * outputs * storage(format_of(implementation)).bits / 8


def seconds(row: Row) -> float:
    """Median seconds of a record's row."""
    return row["seconds"]["median"]


class Predictor:
    """What one record says about any layer. ValueError for an implementation that it lacks."""

    def __init__(self, record: dict[str, Any]) -> None:
        self.record = record
        self._fits: dict[str, tuple[float, list[float], list[float]]] = {}
        self._rests: dict[str, tuple[float, float]] = {}

    @cached_property
    def bandwidth(self) -> float:
        """Bytes a second of the fastest read from memory."""
        return max(row["read"]["median"] for row in self.record["bandwidth"])

    def peak(self, implementation: str) -> float:
        """Operations a second of the fastest square product in the type that it multiplies."""
        kind = (
            implementation if implementation in ("fp32", "fp16", "bf16", "fp8", "int8") else "bf16"
        )
        found = rows(self.record, "products", way=kind)
        return max(2 * r["batch"] * r["inputs"] * r["outputs"] / seconds(r) for r in found)

    def product(self, implementation: str, batch: int, inputs: int, outputs: int) -> float:
        """Seconds of one product: a fixed cost, and weight bytes over the rate at this batch."""
        fixed, batches, rates = self._fit(implementation)
        return fixed + weight_bytes(implementation, inputs, outputs) / between(
            batch, batches, rates
        )

    def cache(self, model: Decoder, batch: int, context: int) -> float:
        """Seconds of attention for one new token a row.

        Many heads share the bandwidth; few are bound by how fast one unit reads its head alone.
        """
        every, alone = self._cache_rates
        head = context * model.head_dim * 2 * 2  # keys and values, bfloat16
        return max(batch * model.kv_heads * head / every, head / alone)

    def decode(self, implementation: str, model: Decoder, batch: int, context: int) -> Terms:
        """The three terms of one layer and one new token for each row of the batch."""
        fixed, each = self._rest(implementation)
        products = sum(self.product(implementation, batch, *shape) for shape in model.matrices)
        rest = fixed + each * batch * model.hidden
        return Terms(products, self.cache(model, batch, context), rest)

    def floors(self, implementation: str, model: Decoder, batch: int) -> tuple[float, float]:
        """The roofline's least seconds of the products: reading the weights, and arithmetic."""
        read = (
            sum(weight_bytes(implementation, *shape) for shape in model.matrices) / self.bandwidth
        )
        count = sum(2 * batch * inputs * outputs for inputs, outputs in model.matrices)
        return read, count / self.peak(implementation)

    def implementations(self) -> list[str]:
        """The implementations whose layers were measured."""
        return list(dict.fromkeys(row["way"] for row in rows(self.record, "layers")))

    def most(self, implementation: str) -> int:
        """Rows of the largest batch at which its layers were measured."""
        found = rows(self.record, "layers", way=implementation, stage="decode")
        return max(int(row["batch"]) for row in found)

    def errors(self) -> dict[str, list[float]]:
        """By implementation, |predicted / measured - 1| of speed over bf16, on unfitted layers."""
        found: dict[str, list[float]] = {}
        for row in rows(self.record, "layers", stage="decode"):
            if row["way"] != "bf16" and not FITTED_LAYERS.items() <= row.items():
                error = self.speed(row) / self.measured_speed(row) - 1
                found.setdefault(row["way"], []).append(abs(error))
        return found

    def time_errors(self) -> dict[str, list[float]]:
        """By implementation, |predicted / measured - 1| of a time, on layers not fitted to."""
        found: dict[str, list[float]] = {}
        for row in rows(self.record, "layers", stage="decode"):
            if not FITTED_LAYERS.items() <= row.items():
                sizes = MODELS[row["model"]], row["batch"], row["context"]
                predicted = self.decode(row["way"], *sizes).total
                found.setdefault(row["way"], []).append(abs(predicted / seconds(row) - 1))
        return found

    def speed(self, row: Row) -> float:
        """Predicted bf16 time over the time of `row`."""
        sizes = MODELS[row["model"]], row["batch"], row["context"]
        return self.decode("bf16", *sizes).total / self.decode(row["way"], *sizes).total

    def measured_speed(self, row: Row) -> float:
        """Measured bf16 time over the measured time of `row`."""
        same = {key: row[key] for key in ("model", "stage", "batch", "context")}
        [base] = rows(self.record, "layers", way="bf16", **same)
        return seconds(base) / seconds(row)

    def product_errors(self) -> list[float]:
        """|predicted / measured - 1| of single products whose shapes were not fitted to."""
        kept = (*FITTED, SMALL)
        found = []
        for row in rows(self.record, "gemv_more"):
            shape = row["inputs"], row["outputs"]
            if shape not in kept and row["way"] in self.implementations():
                predicted = self.product(row["way"], row["batch"], *shape)
                found.append(abs(predicted / seconds(row) - 1))
        return found

    @cached_property
    def _cache_rates(self) -> tuple[float, float]:
        found = rows(self.record, "kv_cache", cache="bf16")
        every = max(row["cache_bytes"] / seconds(row) for row in found)
        alone = min(found, key=lambda row: row["batch"])
        return every, alone["cache_bytes"] / MODELS["8B"].kv_heads / seconds(alone)

    def _fit(self, implementation: str) -> tuple[float, list[float], list[float]]:
        if implementation not in self._fits:
            self._fits[implementation] = self._new_fit(implementation)
        return self._fits[implementation]

    def _new_fit(self, implementation: str) -> tuple[float, list[float], list[float]]:
        """The fixed cost, from a large and a small product; then a rate for each batch.

        A small product can be slow by itself, such as one whose kernel the library chose badly;
        the fixed cost is at most what reading leaves of the large one's time.
        """
        found = rows(self.record, "gemv", "batches", way=implementation)
        found = [row for row in found if (row["inputs"], row["outputs"]) in FITTED]
        if not found:
            raise ValueError(f"the record has no products of {implementation!r}")
        [small] = rows(
            self.record, "gemv_more", way=implementation, batch=1, inputs=SMALL[0], outputs=SMALL[1]
        )
        [large] = [r for r in found if r["batch"] == 1 and r["inputs"] == r["outputs"]]
        slope = (seconds(large) - seconds(small)) / (
            weight_bytes(implementation, *FITTED[0]) - weight_bytes(implementation, *SMALL)
        )
        read = weight_bytes(implementation, *FITTED[0]) / self.bandwidth
        fixed = seconds(small) - slope * weight_bytes(implementation, *SMALL)
        fixed = max(0.0, min(fixed, seconds(large) - read))
        rates: dict[int, list[float]] = {}
        for row in found:
            nbytes = weight_bytes(implementation, row["inputs"], row["outputs"])
            rates.setdefault(row["batch"], []).append(nbytes / (seconds(row) - fixed))
        batches = sorted(rates)
        return fixed, list(batches), [statistics.geometric_mean(rates[b]) for b in batches]

    def _rest(self, implementation: str) -> tuple[float, float]:
        """Fixed seconds of the rest, and seconds for each element of the hidden state."""
        if implementation not in self._rests:
            model = MODELS["8B"]
            found = rows(self.record, "layers", way=implementation, **FITTED_LAYERS)
            least, most = (pick(found, key=lambda r: r["batch"]) for pick in (min, max))
            over = []
            for row in (least, most):
                products = sum(
                    self.product(implementation, row["batch"], *s) for s in model.matrices
                )
                cache = self.cache(model, row["batch"], row["context"])
                over.append(max(0.0, seconds(row) - products - cache))
            each = max(0.0, over[1] - over[0]) / (most["batch"] - least["batch"]) / model.hidden
            self._rests[implementation] = over[0], each
        return self._rests[implementation]


def between(batch: float, batches: list[float], rates: list[float]) -> float:
    """The rate at `batch` rows, on a straight line between the neighbors, both axes logarithmic."""
    place = min(max(bisect.bisect_left(batches, batch), 1), len(batches) - 1)
    low, high = batches[place - 1], batches[place]
    share = math.log(batch / low) / math.log(high / low)
    return math.exp((1 - share) * math.log(rates[place - 1]) + share * math.log(rates[place]))


def median_error(predictor: Predictor) -> float:
    """Median of `Predictor.errors`, a share of the measured time, over all implementations."""
    return statistics.median(error for found in predictor.errors().values() for error in found)
