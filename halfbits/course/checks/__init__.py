"""The kit that check files are written with: cases, demands, tolerances, doubles and suites.

A check file holds two kinds of lines. A function `test_*(answer, seed)` marked with `task` is one
claim, its docstring: the first line says what must hold, the rest why it matters. A line such as
`weight = quantizers.SymmetricRows("quantize_weight")` adds a whole suite of standard claims, each
a method `test_*` of that class; here they are called `test_weight_*`. Checks marked `hardened` are
a second tier, those marked `scored` give a score. A line `TASK = "quantize_weight"` marks every
check that has no mark of its own, so that a file for one task names it once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])


def task(name: str) -> Callable[[Function], Function]:
    """Mark a check as one of the exercise's function or class `name`.

    The grader reads the mark from the source, so it needs no attribute on the function.
    """
    return lambda check: check


def hardened(check: Function) -> Function:
    """Mark a check as one of what production needs; the exercise is solved without it.

    Denormal numbers, values at the ends of a format, NaN, empty inputs, exceptions on the way:
    unmarked checks are the task as an interviewer means it. Read from the source, as `task` is.
    """
    return check


def scored(check: Function) -> Function:
    """Mark a check as one that measures a whole model for a score, which takes seconds.

    The exercise contract runs it once on the solution and for what it has to reject, and repeats
    the others. Read from the source, as `task` is.
    """
    return check


class Suite:
    """Standard claims on one function of an exercise: each method `test_*(answer, seed)` is one."""

    def __init__(self, task: str) -> None:
        self.task = task

    def call(self, answer: Any, *args: Any, **kwargs: Any) -> Any:
        """What the answer's function returns for these arguments."""
        return getattr(answer, self.task)(*args, **kwargs)


def check_named(module: Any, name: str) -> Callable[..., Any]:
    """The check `name` of a check file's module: its function, or a method of one of its suites."""
    if hasattr(module, name):
        return getattr(module, name)
    for prefix, suite in vars(module).items():
        own = isinstance(suite, Suite) and name.startswith(f"test_{prefix}_")
        if own and hasattr(suite, method := "test_" + name.removeprefix(f"test_{prefix}_")):
            return getattr(suite, method)
    raise AttributeError(f"{module.__name__} has no check {name}")
