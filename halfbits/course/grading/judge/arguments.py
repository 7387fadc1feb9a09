"""Looks at the arguments of the answer's calls, which every call has to leave as they were."""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from types import FunctionType
from typing import Any

from halfbits.course.checks import context
from halfbits.course.checks.expect import UNTOUCHED, failure
from halfbits.course.checks.failure import Failure
from halfbits.course.checks.fingerprint import change, fingerprint

KEPT = ("Tensor", "Parameter", "ndarray", "list", "tuple", "dict", "set", "deque", "bytearray")
OWN = ("__init__", "__call__", "forward")  # methods that PyTorch has, and that a check calls
Bits = dict[str, object] | None


class Arguments:
    """What the calls of one check are given; `changed` is the first change that a call made.

    `defined` says where the function that was called last stands.

    A call inside another of the answer's is the answer's own affair, and so is every call while the
    check lets arguments change (`context.in_place`).
    """

    def __init__(self) -> None:
        self.changed: Failure | None = None
        self.defined = ""
        self._inside = False
        self._watched: set[type] = set()
        self._replaced: list[tuple[type, str, Any]] = []

    def call(
        self, function: FunctionType, args: Any, kwargs: Any, of: str = "", own: int = 0
    ) -> Any:
        """function(*args, **kwargs), and a look at what the call did to its arguments.

        The first `own` of them are the object whose method `of` it is.
        """
        if not self._inside:
            code = function.__code__
            self.defined = f"{code.co_filename}, line {code.co_firstlineno}"
        if self._inside or self.changed or context.NOW.in_place:
            return function(*args, **kwargs)
        given = _named(args[own:], kwargs)
        before = {name: _bits_of(value) for name, value in given.items()}
        called = context.words(of, args[own:], kwargs) if of else context.called()
        self._inside = True
        try:
            result = function(*args, **kwargs)
        finally:
            self._inside = False
        self.changed = next(_changes(given, before, called), None)
        return result

    def watch(self, kind: type) -> None:
        """Look at every call of a method that the answer's program defines for this class."""
        for base in kind.__mro__:
            if base.__module__ == kind.__module__ and base not in self._watched:
                self._watched.add(base)
                for name, member in [*vars(base).items()]:
                    if _is_public(name, kind) and (method := self._method(kind, member)):
                        self._replaced.append((base, name, member))
                        setattr(base, name, method)

    def release(self) -> None:
        """Give every class its own methods back."""
        while self._replaced:
            setattr(*self._replaced.pop())

    def _method(self, kind: type, member: Any) -> Any:
        """A method like `member` whose arguments are looked at; None of what is no method."""
        bound = type(member) if isinstance(member, (classmethod, staticmethod)) else None
        function = member.__func__ if bound else member
        if not isinstance(function, FunctionType):
            return None
        of, own = f"{kind.__name__}.{function.__name__}", 0 if bound is staticmethod else 1

        @functools.wraps(function)
        def method(*args: Any, **kwargs: Any) -> Any:
            return self.call(function, args, kwargs, of, own)

        return bound(method) if bound else method


def _is_public(name: str, kind: type) -> bool:
    """Whether a check may call the method: it is not private, nor an override of PyTorch's own.

    PyTorch calls `state_dict` and its like with arguments that are there to be filled.
    """
    torch: Any = sys.modules.get("torch")
    framework = torch is not None and issubclass(kind, torch.nn.Module)
    overrides = framework and hasattr(torch.nn.Module, name)
    return name in OWN or not (name.startswith("_") or overrides)


def _named(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    numbered = {f"argument {number}": value for number, value in enumerate(args, 1)}
    return numbered | {f"argument {name}": value for name, value in kwargs.items()}


def _bits_of(value: Any) -> Bits:
    """What a call must leave as it was of tensors, arrays, containers and modules, or None."""
    if is_dataclass(value) and not isinstance(value, type):
        return fingerprint({field.name: getattr(value, field.name) for field in fields(value)})
    return fingerprint(value) if _is_module(value) or type(value).__name__ in KEPT else None


def _is_module(value: Any) -> bool:
    torch: Any = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.nn.Module)


def _changes(
    given: Mapping[str, Any], before: Mapping[str, Bits], called: str
) -> Iterator[Failure]:
    """A failure for each argument that is not what it was before the call."""
    for name, value in given.items():
        was, now = before[name] or {}, (_bits_of(value) if before[name] else None) or {}
        if was != now:
            what, got = name, "changed in place, so what follows is computed from other numbers"
            if _is_module(value):
                part = next(key for key in was | now if was.get(key) != now.get(key))
                what = f"{part.lstrip('.')} of {name}"
                got = f"changed: {change(was.get(part), now.get(part))}"
            expected = f"{what} left as it was"
            yield failure(called, expected, f"{what} {got}", UNTOUCHED)
