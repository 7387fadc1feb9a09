"""The checks of an exercise, listed from their source so that collecting them runs nothing."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from halfbits.errors import CourseError


@dataclass(frozen=True)
class Check:
    """One check function: its name, the task it belongs to, its claim and its line."""

    name: str
    task: str
    claim: str
    line: int
    source: str


def read_checks(path: Path) -> tuple[Check, ...]:
    """The functions `test_*` of a check file in their order; raises CourseError."""
    try:
        return _checks_in(path.read_text(encoding="utf-8"))
    except (OSError, SyntaxError, UnicodeDecodeError) as error:
        raise CourseError(f"{path} cannot be read: {error}; restore it with git.") from error


@lru_cache(maxsize=32)
def _checks_in(text: str) -> tuple[Check, ...]:
    lines = text.split("\n")  # once: ast.get_source_segment splits the whole text for each function
    functions = (node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef))
    return tuple(_check(node, lines) for node in functions if node.name.startswith("test_"))


def _check(node: ast.FunctionDef, lines: list[str]) -> Check:
    claim = (ast.get_docstring(node) or node.name.removeprefix("test_")).splitlines()[0]
    source = "\n".join(lines[node.lineno - 1 : node.end_lineno])
    return Check(node.name, _task(node), claim, node.lineno, source)


def _task(node: ast.FunctionDef) -> str:
    for mark in node.decorator_list:
        if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.task":
            return str(ast.literal_eval(mark.args[0]))
    return ""
