"""A saved notebook (or a plain .py file) as a list of cells; plain JSON, since nbformat is slow."""

from __future__ import annotations

import ast
import json
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from halfbits.catalog import CourseError, Exercise

# Jupyter rewrites the file in place, so a reader can meet a half-written one; for about this long.
PATIENCE = 1.0
MERGE = re.compile(r"^[ \t]*(<{7}|>{7}) ", re.MULTILINE)
SKIPPED = {"skip-grading", "grade"}


@dataclass(frozen=True)
class Cell:
    """One cell. `place` is where a learner finds it: "cell 5", or "" in a plain .py file."""

    place: str
    source: str
    kind: str = "code"
    tags: tuple[str, ...] = ()
    id: str = ""

    @property
    def is_graded(self) -> bool:
        return self.kind == "code" and not SKIPPED & set(self.tags)


@dataclass(frozen=True)
class Answer:
    """A learner's answer: the file's name and its cells, with what is worth saying about it."""

    name: str
    cells: tuple[Cell, ...]
    notes: tuple[str, ...] = ()

    @property
    def code(self) -> tuple[Cell, ...]:
        return tuple(cell for cell in self.cells if cell.is_graded and cell.source.strip())


def find_answer(folder: Path, exercise: Exercise) -> tuple[Path, tuple[str, ...]]:
    """The answer's file under `folder` (which has the layout of exercises/), and notes on it."""
    notebook = folder / exercise.topic / f"{exercise.slug}.ipynb"
    script = notebook.with_suffix(".py")
    if not script.is_file():
        return notebook, ()
    if not notebook.is_file():
        return script, ()
    return script, (f"{script.name} was graded; it wins over {notebook.name} beside it.",)


def read_answer(path: Path, notes: Iterable[str] = (), patience: float = PATIENCE) -> Answer:
    """Read `path`; raises CourseError when it is missing, unreadable or holds no code.

    For `patience` seconds a file that cannot be parsed is taken for one that is being saved.
    """
    answer = Answer(path.name, tuple(read_cells(path, patience)), tuple(notes))
    if not answer.code:
        raise CourseError(f"{path.name} has no code cells to grade; save your answer into it.")
    return answer


def read_cells(path: Path, patience: float = PATIENCE) -> list[Cell]:
    """The cells of the notebook or .py file at `path`; raises CourseError."""
    if path.suffix == ".py":
        return [Cell("", _patiently(path, lambda text: text))]
    return cells_of(_patiently(path, lambda text: _parse(text, path.name), patience))


def read_json(path: Path) -> dict[str, Any]:
    """The notebook at `path` as JSON; raises CourseError."""
    return _patiently(path, lambda text: _parse(text, path.name))


def cells_of(notebook: dict[str, Any]) -> list[Cell]:
    """The cells of a parsed notebook, of format 4 or the older 3."""
    sheets = notebook.get("worksheets") or [notebook]
    raw = [cell for sheet in sheets for cell in sheet.get("cells", [])]
    return [_cell(number, cell) for number, cell in enumerate(raw, 1)]


def bound_names(tree: ast.AST) -> list[str]:
    """Every name that the code binds anywhere, once per binding."""
    names: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.append(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, (ast.Store, ast.Del)):
            names.append(node.id)
        elif isinstance(node, ast.alias):
            names.append(node.asname or node.name.split(".")[0])
    return names


def defined_names(source: str) -> list[str]:
    """The functions and classes that a cell defines at its top level."""
    tree = parse_leniently(source)
    return [node.name for node in (tree.body if tree else ()) if isinstance(node, DEFINES)]


def top_imports(source: str) -> set[str]:
    """The packages that a cell imports when it runs, those inside its functions left out."""
    tree = parse_leniently(source)
    found: set[str] = set()
    for node in tree.body if tree else ():
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
    trees = [tree for cell in cells if (tree := parse_leniently(cell.source)) is not None]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    if any(isinstance(node, ast.Name) and node.id in _INDIRECT for node in nodes):
        return set()
    bound = [name for tree in trees for name in bound_names(tree)]
    if "*" in bound:
        return set()
    stubs = {s.name for tree in trees for s in tree.body if isinstance(s, DEFINES) and is_stub(s)}
    return {task for task in tasks if task in stubs and bound.count(task) == 1}


_INDIRECT = {"exec", "eval", "globals", "locals", "vars", "setattr"}
DEFINES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def is_stub(node: ast.stmt) -> bool:
    """Whether a function only raises NotImplementedError, or a class has only such methods."""
    if isinstance(node, ast.ClassDef):
        methods = [part for part in node.body if isinstance(part, DEFINES)]
        return bool(methods) and all(is_stub(method) for method in methods)
    body = getattr(node, "body", [])
    return len(body) > 0 and _raises_not_implemented(body[-1]) and not _work(body[:-1])


def parse_leniently(source: str) -> ast.Module | None:
    """The cell's syntax tree, its magic and shell lines blanked; None if it has none."""
    for text in (source, re.sub(r"(?m)^[ \t]*[%!].*$|^.*\?$", "", source)):
        try:
            return ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
    return None


def _work(body: list[ast.stmt]) -> bool:
    return not all(isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant) for s in body)


def _raises_not_implemented(node: ast.stmt) -> bool:
    if not isinstance(node, ast.Raise) or node.exc is None:
        return False
    error = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
    return isinstance(error, ast.Name) and error.id == "NotImplementedError"


def _cell(number: int, raw: dict[str, Any]) -> Cell:
    source = raw.get("source", raw.get("input", ""))
    text = "".join(source) if isinstance(source, list) else str(source)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    tags = (raw.get("metadata") or {}).get("tags") or ()
    return Cell(f"cell {number}", text, raw.get("cell_type", ""), tuple(tags), raw.get("id", ""))


def _patiently(path: Path, parse: Callable[[str], Any], patience: float = PATIENCE) -> Any:
    give_up = time.monotonic() + patience
    while True:
        try:
            return parse(path.read_text(encoding="utf-8-sig"))
        except FileNotFoundError:
            raise CourseError(_missing(path)) from None
        except UnicodeDecodeError as error:
            what = "a script" if path.suffix == ".py" else "a notebook"
            raise CourseError(
                f"{path.name} is not UTF-8 text, as {what} must be: save it again in JupyterLab."
            ) from error
        except OSError as error:
            raise CourseError(f"{path.name} cannot be read: {error}.") from error
        except CourseError:
            if time.monotonic() > give_up:
                raise
        time.sleep(0.05)


def _missing(path: Path) -> str:
    return (
        f"{path.parent.name}/{path.name} is missing: save your notebook under this name, "
        f"or get a fresh one with `python course.py reset {path.stem}`."
    )


def _parse(text: str, name: str) -> dict[str, Any]:
    try:
        notebook = json.loads(text)
        cells_of(notebook)
        return notebook
    except (json.JSONDecodeError, AttributeError, TypeError, RecursionError) as error:
        if MERGE.search(text):
            raise CourseError(
                f"{name} holds git merge markers (<<<<<<<): keep one side, then grade again."
            ) from error
        raise CourseError(
            f"{name} is not a valid notebook ({_where(error, text)}): save it again in JupyterLab."
        ) from error


def _where(error: Exception, text: str) -> str:
    if not text.strip():
        return "the file is empty"
    if isinstance(error, json.JSONDecodeError):
        return f"broken JSON at line {error.lineno}"
    return "no list of cells"
