"""The checks of an exercise, listed from their source so that collecting them runs nothing."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from halfbits.errors import CourseError

KIT = "halfbits.course.checks"
GENERAL = ("Calls", "AnyLayout")  # the suites of claims that hold of any function


@dataclass(frozen=True)
class Check:
    """One check: its name, the task it belongs to, its claim and its line in the check file.

    `source` is the text of the check; of a suite's check, the line that adds the suite comes first.
    A `hardened` check is of the second tier: the exercise is solved without it. A `scored` one
    measures a whole model, which takes seconds. A `general` one holds of any function, so a report
    tells it after what the exercise itself asks for.
    """

    name: str
    task: str
    claim: str
    line: int
    source: str
    hardened: bool = False
    scored: bool = False
    general: bool = False


def read_checks(path: Path) -> tuple[Check, ...]:
    """The functions `test_*` of a check file and those of its suites; raises CourseError."""
    try:
        return _checks_in(path.read_text(encoding="utf-8"))
    except (OSError, SyntaxError, UnicodeDecodeError) as error:
        raise CourseError(f"{path} cannot be read: {error}; restore it with git.") from error


@lru_cache(maxsize=32)
def _checks_in(text: str) -> tuple[Check, ...]:
    lines = text.split("\n")  # once: ast.get_source_segment splits the whole text for each function
    tree = ast.parse(text)
    kit = {name for node in tree.body for name in _kit_modules(node)}
    only = next(filter(None, map(_only_task, tree.body)), "")
    return tuple(check for node in tree.body for check in _checks_of(node, lines, kit, only))


def _kit_modules(node: ast.stmt) -> list[str]:
    imported = isinstance(node, ast.ImportFrom) and node.module == KIT
    return [alias.name for alias in node.names] if imported else []  # type: ignore[attr-defined]


def _only_task(node: ast.stmt) -> str:
    """The name in a line TASK = "name", which marks every check that has no mark of its own."""
    match node:
        case ast.Assign(targets=[ast.Name(id="TASK")], value=ast.Constant(value=str(name))):
            return name
    return ""


def _checks_of(node: ast.stmt, lines: list[str], kit: set[str], only: str = "") -> Iterator[Check]:
    match node:
        case ast.FunctionDef(name=name) if name.startswith("test_"):
            text, marks = _text(node, lines), _marks(node)
            task = _task(node) or only
            yield Check(name, task, _claim(node), node.lineno, text, *marks)
        case ast.Assign(
            targets=[ast.Name(id=prefix)],
            value=ast.Call(
                func=ast.Attribute(value=ast.Name(id=module), attr=suite),
                args=[ast.Constant(value=str(task)), *_],
            ),
        ) if module in kit:
            added = _text(node, lines)
            for method, source in _methods(module, suite):
                name = f"test_{prefix}_{method.name.removeprefix('test_')}"
                text, marks = f"{added}\n{source}", _marks(method)
                general = suite in GENERAL
                yield Check(name, task, _claim(method), node.lineno, text, *marks, general)


def _claim(node: ast.FunctionDef) -> str:
    return (ast.get_docstring(node) or node.name.removeprefix("test_")).splitlines()[0]


def _text(node: ast.stmt, lines: list[str]) -> str:
    return "\n".join(lines[node.lineno - 1 : node.end_lineno])


def _task(node: ast.FunctionDef) -> str:
    for mark in node.decorator_list:
        if isinstance(mark, ast.Call) and ast.unparse(mark.func) in ("task", "pytest.mark.task"):
            return str(ast.literal_eval(mark.args[0]))
    return ""


def _marks(node: ast.FunctionDef) -> tuple[bool, bool]:
    """Whether a check is hardened, and whether it is scored."""
    names = {mark.id for mark in node.decorator_list if isinstance(mark, ast.Name)}
    return "hardened" in names, "scored" in names


@lru_cache(maxsize=64)
def _methods(module: str, suite: str) -> tuple[tuple[ast.FunctionDef, str], ...]:
    """The checks of a suite of the kit with their text, those of its base classes first."""
    spec = importlib.util.find_spec(f"{KIT}.{module}")
    if spec is None or spec.origin is None:
        return ()
    text = Path(spec.origin).read_text(encoding="utf-8")
    lines, body = text.split("\n"), ast.parse(text).body
    whole = next((n for n in body if isinstance(n, ast.ClassDef) and n.name == suite), None)
    found: dict[str, tuple[ast.FunctionDef, str]] = {}
    for base in whole.bases if whole else ():
        of, _, name = ast.unparse(base).rpartition(".")
        origin = of or _origins(body).get(name, module)
        found |= {method.name: (method, text) for method, text in _methods(origin, name)}
    methods = [part for part in whole.body if isinstance(part, ast.FunctionDef)] if whole else []
    found |= {m.name: (m, _text(m, lines)) for m in methods if m.name.startswith("test_")}
    return tuple(found.values())


def _origins(body: list[ast.stmt]) -> dict[str, str]:
    """The module of the kit that each imported name comes from."""
    imports = [node for node in body if isinstance(node, ast.ImportFrom) and node.module]
    return {
        alias.name: str(node.module).removeprefix(f"{KIT}.")
        for node in imports
        if str(node.module).startswith(f"{KIT}.")
        for alias in node.names
    }
