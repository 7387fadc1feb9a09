"""A learner's own tensor against the values of a format."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from halfbits.errors import CourseError

if TYPE_CHECKING:
    from halfbits.figures.components import NumberLine

MOST = 2001


def explore(tensor: Any, format: str = "fp8_e4m3fn", **state: Any) -> NumberLine:
    """A number line with the histogram of `tensor`: torch, numpy, TensorFlow or a list.

    Of more than 2,001 numbers it shows as many quantiles, smallest and largest among them.
    Raises CourseError when no number is finite.
    """
    from halfbits.figures.components import NumberLine

    samples = quantiles(as_array(tensor))
    return NumberLine(data={"samples": samples}, source="yours", format=format, **state)


def as_array(tensor: Any) -> NDArray[np.float64]:
    """All numbers of `tensor` as a flat float64 array; the tensor stays as it is."""
    if hasattr(tensor, "detach"):  # torch: numpy has no bf16
        tensor = tensor.detach().cpu().double()
    return np.asarray(tensor).astype(np.float64).ravel()


def quantiles(x: NDArray[np.float64]) -> list[float]:
    """At most MOST of the finite numbers, in order; CourseError if there is none."""
    finite = np.sort(x[np.isfinite(x)])
    if not finite.size:
        raise CourseError("explore found no finite number in the tensor; pass one that has some.")
    if finite.size <= MOST:
        return finite.tolist()
    return finite[np.linspace(0, finite.size - 1, MOST).round().astype(int)].tolist()
