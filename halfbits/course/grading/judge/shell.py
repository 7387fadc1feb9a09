"""Runs the cells of an answer as a notebook would, without IPython's side effects."""

from __future__ import annotations
import __future__

import ast
import asyncio
import contextlib
import inspect
import linecache
import re
import sys
import types
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from halfbits.course.grading.judge.magics import QuietShell, plain_python
from halfbits.course.grading.judge.time_limit import TimeUp, at_most
from halfbits.course.notebook import MERGE, Cell
from halfbits.course.sources import bound_names, defined_names, parse_leniently

TOO_SLOW = "an endless loop, or a demonstration to tag skip-grading"
DEFINED = re.compile(r"^(?:def|class)\s+(\w+)", re.MULTILINE)
FRAMEWORKS = {"tensorflow": "TensorFlow", "keras": "Keras", "torch": "PyTorch"}
FEATURES = sum({getattr(__future__, name).compiler_flag for name in __future__.all_feature_names})


class Shell:
    """The namespace in which an answer's cells run, top to bottom."""

    def __init__(self, name: str, script_in: Path | None = None) -> None:
        """`script_in` is the folder of an answer that is a script: it is imported, not run."""
        self.name = name
        self.notes: list[str] = []
        self.broken: list[str] = []
        self.replaced: list[str] = []  # what cells replaced in the judges until one went wrong
        self.put_back: Callable[[], list[str]] = list
        self.lost: dict[str, str] = {}  # names that a broken cell would have bound, and why not
        self.lacking = ""  # a framework that a cell imports and this environment does not have
        module = types.ModuleType("__main__")
        if script_in is not None:
            module = types.ModuleType(Path(name).stem)
            module.__file__ = str(script_in / name)
            sys.modules.setdefault(module.__name__, module)
        sys.modules["__main__"] = module
        self.namespace: dict[str, Any] = module.__dict__
        self.quiet = quiet = QuietShell(self.namespace, self.notes)
        self.namespace |= {"get_ipython": lambda: quiet, "display": lambda *_, **__: None}
        self.given = set(self.namespace)
        # As in Jupyter, `from __future__ import …` holds for the cells below, too.
        self.features = 0
        self._waiting: list[Cell] = []

    def label(self, cell: Cell) -> str:
        """The file name that tracebacks show for `cell`."""
        return f"{self.name}, {cell.place}" if cell.place else self.name

    def run(self, cell: Cell, seconds: float) -> None:
        """Run one cell; what goes wrong is kept in `broken`, since later cells may not need it."""
        try:
            with at_most(seconds):
                self._execute(cell)
        except SystemExit:
            raise
        except BaseException as error:
            # What follows needs the built-ins, which the cell may have deleted.
            self.replaced += self.put_back()
            self._note(cell, error)

    def _note(self, cell: Cell, error: BaseException) -> None:
        if isinstance(error, TimeUp):
            where = self.where(error) or self.label(cell)
            self.notes.append(f"{where} was stopped after {error.seconds:.3g} s: {TOO_SLOW}.")
        elif isinstance(error, SyntaxError):
            self._note_broken(cell, self._of_syntax(cell, error))
        else:
            told = f"{self.where(error) or self.label(cell)}: {in_words(error)}"
            self._note_broken(cell, told)
            if isinstance(error, ModuleNotFoundError):
                self.lacking = FRAMEWORKS.get(str(error.name).split(".")[0], self.lacking)
            if isinstance(error, NameError):
                self._waiting.append(cell)

    def _note_broken(self, cell: Cell, told: str) -> None:
        self.broken.append(told)
        tree = parse_leniently(cell.source)
        names = bound_names(tree) if tree else DEFINED.findall(cell.source)
        self.lost |= {name: told for name in names if name not in self.namespace}

    def recover(self, name: str) -> None:
        """Run the cells again that define `name` but stand above something that they need."""
        for cell in [cell for cell in self._waiting if name in defined_names(cell.source)]:
            self._waiting.remove(cell)
            with contextlib.suppress(Exception):
                self._execute(cell)

    def where(self, error: BaseException) -> str:
        """The deepest line of the answer in the error's traceback: "x.ipynb, cell 5, line 3"."""
        frames = [(f.filename, f.lineno) for f in stack(error) if self.owns(f.filename)]
        return f"{frames[-1][0]}, line {frames[-1][1]}" if frames else ""

    def owns(self, filename: str) -> bool:
        return filename == self.name or filename.startswith(f"{self.name}, ")

    def _of_syntax(self, cell: Cell, error: SyntaxError) -> str:
        own = error.filename == self.label(cell)
        where = f"{self.label(cell)}, line {error.lineno}" if own else self.where(error)
        says = f"{type(error).__name__}: {' '.join(str(error.msg).split())}"
        if own and MERGE.search(cell.source):
            says = "git merge markers (<<<<<<<): keep one side"
        return f"{where or self.label(cell)}: {says}"[:600]

    def _execute(self, cell: Cell) -> None:
        source, label = cell.source, self.label(cell)
        try:
            code = _compile(source, label, self.features)
        except SyntaxError:
            source = plain_python(source, self.quiet, label)
            code = _compile(source, label, self.features)
        self.features |= code.co_flags & FEATURES
        linecache.cache[label] = (len(source), None, source.splitlines(keepends=True), label)
        if code.co_flags & inspect.CO_COROUTINE:
            asyncio.run(eval(code, self.namespace))
        else:
            exec(code, self.namespace)


def in_words(error: BaseException) -> str:
    """ "TypeError: message", in one line and of bounded length."""
    try:
        text = " ".join(str(error).split())
    except Exception:
        text = "(its message cannot be shown)"
    return f"{type(error).__name__}: {text}"[:600].removesuffix(": ")


def stack(error: BaseException) -> Iterable[Any]:
    """The frames of the error's traceback, outermost first."""
    import traceback

    return traceback.extract_tb(error.__traceback__)


def _compile(source: str, label: str, features: int) -> types.CodeType:
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT | features
    try:
        return compile(source, label, "exec", flags=flags, dont_inherit=True)
    except ValueError as error:
        raise SyntaxError(str(error), (label, 1, 0, "")) from error
