"""Which lines of a lesson's code are the method, and which only fetch, show or check it.

A page shows the method and folds the rest: imports, and at a cell's end what prints, draws, glues
into the text and asserts. The notebook stays as it was written; its page is made from the parts.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

SHOWING = {"print", "glue", "display", "plots", "axes"}
FEWEST = 3  # lines that are worth a fold, below a method in the same cell


@dataclass(frozen=True)
class Part:
    """Lines of a cell; folded ones have a `summary`, which says in words what they do."""

    source: str
    summary: str = ""


def parts(source: str, used_later: Iterable[str] = ()) -> list[Part]:
    """A cell's code in one to three parts: imports, the method, and the end that shows and checks.

    A name in `used_later`, which a later cell reads, is a value of the method. A few lines of
    bookkeeping below a method stay with it.
    """
    body = ast.parse(source).body
    last = _end_of_imports(body)
    first = last + _start_of_end(body[last:], set(used_later))
    lines = source.splitlines(keepends=True)
    marks = [0, _line(body, last, lines), _line(body, first, lines), len(lines)]
    texts = ["".join(lines[a:b]).strip("\n") for a, b in pairwise(marks)]
    if texts[1] and texts[2] and texts[2].count("\n") + 1 < FEWEST:
        texts[1:] = ["".join(lines[marks[1] :]).strip("\n"), ""]
    if not texts[1]:
        texts = ["", "", "".join(lines).strip("\n")]
    told = summary(body[:last]), "", summary(body[first if texts[0] else 0 :])
    return [Part(text, what) for text, what in zip(texts, told, strict=True) if text]


def _end_of_imports(body: list[ast.stmt]) -> int:
    return next((i for i, one in enumerate(body) if not _is_import(one)), len(body))


def _start_of_end(body: list[ast.stmt], used: set[str]) -> int:
    """The index of the first statement of the longest end that holds no method."""
    first = len(body)
    while first and _is_bookkeeping(body[first - 1], used, drawing=_draws(body[:first])):
        first -= 1
    return first


def _line(body: list[ast.stmt], index: int, lines: list[str]) -> int:
    """The index of the line where a statement begins, with the comments above it."""
    if index == len(body):
        return len(lines)
    decorators = getattr(body[index], "decorator_list", [])
    start = min(one.lineno for one in [body[index], *decorators]) - 1
    while start and lines[start - 1].lstrip().startswith("#"):
        start -= 1
    return start


def _draws(body: list[ast.stmt]) -> bool:
    return any("plots.figure(" in ast.unparse(statement) for statement in body)


def _is_import(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Import | ast.ImportFrom)


def _is_bookkeeping(statement: ast.stmt, used: set[str], drawing: bool) -> bool:
    """Whether a statement only fetches, shows or checks; in a drawing every statement does."""
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return False
    if drawing or _is_import(statement) or isinstance(statement, ast.Assert):
        return True
    if isinstance(statement, ast.Expr):
        return _shows(statement)
    if isinstance(statement, ast.Assign | ast.AugAssign):
        return _is_text(statement.value) and not names_bound(statement) & used
    if isinstance(statement, ast.For | ast.If | ast.With):
        inner = [*statement.body, *getattr(statement, "orelse", [])]
        return any(map(_shows, inner)) and all(
            _is_bookkeeping(one, used, False) or _prepares(one, used) for one in inner
        )
    return False


def _shows(statement: ast.stmt) -> bool:
    """Whether a statement prints, draws, glues or asserts, or one inside it does."""
    return any(
        isinstance(node, ast.Assert) or (isinstance(node, ast.Call) and _root(node) in SHOWING)
        for node in ast.walk(statement)
        if not isinstance(statement, ast.Assign | ast.AugAssign)
    )


def _prepares(statement: ast.stmt, used: set[str]) -> bool:
    """Whether a statement only names a value, inside the loop that shows it."""
    plain = isinstance(statement, ast.Assign) and all(
        isinstance(part, ast.Name | ast.Tuple) for part in statement.targets
    )
    return plain and not names_bound(statement) & used


def _is_text(value: ast.expr) -> bool:
    """Whether an expression writes a text: a constant, an f-string, a sum, a join or a list."""
    if isinstance(value, ast.BinOp):
        return _is_text(value.left) or _is_text(value.right)
    if isinstance(value, ast.Call):
        return isinstance(value.func, ast.Attribute) and isinstance(value.func.value, ast.Constant)
    if isinstance(value, ast.Constant):
        return isinstance(value.value, str)
    return isinstance(value, ast.JoinedStr)


def _root(value: ast.expr) -> str:
    """The name that an expression such as `axes[0].plot(x)` begins with."""
    while isinstance(value, ast.Call | ast.Subscript | ast.Attribute):
        value = value.func if isinstance(value, ast.Call) else value.value
    return value.id if isinstance(value, ast.Name) else ""


def names_bound(tree: ast.AST) -> set[str]:
    """The names that get a value somewhere in `tree`, or whose parts do."""
    return set(_bound(tree))


def _bound(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Subscript | ast.Attribute):
            if isinstance(node.ctx, ast.Store):
                yield _root(node)
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name


def names_needed(source: str) -> set[str]:
    """The names that a cell's code reads and does not give a value itself."""
    tree = ast.parse(source)
    read = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    changed = {  # `found[name] = 1` needs `found`
        _root(node)
        for node in ast.walk(tree)
        if isinstance(node, ast.Subscript | ast.Attribute) and isinstance(node.ctx, ast.Store)
    }
    return (read - names_bound(tree)) | changed


def used_later(sources: Sequence[str]) -> list[set[str]]:
    """For each cell, the names that a cell after it reads before one of them binds the name."""
    found: list[set[str]] = []
    used: set[str] = set()
    for source in reversed(sources):
        found.append(used)
        used = names_needed(source) | (used - names_bound(ast.parse(source)))
    return found[::-1]


def summary(body: list[ast.stmt]) -> str:
    """What lines do, in words: "imports", "the drawing, 3 assertions"."""
    nodes = [node for statement in body for node in ast.walk(statement)]
    calls = {_root(node.func) for node in nodes if isinstance(node, ast.Call)}
    checks = sum(isinstance(node, ast.Assert) for node in nodes)
    told = (
        "imports" if any(map(_is_import, body)) else "",
        "the drawing" if {"plots", "axes"} & calls else "",
        "what is printed" if "print" in calls else "",
        f"{checks} assertion{'s' if checks > 1 else ''}" if checks else "",
        "numbers for the text" if "glue" in calls else "",
    )
    return ", ".join(filter(None, told))
