"""Submissions that a teacher should look at: alike to another one or to the solution, or reaching
for the grader or for files that are not theirs."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable

from halfbits.course.catalog import Catalog, Exercise
from halfbits.course.grading.classroom.journal import Result
from halfbits.course.grading.classroom.submissions import StudentSubmission
from halfbits.course.grading.judge.guard import PUT_BACK, suspicious
from halfbits.course.notebook import Answer, open_answer
from halfbits.course.selection import graded_cells
from halfbits.course.sources import DEFINES, is_stub, parse_leniently

FOREIGN = ("solutions/", "solutions\\", "../", "..\\")


def to_look_at(
    catalog: Catalog, graded: Iterable[tuple[StudentSubmission, Result]]
) -> list[tuple[StudentSubmission, str]]:
    """Each submission worth a look, with what it does."""
    found = [(submitted, result, submitted.read()) for submitted, result in graded]
    same: dict[tuple[str, str], list[str]] = defaultdict(list)
    for submitted, _, answer in found:
        if text := tasks_text(submitted.exercise, answer):
            same[submitted.exercise.key, text].append(submitted.student)
    solutions = {e.key: _solution(catalog, e) for e in catalog.exercises}
    rows = []
    for submitted, result, answer in found:
        said = [f"names {', '.join(names)}"] if (names := _reaches(answer)) else []
        said += [note for note in result.notes if note.startswith(PUT_BACK)]
        key, text = submitted.exercise.key, tasks_text(submitted.exercise, answer)
        others = [name for name in same.get((key, text), ()) if name != submitted.student]
        said += [f"has the same functions as {', '.join(others[:3])}"] if others else []
        said += ["has the functions of the solution"] if text and text == solutions[key] else []
        rows += [(submitted, "; ".join(said))] if said else []
    return rows


def tasks_text(exercise: Exercise, answer: Answer) -> str:
    """The written functions and classes of the tasks, without comments and layout; "" for none.

    None of a repair either: those who mend one line of the same program have the same functions.
    """
    if exercise.kind == "repair":
        return ""
    trees = [parse_leniently(cell.source) for cell in graded_cells(answer.cells)[0]]
    last = {
        node.name: node
        for tree in trees
        for node in (tree.body if tree else ())
        if isinstance(node, DEFINES) and node.name in exercise.tasks and not is_stub(node)
    }
    return "\n".join(ast.unparse(last[name]) for name in sorted(last))


def _reaches(answer: Answer) -> list[str]:
    cells = graded_cells(answer.cells)[0]
    trees = [tree for cell in cells if (tree := parse_leniently(cell.source))]
    texts = {
        node.value
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    paths = sorted(t for t in texts if "\n" not in t and any(part in t for part in FOREIGN))
    return [*suspicious(cells), *paths[:3]]


def _solution(catalog: Catalog, exercise: Exercise) -> str:
    answer = open_answer(catalog.notebook(exercise, "solutions"), patience=0)
    return tasks_text(exercise, answer)
