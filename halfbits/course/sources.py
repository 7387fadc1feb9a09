"""What the source of an answer tells before anything runs: names, imports, what is untouched."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from halfbits.course.notebook import Cell

NOT_PYTHON = re.compile(r"^[ \t]*[%!].*$|^.*\?$", re.MULTILINE)
DEFINES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
# Such code can bind a name without naming it.
INDIRECT = {"exec", "eval", "globals", "locals", "vars", "setattr"}
# Decorators that leave a stub a stub; any other one may be the answer (functools.singledispatch).
HARMLESS = {"classmethod", "dataclass", "inference_mode", "no_grad", "property", "staticmethod"}


def parse_leniently(source: str) -> ast.Module | None:
    """The cell's syntax tree, its magic and shell lines blanked; None if it has none."""
    return _parse(source) or _parse(NOT_PYTHON.sub("", source))


def bound_names(tree: ast.AST) -> list[str]:
    """Every name that the code binds anywhere, once per binding."""
    return [name for node in ast.walk(tree) if (name := _bound(node))]


def read_unbound(cells: Iterable[Cell]) -> Iterator[tuple[Cell, str]]:
    """Each name that a code cell reads and no cell up to it binds, built-ins aside."""
    bound = {*dir(builtins)}
    for cell in cells:
        nodes = [*ast.walk(parse_leniently(cell.source) or ast.Module([], []))]
        bound |= {name for node in nodes if (name := _bound(node))}
        bound |= {node.arg for node in nodes if isinstance(node, ast.arg)}
        names = [node for node in nodes if isinstance(node, ast.Name)]
        read = {node.id for node in names if isinstance(node.ctx, ast.Load)}
        yield from ((cell, name) for name in sorted(read - bound))


def defined_names(source: str) -> list[str]:
    """The functions and classes that a cell defines at its top level."""
    return [node.name for node in _body(source) if isinstance(node, DEFINES)]


def _body(source: str) -> list[ast.stmt]:
    tree = parse_leniently(source)
    return tree.body if tree else []


def top_imports(source: str) -> set[str]:
    """The packages that a cell imports when it runs, those inside its functions left out."""
    found: set[str] = set()
    for node in _body(source):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").split(".")[0])
    return found


def unwritten(cells: Iterable[Cell], tasks: Iterable[str]) -> set[str]:
    """The tasks that are untouched stubs, seen without running anything.

    A task counts only if its one binding in the whole notebook is a stub and nothing could
    bind it behind our back; when in doubt it is left out, and running the cells decides.
    """
    return _surely(cells, tasks, is_stub)


def unmended(cells: Iterable[Cell], tasks: Iterable[str], broken: Iterable[Cell]) -> set[str]:
    """The tasks whose program is still the broken one, comments and layout aside.

    All that the cells of `broken` define has to stand in `cells` as it was.
    """
    cells = list(cells)
    programs = {ast.dump(node) for cell in broken for node in _body(cell.source)}
    if programs - {ast.dump(node) for cell in cells for node in _body(cell.source)}:
        return set()
    return _surely(cells, tasks, lambda node: ast.dump(node) in programs)


def _surely(
    cells: Iterable[Cell], tasks: Iterable[str], untouched: Callable[[ast.stmt], bool]
) -> set[str]:
    sources = [cell.source for cell in cells]
    trees = [tree for source in sources if (tree := parse_leniently(source)) is not None]
    words = {word for source in sources for word in _words_outside(source)}
    nodes = [node for tree in trees for node in ast.walk(tree)]
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    bound = [name for tree in trees for name in bound_names(tree)]
    if (names | words) & INDIRECT or "*" in bound or words & {"%run", "import *"}:
        return set()
    words |= {name for node in nodes for name in _altered(node)}
    defines = [node for tree in trees for node in tree.body if isinstance(node, DEFINES)]
    stubs = {node.name for node in defines if untouched(node)}
    return {task for task in tasks if task in stubs - words and bound.count(task) == 1}


def is_stub(node: ast.stmt) -> bool:
    """Whether a function only raises NotImplementedError or does nothing, or a class only that."""
    if not isinstance(node, DEFINES) or {*map(_last_name, node.decorator_list)} - HARMLESS:
        return False
    if isinstance(node, ast.ClassDef):
        methods = [part for part in node.body if isinstance(part, DEFINES)]
        others = [part for part in node.body if not isinstance(part, (*DEFINES, ast.AnnAssign))]
        # A class that inherits from one of the answer's own is written there.
        plain = all(isinstance(base, ast.Attribute) for base in node.bases)
        return (bool(methods) or plain) and all(map(is_stub, methods)) and not _work(others)
    last = node.body[-1:] if _raises_not_implemented(node.body[-1]) else []
    return not _work(node.body[: len(node.body) - len(last)])


def _parse(source: str) -> ast.Module | None:
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _words_outside(source: str) -> list[str]:
    """The words of a cell that its syntax tree leaves out: magic lines, or all of a broken cell."""
    if _parse(source) is not None:
        return []
    blanked = _parse(NOT_PYTHON.sub("", source)) is not None
    text = "\n".join(found[0] for found in NOT_PYTHON.finditer(source)) if blanked else source
    return re.findall(r"import \*|%?\w+", text)


def _bound(node: ast.AST) -> str | None:
    if isinstance(node, (*DEFINES, ast.ExceptHandler, ast.MatchAs, ast.MatchStar)):
        return node.name
    if isinstance(node, ast.Name) and isinstance(node.ctx, (ast.Store, ast.Del)):
        return node.id
    if isinstance(node, ast.MatchMapping):
        return node.rest
    return (node.asname or node.name.split(".")[0]) if isinstance(node, ast.alias) else None


def _altered(node: ast.AST) -> Iterator[str]:
    """Both names of `a.b = …`: it may bind b elsewhere, and it changes a."""
    if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load):
        yield node.attr
        if isinstance(node.value, ast.Name):
            yield node.value.id


def _last_name(decorator: ast.expr) -> str:
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    return ast.unparse(called).split(".")[-1]


def _work(body: list[ast.stmt]) -> bool:
    idle = (
        isinstance(s, ast.Pass) or (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))
        for s in body
    )
    return not all(idle)


def _raises_not_implemented(node: ast.stmt) -> bool:
    if not isinstance(node, ast.Raise) or node.exc is None:
        return False
    error = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
    return isinstance(error, ast.Name) and error.id == "NotImplementedError"
