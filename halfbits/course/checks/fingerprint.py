"""Tensors, arrays, modules and collections as bits that can be compared before and after."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

from halfbits.course.checks.values import dtype_name

HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")


def fingerprint(thing: Any, at: str = "") -> dict[str, object]:
    """Each part of `thing` by name: dtype, shape and bits of tensors, the modes of modules."""
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(thing, torch.nn.Module):
        return _of_module(thing, at)
    if torch is not None and isinstance(thing, torch.Tensor):
        grad = {} if thing.grad is None else fingerprint(thing.grad, f"{at}.grad")
        return {at: ("grad" if thing.requires_grad else "plain", *_bits(thing)), **grad}
    if isinstance(thing, Mapping):
        parts = [(f"{at}[{key!r}]", value) for key, value in thing.items()]
    elif isinstance(thing, (list, tuple)):
        parts = [(f"{at}[{index}]", value) for index, value in enumerate(thing)]
    else:
        return {at: _bits(thing) if hasattr(thing, "dtype") else repr(thing)}
    return {at + ".len": len(parts)} | {
        k: v for name, part in parts for k, v in fingerprint(part, name).items()
    }


def _of_module(module: Any, at: str) -> dict[str, object]:
    marks: dict[str, object] = {}
    for name, child in module.named_modules():
        own = f"{at}.{name}" if name else at
        marks[f"{own}.training"] = child.training
        marks[f"{own}.hooks"] = sum(len(getattr(child, hooks)) for hooks in HOOKS)
        if "forward" in vars(child):
            marks[f"{own}.forward"] = "replaced"
    for name, tensor in [*module.named_parameters(), *module.named_buffers()]:
        marks |= fingerprint(tensor, f"{at}.{name}")
    return marks


def _bits(value: Any) -> tuple[object, ...]:
    shape = tuple(value.shape)
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor):
        # Not contiguous(): it keeps the strides of a tensor with a single number.
        flat = value.detach().cpu().clone(memory_format=torch.contiguous_format)
        if flat.numel() == 0 or flat.is_quantized:
            return dtype_name(value), shape, repr(flat)
        return dtype_name(value), shape, flat.reshape(-1).view(torch.uint8).numpy().tobytes()
    array = np.asarray(value.numpy() if hasattr(value, "numpy") else value)
    return dtype_name(value), shape, array.tobytes()


def change(was: object, now: object) -> str:
    """What happened to a part, in words."""
    if was is None or now is None:
        return "added" if was is None else "removed"
    if isinstance(was, tuple) and isinstance(now, tuple) and was[:-1] != now[:-1]:
        return f"{was[:-1]} is now {now[:-1]}"
    return "other values" if isinstance(was, tuple) else f"{was} is now {now}"
