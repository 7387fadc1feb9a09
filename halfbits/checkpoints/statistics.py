"""What the values of one tensor are like, and what a format would do to some of its rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from halfbits import formats
from halfbits.checkpoints.files import Checkpoint, Floats, StoredTensor

FP16 = formats.limits("fp16")
OVERFLOWS = FP16.largest + float(formats.spacing(FP16.largest, "fp16")) / 2  # 65520, a tie
VANISHES = FP16.smallest / 2  # 2^-25, a tie
MOST_VALUES = 1 << 20  # of a tensor, unless all are asked for
PIECES = 8  # places in the tensor from which the rows are taken
WIDEST = 1 << 24  # values of a row; one that is longer would not fit beside its copies
STANDS_OUT = 20.0  # times the median channel


@dataclass(frozen=True)
class Statistics:
    """`seen` of `numel` values; magnitudes, and counts among the values seen.

    `to_infinity` would round to infinity in fp16, `to_zero` are not zero and would round to it.
    `peak_channel` is the largest magnitude of an input channel over that of the median channel.
    `sqnr` is in dB: 10 log10 (sum x^2 / sum (x - x')^2); None for a tensor that was not judged,
    or that the format cannot hold: `refused` is then its reason.
    """

    seen: int
    amax: float
    smallest: float
    nans: int
    infinities: int
    to_infinity: int
    to_zero: int
    peak_channel: float
    channel: int
    sqnr: float | None
    refused: str = ""

    @property
    def stands_out(self) -> bool:
        return self.peak_channel > STANDS_OUT


def statistics(
    checkpoint: Checkpoint,
    tensor: StoredTensor,
    rounded: Callable[[Floats], Floats] | None = None,
    whole: bool = False,
) -> Statistics | None:
    """Of rows from PIECES places, at most MOST_VALUES values, or of all if `whole`.

    `rounded` maps rows to what a format leaves of them. None for codes that mean nothing alone, for
    a tensor without values, and for rows of more than WIDEST.
    """
    if not tensor.numel or tensor.shape[-1:] > (WIDEST,):
        return None
    total = Tally(tensor.shape[-1] if tensor.shape else 0)
    for first, count in places(tensor, whole):
        rows = checkpoint.rows(tensor, first, count)
        if rows is None:
            return None
        total.add(rows, rounded)
    return total.done() if total.seen else None


def places(tensor: StoredTensor, whole: bool) -> list[tuple[int, int]]:
    """(first row, rows) of each piece, of at most MOST_VALUES / PIECES values."""
    if not tensor.numel:
        return []
    each = max(1, MOST_VALUES // PIECES // tensor.shape[-1])
    if whole or tensor.rows <= each * PIECES:
        return [(first, min(each, tensor.rows - first)) for first in range(0, tensor.rows, each)]
    starts = np.linspace(0, tensor.rows - each, PIECES).astype(int)
    return [(int(first), each) for first in starts]


class Tally:
    """Adds up pieces of one tensor."""

    def __init__(self, channels: int) -> None:
        self.seen = self._nans = self._infinities = self._large = self._small = 0
        self._channels = np.zeros(channels, np.float32)
        self._smallest = np.inf
        self._signal = self._noise = 0.0
        self._judged, self._refused = False, ""

    def add(self, rows: Floats, rounded: Callable[[Floats], Floats] | None) -> None:
        """Rows float32 [rows, channels]."""
        finite = np.isfinite(rows)
        self.seen += rows.size
        self._nans += int(np.isnan(rows).sum())
        self._infinities += int(np.isinf(rows).sum())
        size = np.abs(np.where(finite, rows, 0))
        self._channels = np.maximum(self._channels, size.max(0))
        nonzero = size[size > 0]
        self._smallest = min(self._smallest, float(nonzero.min(initial=np.inf)))
        self._large += int((size >= OVERFLOWS).sum())
        self._small += int((nonzero <= VANISHES).sum())
        if rounded is not None and finite.all() and not self._refused:
            try:
                self._judge(rows, rounded(rows))
            except ValueError as error:  # such as a scale beyond float16
                self._refused = str(error)

    def _judge(self, rows: Floats, back: Floats) -> None:
        self._judged = True
        self._signal += float(np.square(rows, dtype=np.float64).sum())
        self._noise += float(np.square(rows - back, dtype=np.float64).sum())

    def done(self) -> Statistics:
        middle = float(np.median(self._channels))
        peak = float(self._channels.max(initial=0))
        return Statistics(
            self.seen,
            peak,
            self._smallest if np.isfinite(self._smallest) else 0.0,
            self._nans,
            self._infinities,
            self._large,
            self._small,
            peak / middle if middle else (np.inf if peak else 1.0),
            int(self._channels.argmax()) if len(self._channels) else 0,
            self._decibels() if self._judged and not self._refused else None,
            self._refused,
        )

    def _decibels(self) -> float:
        if self._noise == 0:
            return float("inf")
        return float(10 * np.log10(self._signal / self._noise)) if self._signal else 0.0
