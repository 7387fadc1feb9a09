"""Checkpoints of Hugging Face: one safetensors file, or a folder with several.

The package safetensors checks each header (lengths, overlaps, types); values are then read from a
map of the file, since the package's own tensors would reserve the memory of the whole file.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from halfbits.checkpoints.files import Checkpoint, CheckpointError, Floats, StoredTensor
from halfbits.format_table import FORMATS

# The file's word for a format whose numbers mean something alone.
TYPES = {
    **{"F64": "fp64", "F32": "fp32", "F16": "fp16", "BF16": "bf16"},
    **{"F8_E4M3": "fp8_e4m3fn", "F8_E5M2": "fp8_e5m2"},
}


class SafetensorsFolder(Checkpoint):
    """The tensors of all files together; a name that stands in two files is an error."""

    def __init__(self, files: list[Path]) -> None:
        self._place: dict[str, tuple[np.memmap, int]] = {}
        self.metadata = {}
        self.tensors = [tensor for file in files for tensor in self._read(file)]

    def _read(self, file: Path) -> Iterator[StoredTensor]:
        described = _header(file)
        self.metadata.update(described.pop("__metadata__", None) or {})
        data = np.memmap(file, np.uint8, mode="r")
        start = 8 + struct.unpack("<Q", data[:8].tobytes())[0]
        for name, said in described.items():
            if name in self._place:
                raise CheckpointError(f"{name} is in {file.name} and in another file as well.")
            begin, end = said["data_offsets"]
            self._place[name] = data, start + begin
            yield StoredTensor(name, tuple(said["shape"]), said["dtype"], end - begin)

    def rows(self, tensor: StoredTensor, first: int, count: int) -> Floats | None:
        if tensor.format not in TYPES or not tensor.shape:
            return None
        import torch

        data, start = self._place[tensor.name]
        width = math.prod(tensor.shape[-1:]) * tensor.nbytes // tensor.numel
        piece = bytearray(data[start + first * width : start + (first + count) * width])
        dtype = getattr(torch, FORMATS[TYPES[tensor.format]].torch)
        values = torch.frombuffer(piece, dtype=dtype)
        return values.float().view(-1, tensor.shape[-1]).numpy()


def _header(file: Path) -> dict[str, Any]:
    """The description of a file that safetensors finds whole. Raises CheckpointError."""
    from safetensors import SafetensorError, safe_open

    try:
        safe_open(file, framework="numpy")
    except (SafetensorError, OSError, ValueError, RuntimeError) as error:
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CheckpointError(f"{file} is no whole safetensors file: {said}.") from error
    with file.open("rb") as opened:
        length = struct.unpack("<Q", opened.read(8))[0]
        return dict(json.loads(opened.read(length)))
