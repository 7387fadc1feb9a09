"""What a check may demand of an answer; a demand that fails says called, expected, got and why."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

SHOWN = 400
UNTOUCHED = "the caller still owns what was passed in; work on a copy"


class CheckFailed(AssertionError):  # noqa: N818
    """A demand of a check that the answer does not meet; the text is the four-line report."""


def expect(condition: object, *, called: str, expected: str, got: object, why: str) -> None:
    """Raise `CheckFailed` unless `condition` is true. A NaN, an array or a None is never true."""
    if not _is_true(condition):
        raise CheckFailed(four_lines(called, expected, got, why))


def expect_close(
    got: object, want: object, *, atol: Any, called: str, why: str, check_dtype: bool = True
) -> None:
    """Demand |got - want| <= atol, and `want`'s shape and dtype.

    `got` and `want` are numbers, arrays or tensors; `atol` is a number or broadcasts against
    `want`. Infinities must stand where `want` has them, with the same sign. A NaN in `got` or
    in `atol` never passes.
    """
    expect_array(got, like=want, called=called, why=why, check_dtype=check_dtype)
    have, wish, room = as_float64(got), as_float64(want), as_float64(atol)
    if np.isnan(have).any():
        at = _first(np.isnan(have))
        raise CheckFailed(four_lines(called, "no NaN", f"NaN{at}", why))
    bad = ~_within(have, wish, np.broadcast_to(room, wish.shape))
    if bad.any():
        raise CheckFailed(four_lines(called, *_worst(have, wish, room, bad), why))


def expect_array(
    got: object, *, like: object, called: str, why: str, check_dtype: bool = True
) -> None:
    """Demand that `got` has the kind, the shape and (unless told not to) the dtype of `like`."""
    if got is None:
        raise CheckFailed(four_lines(called, describe(like), "None", f"is a return missing? {why}"))
    numbers = (bool, int, float, np.number)
    if isinstance(like, numbers):
        right = isinstance(got, numbers) or getattr(got, "shape", None) == ()
        expect(right, called=called, expected="one number", got=got, why=why)
        return
    same = hasattr(got, "shape") and tuple(got.shape) == tuple(like.shape)  # type: ignore[attr-defined]
    if same and check_dtype:
        same = _dtype(got) == _dtype(like)
    expect(same, called=called, expected=describe(like), got=describe(got), why=why)


def expect_dtype(got: object, dtype: object, *, called: str, why: str) -> None:
    """Demand that `got` is an array or tensor of `dtype` (torch.float16, np.int8, "float16")."""
    wanted = str(np.dtype(dtype)) if isinstance(dtype, type) else str(dtype)
    wanted = wanted.removeprefix("torch.")
    expect(
        _dtype(got) == wanted, called=called, expected=f"dtype {wanted}", got=describe(got), why=why
    )


@contextlib.contextmanager
def expect_untouched(*things: object, called: str, why: str = UNTOUCHED) -> Iterator[None]:
    """Demand that tensors, arrays, modules, lists and dicts leave the block as they came.

    Compared bit by bit: values, dtypes, shapes, `requires_grad`, gradients; of a module also its
    `training` flags and the names of its parameters and buffers.
    """
    before = [_fingerprint(thing) for thing in things]
    yield
    for number, (thing, was) in enumerate(zip(things, before, strict=True), 1):
        now = _fingerprint(thing)
        for part in sorted(was.keys() | now.keys()):
            same = was.get(part) == now.get(part)
            name = f"argument {number}{part}"
            expect(
                same,
                called=called,
                expected=f"{name} left as it was",
                got=f"{name} changed: {_change(was.get(part), now.get(part))}",
                why=why,
            )


def four_lines(called: str, expected: object, got: object, why: str) -> str:
    """The report of a failed check, its labels flush right."""
    rows = (("called", called), ("expected", expected), ("got", brief(got)), ("why", why))
    return "\n".join(f"{label:>9}: {_indent(text)}" for label, text in rows)


def brief(value: object) -> str:
    """`value` in at most about 400 characters."""
    try:
        text = value if isinstance(value, str) else repr(value)
    except Exception as error:
        text = f"<{type(value).__name__} whose repr raises {type(error).__name__}>"
    return text if len(text) <= SHOWN else text[: SHOWN - 2] + " …"


def describe(value: object) -> str:
    """The kind, dtype and shape of `value`: "tensor int8 [4, 8]"."""
    if value is None:
        return "None"
    if not hasattr(value, "shape") or not hasattr(value, "dtype"):
        return f"{type(value).__name__} {brief(value)}"
    kind = "tensor" if "Tensor" in type(value).__name__ else type(value).__name__
    return f"{kind} {_dtype(value)} {list(value.shape)}"


def as_float64(value: Any) -> np.ndarray:
    """`value` as a float64 numpy array; every dtype the course uses converts exactly."""
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor):
        value = value.detach().cpu()
        value = value.dequantize() if value.is_quantized else value
        return value.to(torch.float64).numpy()
    if hasattr(value, "numpy"):
        value = value.numpy()
    return np.asarray(value).astype(np.float64)


def _is_true(condition: object) -> bool:
    if isinstance(condition, (bool, np.bool_)):
        return bool(condition)
    if condition is None or isinstance(condition, (float, np.floating)):
        return False
    return bool(condition)


def _within(have: np.ndarray, wish: np.ndarray, room: np.ndarray) -> np.ndarray:
    with np.errstate(all="ignore"):
        near = np.abs(have - wish) <= room
    finite = np.isfinite(have) & np.isfinite(wish)
    return np.where(finite, near, have == wish)


def _worst(
    have: np.ndarray, wish: np.ndarray, room: np.ndarray, bad: np.ndarray
) -> tuple[str, str]:
    with np.errstate(all="ignore"):
        gap = np.where(bad, np.abs(have - wish), -1.0)
        gap[np.isnan(gap)] = np.inf
    at = np.unravel_index(int(np.argmax(gap)), gap.shape)
    place = f" at [{', '.join(str(int(i)) for i in at)}]" if at else ""
    allowed = np.broadcast_to(room, wish.shape)[at]
    count = f" ({int(bad.sum())} of {bad.size} off)" if bad.size > 1 else ""
    room_text = f", within {allowed:.3g}" if allowed else ""
    return (
        f"{wish[at]:.9g}{place}{room_text}",
        f"{have[at]:.9g}, off by {gap[at]:.3g}{count}",
    )


def _first(mask: np.ndarray) -> str:
    at = np.argwhere(mask)[0]
    return f" at [{', '.join(str(int(i)) for i in at)}]" if mask.ndim else ""


def _dtype(value: object) -> str:
    dtype = getattr(value, "dtype", type(value).__name__)
    return str(getattr(dtype, "name", dtype)).removeprefix("torch.")


def _indent(text: object) -> str:
    return str(text).replace("\n", "\n" + " " * 11)


def _change(was: object, now: object) -> str:
    if was is None or now is None:
        return "added" if was is None else "removed"
    if isinstance(was, tuple) and isinstance(now, tuple) and was[:-1] != now[:-1]:
        return f"{was[:-1]} is now {now[:-1]}"
    return "other values" if isinstance(was, tuple) else f"{was} is now {now}"


def _fingerprint(thing: Any, at: str = "") -> dict[str, object]:
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(thing, torch.nn.Module):
        return _of_module(thing, at)
    if torch is not None and isinstance(thing, torch.Tensor):
        grad = {} if thing.grad is None else _fingerprint(thing.grad, f"{at}.grad")
        return {at: ("grad" if thing.requires_grad else "plain", *_bits(thing)), **grad}
    if isinstance(thing, Mapping):
        parts = [(f"{at}[{key!r}]", value) for key, value in thing.items()]
    elif isinstance(thing, (list, tuple)):
        parts = [(f"{at}[{index}]", value) for index, value in enumerate(thing)]
    else:
        return {at: _bits(thing) if hasattr(thing, "dtype") else repr(thing)}
    return {at + ".len": len(parts)} | {
        k: v for name, part in parts for k, v in _fingerprint(part, name).items()
    }


def _of_module(module: Any, at: str) -> dict[str, object]:
    marks: dict[str, object] = {}
    for name, child in module.named_modules():
        marks[f"{at}.{name}.training" if name else f"{at}.training"] = child.training
    for name, tensor in [*module.named_parameters(), *module.named_buffers()]:
        marks |= _fingerprint(tensor, f"{at}.{name}")
    return marks


def _bits(value: Any) -> tuple[object, ...]:
    shape = tuple(value.shape)
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor):
        flat = value.detach().cpu().contiguous()
        if flat.numel() == 0 or flat.is_quantized:
            return _dtype(value), shape, repr(flat)
        return _dtype(value), shape, flat.reshape(-1).view(torch.uint8).numpy().tobytes()
    array = np.asarray(value.numpy() if hasattr(value, "numpy") else value)
    return _dtype(value), shape, array.tobytes()
