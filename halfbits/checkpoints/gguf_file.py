"""Checkpoints of llama.cpp: described by halfbits.models.gguf, decoded by the package gguf."""

from __future__ import annotations

import math
from pathlib import Path

import gguf
import numpy as np
from gguf import quants

from halfbits.checkpoints.files import Checkpoint, CheckpointError, Floats, StoredTensor
from halfbits.models.gguf import GGUF

INTEGERS = ("I8", "I16", "I32", "I64")


class GGUFFile(Checkpoint):
    """A mapped file; a tensor that reaches beyond its end is an error."""

    def __init__(self, path: Path) -> None:
        self._file = GGUF(path)
        self.metadata = self._file.metadata
        self._data = np.memmap(path, np.uint8, mode="r")
        self._start: dict[str, int] = {}
        self.tensors = [self._described(name) for name in self._file.tensors]

    def _described(self, name: str) -> StoredTensor:
        info = self._file.tensors[name]
        try:
            kind = gguf.GGMLQuantizationType(info.kind)
        except ValueError as error:
            raise CheckpointError(
                f"{name} has GGUF type {info.kind}, which nobody knows."
            ) from error
        values, size = gguf.GGML_QUANT_SIZES[kind]
        count = math.prod(info.shape)
        if not info.shape or info.shape[-1] % values:
            raise CheckpointError(
                f"{name} has rows of {info.shape[-1] if info.shape else 0} values, and "
                f"{kind.name} holds them by {values}."
            )
        nbytes = count // values * size
        if info.start + nbytes > len(self._data):
            raise CheckpointError(
                f"{name} needs {nbytes} bytes from {info.start} on, and the file has "
                f"{len(self._data)}: it is cut off, or its description is wrong."
            )
        self._start[name] = info.start
        return StoredTensor(name, info.shape, kind.name, nbytes)

    def rows(self, tensor: StoredTensor, first: int, count: int) -> Floats | None:
        if tensor.format in INTEGERS:
            return None
        kind = gguf.GGMLQuantizationType[tensor.format]
        values, size = gguf.GGML_QUANT_SIZES[kind]
        row = tensor.shape[-1] // values * size
        begin = self._start[tensor.name] + first * row
        blocks = np.array(self._data[begin : begin + count * row]).reshape(-1, row)
        if tensor.format == "F64":
            return blocks.view("<f8").astype(np.float32)
        try:
            with np.errstate(all="ignore"):  # scales that are NaN or infinite are counted, not told
                return quants.dequantize(blocks, kind).reshape(-1, tensor.shape[-1])
        except NotImplementedError:  # the package writes every type and decodes nearly all
            return None
