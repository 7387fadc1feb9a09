"""Which cells of an answer are graded, and what is said about those that are not.

Graded are the code cells without the tags `skip-grading` and `grade`. A free cell joins them if
they use a name that only it defines; so does an answer cell that was turned into another type.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Mapping

from halfbits.course.notebook import Cell
from halfbits.course.sources import DEFINES, bound_names, defined_names, is_stub, parse_leniently

FREE, ANSWER = "skip-grading", "answer"
BUILT_IN = {*vars(builtins), "__name__", "__file__", "__doc__", "get_ipython", "display"}


def graded_cells(cells: Iterable[Cell]) -> tuple[tuple[Cell, ...], tuple[str, ...]]:
    """The cells to run, in their order, and one note for each cell that a person may wonder at."""
    written = [cell for cell in cells if cell.source.strip()]
    chosen = [cell for cell in written if cell.is_graded]
    notes = []
    for cell in (c for c in written if c.kind != "code" and ANSWER in c.tags):
        names = defined_names(cell.source)
        if names and not {*names} & bound(chosen):
            chosen.append(cell)
            notes.append(
                f"{cell.place} is a {cell.kind} cell; its code was graded: make it a code cell."
            )
    free = {cell: bound([cell]) for cell in written if cell.kind == "code" and FREE in cell.tags}
    while free and (needed := _first_needed(free, wanting(chosen))):
        cell, names = needed
        del free[cell]
        chosen.append(cell)
        notes.append(
            f"{cell.place} is a free cell (tag {FREE}) and ran because the answer uses "
            f"{', '.join(names[:3])} from it: move that into an answer cell."
        )
    taken = bound(chosen)
    notes += [note for cell in free if (note := _passed_over(cell, taken))]
    return tuple(cell for cell in written if cell in chosen), tuple(notes)


def defined_twice(cells: Iterable[Cell], tasks: Iterable[str]) -> tuple[str, ...]:
    """A note for each task with several different definitions: the last one counts.

    A stub that was left above the answer, and a copy of the answer, are no second definition.
    """
    written: dict[str, dict[str, str | None]] = {}
    for cell in cells:
        for node in definitions(cell.source):
            written.setdefault(node.name, {})[ast.dump(node)] = cell.place
    notes = []
    for task in tasks:
        if len(found := written.get(task, {})) > 1:
            places = ", ".join(dict.fromkeys(place for place in found.values() if place))
            where = f" ({places})" if places else ""
            notes.append(f"{task} is defined {len(found)} times{where}: the last one was graded.")
    return tuple(notes)


def definitions(
    source: str,
) -> list[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    """The functions and classes of a cell that are written, not left as stubs."""
    tree = parse_leniently(source)
    nodes = tree.body if tree else []
    return [node for node in nodes if isinstance(node, DEFINES) and not is_stub(node)]


def _first_needed(free: Mapping[Cell, set[str]], wanted: set[str]) -> tuple[Cell, list[str]] | None:
    """The first free cell that binds some of the names that are wanted, and those names."""
    found = ((cell, sorted(names & wanted)) for cell, names in free.items())
    return next((one for one in found if one[1]), None)


def _passed_over(cell: Cell, taken: set[str]) -> str:
    again = sorted({*defined_names(cell.source)} & taken)
    said = f"{cell.place} is a free cell (tag {FREE}): its {', '.join(again)} was not graded."
    return said if again else ""


def bound(cells: Iterable[Cell]) -> set[str]:
    """Every name that the cells bind anywhere."""
    trees = (parse_leniently(cell.source) for cell in cells)
    return {name for tree in trees if tree for name in bound_names(tree)}


def wanting(cells: list[Cell]) -> set[str]:
    """The names that the cells use and nobody gives them."""
    nodes = [n for cell in cells if (tree := parse_leniently(cell.source)) for n in ast.walk(tree)]
    used = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    arguments = {n.arg for n in nodes if isinstance(n, ast.arg)}
    return used - arguments - bound(cells) - BUILT_IN
