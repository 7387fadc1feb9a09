"""What every kind of checkpoint offers: tensors by name, size and format, and slices of them."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from halfbits.errors import CourseError

Floats = NDArray[np.float32]


class CheckpointError(CourseError):
    """A file that is no checkpoint, is damaged, or says of itself what cannot be."""


@dataclass(frozen=True)
class StoredTensor:
    """A tensor as the file describes it; `shape` is row-major, `format` the file's own word."""

    name: str
    shape: tuple[int, ...]
    format: str
    nbytes: int

    @property
    def numel(self) -> int:
        return math.prod(self.shape)

    @property
    def bits(self) -> float:
        """True bits of a value, what its block shares included."""
        return 8 * self.nbytes / self.numel if self.numel else 0.0

    @property
    def rows(self) -> int:
        """Vectors along the last dimension."""
        return self.numel // self.shape[-1] if self.shape and self.shape[-1] else 0


class Checkpoint(ABC):
    """An open checkpoint: `tensors` and `metadata` are known, values are read when asked for."""

    tensors: Sequence[StoredTensor]
    metadata: dict[str, Any]

    @abstractmethod
    def rows(self, tensor: StoredTensor, first: int, count: int) -> Floats | None:
        """`count` rows along the last dimension from `first`, float32 [count, last].

        None for a format whose codes mean nothing alone, such as packed integers. Raises
        CheckpointError where the bytes are not there.
        """

    @property
    def nbytes(self) -> int:
        """Bytes of all tensors."""
        return sum(tensor.nbytes for tensor in self.tensors)

    @property
    def parameters(self) -> int:
        """Values of all tensors, codes and scales alike."""
        return sum(tensor.numel for tensor in self.tensors)
