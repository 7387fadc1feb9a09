"""A saved notebook (or a plain .py file) as a list of cells; plain JSON, since nbformat is slow."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from halfbits.course.catalog import Exercise
from halfbits.errors import CourseError

# Jupyter rewrites the file in place, so a reader can meet a half-written one; for about this long.
PATIENCE = 1.0
MERGE = re.compile(r"^[ \t]*(<{7}|>{7}) ", re.MULTILINE)
# In the solution of a repair: the program as the learner gets it.
BROKEN = "broken"
SKIPPED = {"skip-grading", "grade", BROKEN}


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
    """A learner's answer: the file's name and its cells, with what is worth saying about it.

    `problem` says why there are no cells, where the answer cannot be read.
    """

    name: str
    cells: tuple[Cell, ...]
    notes: tuple[str, ...] = ()
    problem: str = ""

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


def read_answer(
    path: Path, notes: Iterable[str] = (), patience: float | None = None, kind: str = ""
) -> Answer:
    """Read `path`; raises CourseError when it is missing, unreadable or holds no code.

    For `patience` seconds, or PATIENCE, a file that cannot be parsed is taken for one that is
    being saved. `kind` is .ipynb or .py where the name does not end so.
    """
    answer = Answer(path.name, tuple(read_cells(path, patience, kind)), tuple(notes))
    if not answer.code:
        raise CourseError(f"{path.name} has no code cells to grade; save your answer into it.")
    return answer


def open_answer(
    path: Path, notes: Iterable[str] = (), patience: float | None = None, kind: str = ""
) -> Answer:
    """As `read_answer`, but an answer that cannot be read says so in its `problem`."""
    try:
        return read_answer(path, notes, patience, kind)
    except (CourseError, OSError) as error:
        return Answer(path.name, (), problem=str(error))


def answer_of(exercise: Exercise, cells: Iterable[Cell | str]) -> Answer:
    """The answer that consists of these cells, or sources."""
    whole = (
        cell if isinstance(cell, Cell) else Cell(f"cell {number}", cell)
        for number, cell in enumerate(cells, 1)
    )
    return Answer(f"{exercise.slug}.ipynb", tuple(whole))


def read_cells(path: Path, patience: float | None = None, kind: str = "") -> list[Cell]:
    """The cells of the notebook or .py file at `path`; raises CourseError."""
    if (kind or path.suffix) == ".py":
        return [Cell("", _patiently(path, lambda text: text))]
    return cells_of(_patiently(path, lambda text: _parse(text, path.name), patience))


def broken_cells(solution: Path) -> list[Cell]:
    """The program of a repair as the learner gets it; none where `solution` cannot be read."""
    try:
        return [cell for cell in read_cells(solution, patience=0) if BROKEN in cell.tags]
    except CourseError:
        return []


def read_json(path: Path) -> dict[str, Any]:
    """The notebook at `path` as JSON; raises CourseError."""
    return _patiently(path, lambda text: _parse(text, path.name))


def cells_of(notebook: Any) -> list[Cell]:
    """The cells of a parsed notebook, of format 4 or the older 3; raises ValueError.

    Only what a verdict depends on has to be well-formed: the list of cells and their texts.
    """
    is_table = isinstance(notebook, dict)
    sheets = (notebook.get("worksheets") or [notebook]) if is_table else ()
    lists = [sheet.get("cells") if isinstance(sheet, dict) else None for sheet in sheets]
    if not lists or not all(isinstance(cells, list) for cells in lists):
        raise ValueError("no list of cells")
    raw = [cell for cells in lists for cell in cells or ()]
    return [_cell(number, cell) for number, cell in enumerate(raw, 1)]


def _cell(number: int, raw: Any) -> Cell:
    if not isinstance(raw, dict):
        raise ValueError(f"cell {number} is no cell")
    source = raw.get("source", raw.get("input")) or ""
    lines = source if isinstance(source, list) else [source]
    if not all(isinstance(line, str) for line in lines):
        raise ValueError(f"cell {number} has no text")
    text = "".join(lines).replace("\r\n", "\n").replace("\r", "\n")
    kind, id = (_text(raw.get(key)) for key in ("cell_type", "id"))
    return Cell(f"cell {number}", text, kind, _tags(raw.get("metadata")), id)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _tags(metadata: object) -> tuple[str, ...]:
    tags = metadata.get("tags") if isinstance(metadata, dict) else ()
    return tuple(tag for tag in tags if isinstance(tag, str)) if isinstance(tags, list) else ()


def _patiently(path: Path, parse: Callable[[str], Any], patience: float | None = None) -> Any:
    give_up = time.monotonic() + (PATIENCE if patience is None else patience)
    while True:
        try:
            return parse(_text_of(path))
        except CourseError:
            if time.monotonic() > give_up or not path.exists():
                raise
        time.sleep(0.05)


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise CourseError(_missing(path)) from None
    except UnicodeDecodeError as error:
        what = "a script" if path.suffix == ".py" else "a notebook"
        raise CourseError(
            f"{path.name} is not UTF-8 text, as {what} must be: save it again in JupyterLab."
        ) from error
    except OSError as error:
        raise CourseError(f"{path.name} cannot be read: {error}.") from error


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
    except (ValueError, RecursionError) as error:
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
    if isinstance(error, RecursionError):
        return "nested too deep"
    return "a number is too long" if "digits" in str(error) else str(error)
