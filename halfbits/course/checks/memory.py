"""How many bytes of numbers an object holds, in whatever form and however deep they are hidden."""

from __future__ import annotations

import array
import gc
import types
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


def alive(least: int = SLACK) -> int:
    """The bytes of all tensors, arrays and byte strings of `least` or more in any container.

    Whose container it is does not matter: an attribute of a module holds numbers as well.
    """
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
    sizes = dict(map(_numbers, found.values()))
    return sum(size for size in sizes.values() if size >= least)


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
