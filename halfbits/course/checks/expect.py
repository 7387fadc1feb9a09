"""What a check may demand of an answer; a demand that fails says called, expected, got and why.

`called` is the answer's last call, and `of` names the part of its result that is looked at; `why`
is the docstring of the check. Both can be given where that is not enough.
"""

from __future__ import annotations

import contextlib
import gc
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from halfbits.course.checks import context
from halfbits.course.checks.comparing import first, within_room, worst
from halfbits.course.checks.failure import Failure
from halfbits.course.checks.fingerprint import change, fingerprint
from halfbits.course.checks.values import as_float64, brief, describe, dtype_name

UNTOUCHED = "the caller still owns what was passed in; work on a copy"


class CheckFailed(AssertionError):  # noqa: N818
    """A demand of a check that the answer does not meet; its text is the failure's four lines."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(str(failure))
        self.failure = failure


def true(
    condition: object,
    *,
    expected: object,
    got: object,
    of: str = "",
    called: str | None = None,
    why: str | None = None,
) -> None:
    """Raise `CheckFailed` unless `condition` is true. A NaN, an array or a None is never true."""
    if not _is_true(condition):
        call = context.called(of) if called is None else called
        raise CheckFailed(failure(call, expected, got, context.NOW.why if why is None else why))


def close(got: object, want: object, *, atol: Any, check_dtype: bool = True, **said: Any) -> None:
    """Demand |got - want| <= atol, and `want`'s shape and dtype.

    `got` and `want` are numbers, arrays or tensors; `atol` is a number or broadcasts against
    `want`. Infinities must stand where `want` has them, with the same sign. A NaN in `got` or
    in `atol` never passes.
    """
    like(got, want, check_dtype=check_dtype, **said)
    have, wish, room = as_float64(got), as_float64(want), as_float64(atol)
    nan = np.isnan(have)
    true(not nan.any(), expected="no NaN", got=f"NaN{first(nan)}" if nan.any() else "", **said)
    bad = ~within_room(have, wish, np.broadcast_to(room, wish.shape))
    if bad.any():
        expected, found = worst(have, wish, room, bad)
        true(False, expected=expected, got=found, **said)


def same(got: object, want: object, **said: Any) -> None:
    """Demand `want` exactly: its values, shape and dtype. A number may come as a tensor of one."""
    close(got, want, atol=0, **said)


def like(got: object, model: object, *, check_dtype: bool = True, **said: Any) -> None:
    """Demand that `got` has the kind, the shape and (unless told not to) the dtype of `model`."""
    if got is None:
        said = said | {"why": f"is a return missing? {said.get('why') or context.NOW.why}"}
        true(False, expected=describe(model), got="None", **said)
    if isinstance(model, (bool, int, float, np.number)):
        number = isinstance(got, (bool, int, float, np.number)) or getattr(got, "shape", 0) == ()
        true(number, expected="one number", got=got, **said)
        return
    right = hasattr(got, "shape") and tuple(got.shape) == tuple(model.shape)  # type: ignore[attr-defined]
    right = right and (not check_dtype or dtype_name(got) == dtype_name(model))
    true(right, expected=describe(model), got=describe(got), **said)


def array(got: object, dtype: object, shape: Any, **said: Any) -> None:
    """Demand a tensor or array of `dtype` and `shape`."""
    right = hasattr(got, "shape") and tuple(got.shape) == tuple(shape)
    right = right and dtype_name(got) == _name(dtype)
    expected = f"a tensor {_name(dtype)} {list(shape)}"
    true(right, expected=expected, got=describe(got), **said)


def dtype(got: object, wanted: object, **said: Any) -> None:
    """Demand that `got` is an array or tensor of a dtype (torch.float16, np.int8, "float16")."""
    name = _name(wanted)
    true(dtype_name(got) == name, expected=f"dtype {name}", got=describe(got), **said)


def equal(got: object, want: object, **said: Any) -> None:
    """Demand `got == want` of plain Python values: names, flags, dictionaries."""
    true(got == want, expected=str(want), got=str(got), **said)


def at_most(got: Any, limit: Any, unit: str = "", **said: Any) -> None:
    """Demand that no number of `got` exceeds its limit; `limit` broadcasts against `got`."""
    have, room = np.broadcast_arrays(as_float64(got), as_float64(limit))
    bad = ~(have <= room)
    if bad.any():
        at = np.unravel_index(int(np.argmax(np.where(bad, have - room, -np.inf))), have.shape)
        expected = f"at most {room[at]:.6g} {unit}".rstrip()
        true(False, expected=expected, got=f"{have[at]:.6g} {unit}".rstrip(), **said)


def within(got: Any, low: float, high: float, unit: str = "", **said: Any) -> None:
    """Demand that every number of `got` lies from `low` to `high`."""
    have = as_float64(got)
    true(
        bool(((have >= low) & (have <= high)).all()),
        expected=f"from {low:.6g} to {high:.6g} {unit}".rstrip(),
        got=f"from {have.min():.6g} to {have.max():.6g} {unit}".rstrip() if have.size else "none",
        **said,
    )


def positive(got: Any, **said: Any) -> None:
    """Demand that every number is finite and above 0."""
    have = as_float64(got)
    right = bool(((have > 0) & np.isfinite(have)).all())
    true(right, expected="finite and above 0", got=brief(have.ravel().tolist()), **said)


def no_graph(*results: Any, **said: Any) -> None:
    """Demand that nothing returned requires a gradient or carries a history."""
    traced = [describe(r) for r in results if getattr(r, "requires_grad", False)]
    got = f"requires_grad True: {', '.join(traced)}"
    true(not traced, expected="no result with requires_grad", got=got, **said)


def apart(results: Iterable[Any], *given: Any, **said: Any) -> None:
    """No result lies in the memory of a given tensor: whoever changes one changes no other."""
    places = {tensor.untyped_storage().data_ptr() for tensor in given}
    shared = [i for i, one in enumerate(results) if one.untyped_storage().data_ptr() in places]
    of = said.pop("of", "results")
    got = f"results {shared} in the memory of an argument"
    true(not shared, expected="memory of their own", got=got, of=of, **said)


def raises(
    kind: type[BaseException], run: Callable[[], object], mentions: str = "", **said: Any
) -> None:
    """Demand that `run()` raises `kind`, with the whole name `mentions` in its message."""
    raised: BaseException | None = None
    try:
        run()
    except (Exception, kind) as error:
        raised = error
    expected = f"{kind.__name__} naming {mentions}" if mentions else kind.__name__
    got = "nothing raised" if raised is None else f"{type(raised).__name__}: {raised}"
    named = re.search(rf"(?<![\w.]){re.escape(mentions)}(?!\w|\.\w)", str(raised))
    right = isinstance(raised, kind) and (not mentions or named is not None)
    true(right, expected=expected, got=got, **said)


@contextlib.contextmanager
def untouched(*things: object, **said: Any) -> Iterator[None]:
    """Demand that tensors, arrays, modules, lists and dicts leave the block as they came.

    Compared bit by bit: values, dtypes, shapes, `requires_grad`, gradients; of a module also its
    `training` flags, its number of hooks, and the names of its parameters and buffers.
    """
    before = [fingerprint(thing) for thing in things]
    yield
    said = {"why": UNTOUCHED} | said
    for number, (thing, was) in enumerate(zip(things, before, strict=True), 1):
        now = fingerprint(thing)
        for part in sorted(was.keys() | now.keys()):
            name = f"{part.lstrip('.')} of argument {number}" if part else f"argument {number}"
            true(
                was.get(part) == now.get(part),
                expected=f"{name} left as it was",
                got=f"{name} changed: {change(was.get(part), now.get(part))}",
                **said,
            )


@contextlib.contextmanager
def no_live_floats(numel: int, **said: Any) -> Iterator[None]:
    """Demand that no floating-point tensor of `numel` numbers outlives the block, whoever holds it.

    Take a number that nothing else has, and delete in the block what the check itself made.
    """
    before = len(_floats_alive(numel))
    yield
    kept = _floats_alive(numel)
    expected = f"no float tensor of {numel} numbers left alive"
    true(len(kept) == before, expected=expected, got=[describe(t) for t in kept], **said)


def failure(called: str, expected: object, got: object, why: str) -> Failure:
    """The failure of a check, its values as texts."""
    return Failure(called, str(expected), brief(got), why)


def _is_true(condition: object) -> bool:
    if isinstance(condition, (bool, np.bool_)):
        return bool(condition)
    if condition is None or isinstance(condition, (float, np.floating)):
        return False
    return bool(condition)


def _floats_alive(numel: int) -> list[Any]:
    gc.collect()
    torch: Any = sys.modules.get("torch")
    tensors = [t for t in gc.get_objects() if issubclass(type(t), torch.Tensor)]
    return [t for t in tensors if t.is_floating_point() and t.numel() == numel]


def _name(dtype: object) -> str:
    text = str(np.dtype(dtype)) if isinstance(dtype, type) else str(getattr(dtype, "name", dtype))
    return text.removeprefix("torch.")
