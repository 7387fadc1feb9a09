"""Proposes mutants of a program: the small mistakes that people make in numerical code.

Each mutant is the source with one node of its syntax tree replaced, so comments and layout stay.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from halfbits.course.authoring.mutations import replacements


@dataclass(frozen=True)
class Mutant:
    """A changed program: its source, the line of the change, and the line before and after."""

    source: str
    line: int
    before: str
    after: str

    @property
    def name(self) -> str:
        """What tells it from all others of the program: the line as it is now."""
        return self.after


def mutants_of(source: str) -> Iterator[Mutant]:
    """Every mutant of `source` that is a program of its own, each once."""
    tree = ast.parse(source)
    seen = {ast.unparse(tree)}
    for node in _program(tree):
        for text in replacements(node, source):
            changed = _spliced(source, node, text)
            if (whole := _unparsed(changed)) is not None and whole not in seen:
                seen.add(whole)
                yield _mutant(source, changed)


def _program(node: ast.AST) -> Iterator[ast.expr | ast.stmt]:
    """All expressions and statements below `node`, without annotations and docstrings."""
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if not isinstance(child, ast.AST) or _is_text(child):
                continue
            if isinstance(child, (ast.expr, ast.stmt)):
                yield child
            yield from _program(child)


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _spliced(source: str, node: ast.expr | ast.stmt, text: str) -> str:
    lines = source.encode().splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    assert node.end_lineno is not None and node.end_col_offset is not None
    begin = starts[node.lineno - 1] + node.col_offset
    end = starts[node.end_lineno - 1] + node.end_col_offset
    whole = source.encode()
    return (whole[:begin] + text.encode() + whole[end:]).decode()


def _unparsed(source: str) -> str | None:
    try:
        return ast.unparse(ast.parse(source))
    except SyntaxError:
        return None


def _mutant(source: str, changed: str) -> Mutant:
    old, new = source.splitlines(), changed.splitlines()
    first = next((i for i, pair in enumerate(zip(old, new, strict=False)) if pair[0] != pair[1]), 0)
    same = 0
    while same < min(len(old), len(new)) - first and old[-1 - same] == new[-1 - same]:
        same += 1
    before = " ".join(" ".join(old[first : len(old) - same]).split())
    after = " ".join(" ".join(new[first : len(new) - same]).split())
    return Mutant(changed, first + 1, before, after)
