"""`grade("<exercise>", task="<task>")` in a notebook: grades what this kernel has executed."""

from __future__ import annotations

import ast
import os
import sys
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from halfbits.course.catalog import Catalog, Exercise, load_catalog
from halfbits.course.checklist import read_checks
from halfbits.course.grading.report import Report
from halfbits.course.notebook import Cell, answer_of, find_answer, open_answer, read_cells
from halfbits.course.progress.hints import Hint
from halfbits.course.selection import FREE, bound, definitions, wanting
from halfbits.course.sources import bound_names, defined_names, parse_leniently
from halfbits.errors import CourseError

if TYPE_CHECKING:
    from halfbits.course.grading.submission import Submission

OUTDATED = "The file on disk differs from what you ran ({}); this grades what you ran."
UNRUN = "You have not run {} here; what the saved file defines there was graded."
NONE_RUN = "You have run no other cell here; the saved file was graded."


def grade(name: str, task: str | None = None) -> Any:
    """Grade exercise `name`, or one `task` of it, and return a report that a notebook shows.

    In a notebook: the cells this kernel has executed, so unsaved work counts. Elsewhere: the
    saved file under exercises/. Inside the grader's own worker it does nothing.
    """
    if os.environ.get("HALFBITS_GRADING"):
        return None
    from halfbits.course.grading.faces.asked import asked_next
    from halfbits.course.grading.faces.html import ReportView
    from halfbits.course.grading.grader import Grader

    catalog = load_catalog()
    exercise = catalog.find(name)
    checks = _checks_of(catalog, exercise, task)
    saved = _notebook_file(catalog, exercise)
    began = time.monotonic()
    with Grader() as grader:
        report = grader.grade(_submission(catalog, exercise, saved, checks))
        report.task = task if task and len(exercise.tasks) > 1 else ""
        seconds = time.monotonic() - began
    report.asked = asked_next(catalog.root, report)
    return ReportView(report, _upcoming(catalog, report), seconds)


def _checks_of(catalog: Catalog, exercise: Exercise, task: str | None) -> set[str] | None:
    """The names of the checks of `task`, None for all; raises CourseError where there is none."""
    if task is None:
        return None
    if task not in exercise.tasks:
        tasks = ", ".join(exercise.tasks)
        raise CourseError(f"{exercise.slug} has no task {task!r}: its tasks are {tasks}.")
    return {one.name for one in read_checks(catalog.checks(exercise)) if one.task == task}


def _submission(
    catalog: Catalog, exercise: Exercise, saved: Path, checks: set[str] | None
) -> Submission:
    """What this kernel has executed, as if it stood in the saved file; else that file."""
    from halfbits.course.grading.submission import Submission

    history = _history()
    if history is None:
        return Submission(catalog, exercise, open_answer(saved), checks, folder=saved.parent)
    cells, notes = executed_cells(history, _saved_cells(saved))
    answer = replace(answer_of(exercise, cells), notes=tuple(notes))
    return Submission(catalog, exercise, answer, checks, folder=saved.parent)


def executed_cells(history: list[str], saved: list[Cell]) -> tuple[list[Cell], list[str]]:
    """The executed sources as cells, and notes on how they differ from the saved notebook.

    A cell that was run twice counts once, at its last run; one that only defined names which
    later cells define again is an old version and is left out.

    A saved definition of names that were never executed is added: after an error, "Run All"
    drops the cells below. If nothing else was executed at all, the saved file counts as it is.
    """
    known = {cell.source.strip(): cell for cell in saved if cell.kind == "code"}
    last = {source.strip(): index for index, source in enumerate(history) if source.strip()}
    cells = []
    for source, index in sorted(last.items(), key=lambda pair: pair[1]):
        cell = known.get(source, Cell(f"In [{index + 1}]", source))
        if (cell.is_graded or FREE in cell.tags) and not _grades(source):
            cells.append(cell)
    ran = [cell for cell in cells if cell.is_graded]
    if not ran:
        whole = [cell for cell in saved if cell.is_graded or FREE in cell.tags]
        return whole, [NONE_RUN] if whole else []
    kept = [cell for i, cell in enumerate(cells) if not _superseded(cell, cells[i + 1 :])]
    missed = [c for s, c in known.items() if s and c.is_graded and s not in last]
    added = _never_run(missed, ran)
    written = [cell for cell in added if definitions(cell.source)]
    differs = [cell for cell in missed if cell not in added and _concerns(cell, kept + added)]
    return kept + added, [*_note(UNRUN, written), *_note(OUTDATED, differs)]


def _never_run(missed: Iterable[Cell], ran: Iterable[Cell]) -> list[Cell]:
    """The saved cells that only define, and only names that no executed cell binds."""
    trees = [tree for cell in ran if (tree := parse_leniently(cell.source)) is not None]
    taken = {name for tree in trees for name in bound_names(tree)}
    return [cell for cell in missed if (names := _only_defines(cell.source)) and not names & taken]


def _concerns(missed: Cell, cells: list[Cell]) -> bool:
    """Whether a saved cell defines what `cells` define, or binds what they use and nobody binds."""
    again = {*defined_names(missed.source)} & bound([*cells])
    return bool(again or bound([missed]) & wanting(cells))


def _note(text: str, cells: Iterable[Cell]) -> list[str]:
    places = [cell.place for cell in cells if cell.place]
    return [text.format(", ".join(places[:4]))] if places else []


def _superseded(cell: Cell, later: Iterable[Cell]) -> bool:
    names = _only_defines(cell.source)
    return bool(names) and names <= {name for one in later for name in defined_names(one.source)}


def _only_defines(source: str) -> set[str]:
    tree = parse_leniently(source)
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)
    if tree is None or not all(isinstance(node, kinds) for node in tree.body):
        return set()
    return set(defined_names(source))


def _grades(source: str) -> bool:
    tree = parse_leniently(source)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)] if tree else []
    return any(ast.unparse(call.func) in ("grade", "halfbits.grade") for call in calls)


def _history() -> list[str] | None:
    """What this IPython kernel has executed, oldest first; None outside IPython's notebooks."""
    interactive = sys.modules.get("IPython")
    shell = interactive.get_ipython() if interactive else None
    if shell is None or not hasattr(shell, "kernel"):
        return None
    return list(shell.history_manager.input_hist_raw[1:])


def _saved_cells(path: Path) -> list[Cell]:
    try:
        return read_cells(path)
    except CourseError:
        return []


def _notebook_file(catalog: Catalog, exercise: Exercise) -> Path:
    """The open notebook: what Jupyter says, else this folder's, else the learner's own."""
    here = Path.cwd() / f"{exercise.slug}.ipynb"
    for path in (Path(os.environ.get("JPY_SESSION_NAME", "")), here):
        if path.suffix == ".ipynb" and path.is_file():
            return path
    return find_answer(catalog.own_folder, exercise)[0]


def _upcoming(catalog: Catalog, report: Report) -> Hint | None:
    """The next hint for the first task that is not done; None when there is none."""
    from halfbits.course.progress.hints import upcoming_hint

    task = report.first_open_task()
    try:
        return upcoming_hint(catalog, report.exercise, task) if task else None
    except CourseError:
        return None
