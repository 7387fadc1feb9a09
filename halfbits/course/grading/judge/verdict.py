"""Runs one check against an answer and says in words how it ended."""

from __future__ import annotations

import difflib
import functools
import linecache
from collections.abc import Callable
from pathlib import Path
from types import FunctionType
from typing import Any

from halfbits.course.checks import context
from halfbits.course.checks.expect import CheckFailed, failure
from halfbits.course.checks.failure import Failure
from halfbits.course.grading.judge.arguments import Arguments
from halfbits.course.grading.judge.shell import FRAMEWORKS, Shell, in_words, stack
from halfbits.course.grading.judge.time_limit import TimeUp

IMPORTS = {
    **{name: f"import {name}" for name in ("copy", "functools", "io", "keras", "math", "torch")},
    "F": "import torch.nn.functional as F",
    "nn": "from torch import nn",
    "np": "import numpy as np",
    "numpy": "import numpy",
    "Tensor": "from torch import Tensor",
    "tf": "import tensorflow as tf",
}
Judged = tuple[str, Failure | str]
COMPLETE = "`python course.py start` completes the environment."


class MissingAnswer(Exception):  # noqa: N818
    """The answer defines no such name, or something that is not callable."""


class LearnerNames:
    """The learner's objects by name: `names.quantize_weight`."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self._none = ""
        self._arguments = Arguments()

    def __getattr__(self, name: str) -> Any:
        shell = self._shell
        shell.recover(name)
        if name not in shell.namespace:
            raise MissingAnswer(_missing(name, shell))
        found = shell.namespace[name]
        if not callable(found):
            kind = type(found).__name__
            raise MissingAnswer(f"{name} is a value of type {kind} here, not a function or class.")
        if isinstance(found, FunctionType):
            return self._watched(name, found)
        context.mention(name)
        if isinstance(found, type) and found.__module__ == shell.namespace["__name__"]:
            self._arguments.watch(found)
        return found

    def _watched(self, name: str, function: FunctionType) -> Callable[..., Any]:
        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            context.record(name, args, kwargs)
            result = self._arguments.call(function, args, kwargs)
            self._none = name if result is None else ""
            return result

        return call


def judge(check: Callable[..., Any], shell: Shell, seed: int, path: Path) -> Judged:
    """(kind, explanation) of one check; kind is passed, failed, missing or unwritten.

    Raises SystemExit when the answer does.
    """
    names = LearnerNames(shell)
    context.begin(check)
    given = {"answer": names, "seed": seed}
    code = check.__code__
    wanted = code.co_varnames[: code.co_argcount]
    try:
        check(**{name: given[name] for name in wanted if name in given})
    except SystemExit:
        raise
    except BaseException as error:
        return _explain(error, names, shell, path)
    finally:
        names._arguments.release()
    return ("failed", changed) if (changed := names._arguments.changed) else ("passed", "")


def _explain(error: BaseException, names: LearnerNames, shell: Shell, path: Path) -> Judged:
    if lacking := _lacking(error, shell):
        return "not run", f"not judged: {lacking} is not installed here; {COMPLETE}"
    if isinstance(error, MissingAnswer):
        return "missing", str(error)
    frames, changed = list(stack(error)), names._arguments.changed
    own = bool(frames) and shell.owns(frames[-1].filename)
    if isinstance(error, NotImplementedError) and own:
        return "unwritten", str(error) or "not written yet"
    if isinstance(error, CheckFailed):
        return "failed", changed or error.failure
    if isinstance(error, TimeUp):
        return "failed", _too_slow(error, shell)
    if changed:
        return "failed", changed
    if where := shell.where(error):
        if isinstance(error, NameError) and (cause := _cause(error, shell)):
            return "failed", f"{cause}\n at {where}: {in_words(error)}"
        line = linecache.getline(frames[-1].filename, frames[-1].lineno or 0).strip() if own else ""
        return "failed", f"raised {in_words(error)}\n at {where}" + (
            f"\n    {line}" if line else ""
        )
    if names._none:
        name = names._none
        why = f"{name} returned None: is a return missing?"
        return "failed", failure(f"{name}(…)", "a result", "None", why)
    return "failed", _in_the_check(error, names, path, frames)


def _cause(error: NameError, shell: Shell) -> str:
    """Why the answer misses a name that it uses: a cell that went wrong, or no import."""
    if error.name in shell.lost:
        return f"{error.name} is missing because a cell went wrong: {shell.lost[error.name]}"
    if line := IMPORTS.get(str(error.name)):
        return f"an import is missing: add `{line}` to the cell"
    return ""


def _too_slow(error: TimeUp, shell: Shell) -> Failure:
    where = shell.where(error)
    return failure(
        context.called() or "this check",
        f"an end within {error.seconds:.3g} s",
        f"still running{f' at {where}' if where else ''}",
        "a loop that never ends, or far more work than a loop over the rows or a tensor operation",
    )


def _lacking(error: BaseException, shell: Shell) -> str:
    """The framework whose absence from this environment made a check impossible, or ""."""
    name = str(getattr(error, "name", "")).split(".")[0]
    if isinstance(error, ModuleNotFoundError) and name in FRAMEWORKS:
        return FRAMEWORKS[name]
    return shell.lacking if isinstance(error, (NameError, MissingAnswer)) else ""


def _in_the_check(error: BaseException, names: LearnerNames, path: Path, frames: list[Any]) -> str:
    lines = [frame for frame in frames if frame.filename == str(path) or _in_the_kit(frame)]
    line = (lines[-1].line or "").strip() if lines else ""
    if isinstance(error, AssertionError):
        return f"{error}" if str(error) else f"this does not hold: {line}"
    defined = names._arguments.defined
    if frames and Path(frames[-1].filename).parent == Path(__file__).parent and defined:
        return f"raised {in_words(error)}\n at {defined}"
    return f"the check could not use the result: {in_words(error)}\n in: {line}"


def _in_the_kit(frame: Any) -> bool:
    return Path(frame.filename).parent == Path(context.__file__).parent


def _missing(name: str, shell: Shell) -> str:
    said = f"{shell.name} defines no {name}"
    if name in shell.lost:
        return f"{said}; a cell went wrong before: {shell.lost[name]}"
    own = [n for n in shell.namespace if n not in shell.given and not n.startswith("__")]
    near = difflib.get_close_matches(name, own, n=1, cutoff=0.75)
    if near:
        return f"{said}; the nearest name is {near[0]}: rename it."
    if cause := next(iter(shell.broken), ""):
        return f"{said}; a cell went wrong before: {cause}"
    return f"{said}: keep the name of the stub."
