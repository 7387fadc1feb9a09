"""How many bytes of numbers an object holds, in whatever form and however deep they are hidden."""

from __future__ import annotations

import array
import gc
import types
import zlib
from typing import Any

import numpy as np
import torch

# What holds no numbers of an answer's, or leads into everything that is loaded.
OUTSIDE = (types.ModuleType, types.CodeType, types.FrameType, str)
ARRAYS = (torch.Tensor, np.ndarray, bytes, bytearray, array.array)
SLACK = 4096  # bytes that an ordinary module holds besides its parameters and buffers
NUMBER = 8  # bytes at least of a Python number; small whole numbers are shared and count once


def held(*roots: Any, module: str = "") -> int:
    """The bytes of all tensors, arrays, byte strings and numbers that can be reached from `roots`.

    Containers, attributes, closures, default arguments and bound methods are followed, and classes
    that `module` defines; memory that several tensors share counts once.
    """
    seen: dict[int, Any] = {}
    sizes: dict[int, int] = {}
    waiting = list(roots)
    while waiting:
        thing = waiting.pop()
        if id(thing) not in seen and not isinstance(thing, OUTSIDE):
            seen[id(thing)] = thing
            place, size = _numbers(thing)
            sizes[place] = max(size, sizes.get(place, 0))
            waiting.extend(_parts(thing, module))
    return sum(sizes.values())


class Snapshot:
    """The arrays of `least` bytes or more that are alive now, and what stands in them.

    Whose container holds them does not matter: an attribute of a module holds numbers as well.

    They are kept alive, so that none of a later time lies in the place of one that is gone.
    """

    def __init__(self, least: int = SLACK) -> None:
        self.least = least
        self.things = _arrays()
        self.marks = self._marks(self.things)

    def written(self) -> int:
        """The bytes of arrays that are new, or hold other numbers than then."""
        changed: dict[int, int] = {}
        for (place, size), mark in self._marks(_arrays()).items():
            if self.marks.get((place, size)) != mark:
                changed[place] = max(size, changed.get(place, 0))
        return sum(changed.values())

    def _marks(self, things: list[Any]) -> dict[tuple[int, int], int]:
        """A checksum of each array that is large enough, by its place and size."""
        found = {}
        for thing in things:
            key = _numbers(thing)
            if key[1] >= self.least and key not in found:
                found[key] = zlib.crc32(_bytes(thing))
        return found


def _arrays() -> list[Any]:
    """All tensors, arrays and byte strings in any container."""
    found: dict[int, Any] = {}
    known: dict[type, bool] = {}  # an isinstance of each would ask the framework each time
    waiting = gc.get_objects()
    while waiting:
        for one in gc.get_referents(waiting.pop()):
            kind = type(one)
            if kind not in known:
                known[kind] = issubclass(kind, ARRAYS)
            if known[kind]:
                found[id(one)] = one
            elif kind in (dict, tuple) and not gc.is_tracked(one):
                waiting.append(one)  # nothing in it is a container, so it is not listed
    return list(found.values())


def _bytes(thing: Any) -> Any:
    """What stands in the memory of an array, as bytes; b"" where that cannot be read."""
    if isinstance(thing, torch.Tensor):
        storage = thing.untyped_storage()
        if storage.device.type != "cpu":
            return b""
        whole: Any = torch.empty(0, dtype=torch.uint8)
        return whole.set_(storage).numpy()
    if isinstance(thing, np.ndarray):
        return b"" if thing.dtype == object else np.ascontiguousarray(thing).view(np.uint8).ravel()
    return memoryview(thing).cast("B")


def namespace_of(task: Any) -> dict[str, Any]:
    """The global names of the program that defines a function or a class; empty if unknown."""
    for one in (task, *vars(task).values()):
        inner = getattr(one, "__func__", getattr(one, "__wrapped__", one))
        if isinstance(inner, types.FunctionType):
            return inner.__globals__
    return {}


def _numbers(thing: Any) -> tuple[int, int]:
    """The memory of `thing` itself: its address, and its size in bytes."""
    if isinstance(thing, torch.Tensor):
        storage = thing.untyped_storage()
        return storage.data_ptr(), storage.nbytes()
    if isinstance(thing, np.ndarray):
        return thing.__array_interface__["data"][0], thing.nbytes
    if isinstance(thing, (bytes, bytearray, array.array)):
        return id(thing), memoryview(thing).nbytes
    return id(thing), NUMBER if isinstance(thing, (int, float)) else 0


def _parts(thing: Any, module: str) -> list[Any]:
    """What `thing` holds."""
    if isinstance(thing, types.FunctionType):
        return [thing.__closure__, thing.__defaults__, thing.__kwdefaults__, thing.__dict__]
    if isinstance(thing, types.BuiltinFunctionType):
        return [thing.__self__]
    if isinstance(thing, type):
        return [dict(vars(thing))] if thing.__module__ == module else []
    if isinstance(thing, torch.Tensor):
        return [thing.__dict__, thing.grad if thing.is_leaf else None]
    if isinstance(thing, np.ndarray):
        return [thing.base, *(thing.ravel().tolist() if thing.dtype == object else [])]
    return gc.get_referents(thing)
