"""Other numbers in a value that exists, or, where it cannot be changed, at its place in memory."""

from __future__ import annotations

import contextlib
import sys
from types import FunctionType, ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

TRIES = 64  # of copies, until one lies where another was


def overwrite(old: Any, new: Any) -> Any:
    """`old` with the numbers of `new`, changed in place; `new` where `old` cannot be changed.

    Tensors, arrays and models keep their shapes; lists, dictionaries and objects may grow.
    """
    if isinstance(old, nn.Module):
        overwrite(tensors(old), tensors(new))
    elif isinstance(old, Tensor):
        old.data.copy_(new)
    elif isinstance(old, np.ndarray):
        old[...] = new
    elif hasattr(old, "assign") and hasattr(old, "shape"):
        old.assign(new)
    elif isinstance(old, dict):
        changed = {key: overwrite(old[key], new[key]) if key in old else new[key] for key in new}
        old.clear()
        old.update(changed)
    elif isinstance(old, list):
        old[:] = _parts(old, new)
    elif isinstance(old, tuple):
        parts = _parts(old, new)
        return old if all(map(_is, parts, old)) and len(parts) == len(old) else tuple(parts)
    elif _is_object(old):
        overwrite(vars(old), vars(new))
    else:
        return new
    return old


def spoil(value: Any) -> None:
    """Write other numbers into the tensors, arrays, lists and dictionaries of `value`.

    What cannot be written to, such as an expanded tensor, stays.
    """
    if isinstance(value, nn.Module):
        spoil(tensors(value))
    elif isinstance(value, (Tensor, np.ndarray)):
        with contextlib.suppress(RuntimeError, ValueError), torch.no_grad():
            other: Any = 1 - value if _has_numbers(value) else ~value
            value[...] = other
    elif isinstance(value, (list, tuple, dict)):
        for part in value.values() if isinstance(value, dict) else value:
            spoil(part)
        if not isinstance(value, tuple):
            value.clear()


def _has_numbers(value: Any) -> bool:
    return not str(value.dtype).endswith("bool")


def _parts(old: Any, new: Any) -> list[Any]:
    """The parts of `new`, each in the place of an old one as long as there are any."""
    return [overwrite(*pair) for pair in zip(old, new, strict=False)] + list(new[len(old) :])


def _is(left: Any, right: Any) -> bool:
    return left is right


def _is_object(value: Any) -> bool:
    """Whether `value` has attributes that can be set: no function or class, nothing frozen."""
    frozen = getattr(getattr(value, "__dataclass_params__", None), "frozen", False)
    fixed = isinstance(value, (type, FunctionType, ModuleType)) or is_fixed(value)
    return bool(getattr(value, "__dict__", None)) and not (fixed or frozen)


def is_fixed(value: Any) -> bool:
    """Whether `value` is a tensor that nothing can change, as TensorFlow's are."""
    own = isinstance(value, (Tensor, np.ndarray)) or hasattr(value, "assign")
    return hasattr(value, "shape") and hasattr(value, "numpy") and not own


def copied(value: Any) -> Any:
    """Another tensor with the numbers of a fixed one; copy.deepcopy gives back the same object."""
    return sys.modules["tensorflow"].constant(value.numpy(), dtype=value.dtype)


def made_at(address: int, value: Any) -> Any:
    """A copy of a fixed tensor at the `id` of one that is gone; None if chance makes none there."""
    tried = []  # which keeps what lies elsewhere from being made there again
    for _ in range(TRIES):
        tried.append(copied(value))
        if id(tried[-1]) == address:
            return tried[-1]
    return None


def tensors(module: nn.Module) -> list[Tensor]:
    """All parameters and buffers."""
    return [*module.parameters(), *module.buffers()]
