"""What is being checked: the check's reason, the answer's last call, the case at hand.

Demands take their `called` and `why` from here, so that a check need not write them down.
"""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from halfbits.course.checks.values import argument

Value = TypeVar("Value")


@dataclass
class Now:
    """The check that runs: why it matters, the last call as text, and the names of its cases.

    `in_place`: the answer's function may change its arguments now. `score`: what the check
    measured, for the report of an exercise that gives a score.
    """

    why: str = ""
    call: str = ""
    cases: list[str] = field(default_factory=list)
    in_place: bool = False
    score: dict[str, float | str] = field(default_factory=dict)


NOW = Now()


def begin(check: Any) -> None:
    """A new check starts; its docstring says why it matters."""
    NOW.why, NOW.call, NOW.cases, NOW.in_place = reason(check), "", [], False
    NOW.score = {}


def reason(check: Any) -> str:
    """The docstring below its first line, in one line; the first line where there is no more."""
    claim, _, rest = (inspect.getdoc(check) or "").partition("\n")
    return " ".join(rest.split()) or claim


def record(name: str, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None) -> None:
    """The answer's function `name` is called with these arguments; only their text is kept."""
    NOW.call = words(name, args, kwargs or {})


def words(name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> str:
    """A call as text: "quantize_weight(float32 [4, 8], bits=8)"."""
    parts = [argument(value) for value in args]
    parts += [f"{key}={argument(value)}" for key, value in kwargs.items()]
    return f"{name}({', '.join(parts)})"


def mention(name: str) -> None:
    """The answer's class `name` is used."""
    NOW.call = name


@contextlib.contextmanager
def in_place() -> Iterator[None]:
    """For a function whose task it is to change its arguments, such as a cache that grows.

    Everywhere else a call of a function, or of a method, fails the check where it changes a tensor,
    an array, a list or a module.
    """
    NOW.in_place = True
    yield
    NOW.in_place = False


def called(of: str = "") -> str:
    """The last call and its case: "scale of quantize_weight(float32 [4, 8]), a row of zeros"."""
    call = f"{of} of {NOW.call}" if of and NOW.call else of or NOW.call
    return ", ".join([call, *NOW.cases])


def each(named: Mapping[str, Value]) -> Iterator[Value]:
    """The values in turn; a demand that fails meanwhile gives the name of the value."""
    for name, value in named.items():
        NOW.cases.append(name)
        yield value
        NOW.cases.pop()
