"""Read a GGUF file (the format of llama.cpp, version 2 or 3): metadata, tensors, tokenizer.

Layout: "GGUF", version, counts; key-value pairs; one description a tensor; padding; the data.
Everything is little-endian; a string is its length (uint64) and its UTF-8 bytes.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from halfbits.errors import CourseError
from halfbits.quantize.gguf_blocks import GGUF_TYPES

# Value types 0 to 12 of the key-value pairs: a numpy dtype, or what has its own reader.
VALUES = ["u1", "i1", "<u2", "<i2", "<u4", "<i4", "<f4", "?", "string", "array"]
VALUES += ["<u8", "<i8", "<f8"]


# Tensor type -> (bytes of a block, its values, reader); 0 and 1 are plain floats.
BLOCKS: dict[int, tuple[int, int, Any]] = {
    0: (4, 1, lambda blocks: blocks.view("<f4")),
    1: (2, 1, lambda blocks: blocks.view("<f2").astype(np.float32)),
    **{kind.number: (kind.nbytes, kind.values, kind.decode) for kind in GGUF_TYPES.values()},
}


def type_name(kind: int) -> str:
    """A tensor type as llama.cpp calls it, such as MXFP4 for 39; its number if it has no name."""
    import gguf

    names = {int(known): known.name for known in gguf.GGMLQuantizationType}
    return names.get(kind, str(kind))


@dataclass(frozen=True)
class TensorInfo:
    """Where one tensor lies: its shape (row-major), type number, and first byte in the file."""

    shape: tuple[int, ...]
    kind: int
    start: int


class GGUF:
    """`metadata` by key, `tensors` by name; `read(name)` gives float32 values."""

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.is_file() or path.stat().st_size < 4:
            raise CourseError(f"{path} is no GGUF file: it is missing or empty.")
        self._bytes = np.memmap(path, np.uint8, mode="r")
        if bytes(self._bytes[:4]) != b"GGUF":
            raise CourseError(f"{path} is no GGUF file: it does not begin with GGUF.")
        self._place = 4
        try:
            self._read_head()
        except (
            ValueError,
            IndexError,
            KeyError,
            TypeError,
            ArithmeticError,
            RecursionError,
        ) as error:
            raise CourseError(
                f"{path} is damaged: its description ends or makes no sense at byte {self._place}."
            ) from error

    def _read_head(self) -> None:
        version, tensors, pairs = self._number("<u4"), self._number("<u8"), self._number("<u8")
        if version not in (2, 3):
            raise CourseError(f"{self.path} is GGUF version {version}; 2 and 3 can be read.")
        self.metadata = dict(self._pair() for _ in range(pairs))
        described = [self._describe() for _ in range(tensors)]
        align = int(self.metadata.get("general.alignment", 32))
        data = -(-self._place // align) * align
        self.tensors = {n: TensorInfo(s, k, data + o) for n, s, k, o in described}
        if len(self.tensors) < tensors:
            raise ValueError("two tensors of one name")

    def blocks(self, name: str) -> np.ndarray:
        """The tensor's raw blocks, uint8 [blocks, bytes of a block]."""
        info = self.tensors[name]
        if info.kind not in BLOCKS:
            readable = ", ".join(map(type_name, sorted(BLOCKS)))
            raise CourseError(
                f"{name} has GGUF type {type_name(info.kind)}; this reader knows {readable}, "
                "and halfbits.checkpoints all of them."
            )
        size, values, _ = BLOCKS[info.kind]
        count = int(np.prod(info.shape)) // values
        return np.array(self._bytes[info.start : info.start + count * size]).reshape(count, size)

    def read(self, name: str) -> np.ndarray:
        """The tensor as float32 in its row-major shape."""
        blocks, info = self.blocks(name), self.tensors[name]
        return BLOCKS[info.kind][2](blocks).reshape(info.shape)

    def _take(self, size: int) -> bytes:
        if self._place + size > len(self._bytes):
            raise ValueError("a length that reaches beyond the file")
        self._place += size
        return self._bytes[self._place - size : self._place].tobytes()

    def _number(self, dtype: str) -> Any:
        kind = np.dtype(dtype)
        return np.frombuffer(self._take(kind.itemsize), kind)[0].item()

    def _string(self) -> str:
        return self._take(struct.unpack("<Q", self._take(8))[0]).decode("utf-8")

    def _value(self, kind: str) -> Any:
        if kind == "string":
            return self._string()
        if kind != "array":
            return self._number(kind)
        inner, count = VALUES[self._number("<u4")], self._number("<u8")
        return [self._value(inner) for _ in range(count)]

    def _pair(self) -> tuple[str, Any]:
        key = self._string()
        return key, self._value(VALUES[self._number("<u4")])

    def _describe(self) -> tuple[str, tuple[int, ...], int, int]:
        name = self._string()
        sizes = [self._number("<u8") for _ in range(self._number("<u4"))]
        # GGUF names the fastest-running dimension first.
        return name, tuple(reversed(sizes)), self._number("<u4"), self._number("<u8")
