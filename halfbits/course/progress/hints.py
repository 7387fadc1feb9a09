"""The hints of an exercise, read from its solution notebook so that an edit cannot lose them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from halfbits.course.catalog import Catalog, Exercise
from halfbits.course.checklist import read_checks
from halfbits.course.notebook import read_cells
from halfbits.course.progress.progress import Record, read_progress, record_hint
from halfbits.errors import CourseError

LEVELS = (1, 2, 3)
FOLDED = re.compile(r"<details>\s*<summary>(.*?)</summary>(.*?)</details>", re.DOTALL)


@dataclass(frozen=True)
class Hint:
    """One hint: its task, its level from 1 (restate) to 3 (nearly there), title and text."""

    task: str
    level: int
    title: str
    text: str


def read_hints(catalog: Catalog, exercise: Exercise) -> dict[tuple[str, int], Hint]:
    """The exercise's hints by task and level."""
    cells = read_cells(catalog.notebook(exercise, "solutions"))
    hints = [_hint(cell.source, cell.tags) for cell in cells if "hint" in cell.tags]
    return {(hint.task, hint.level): hint for hint in hints}


def open_hint(
    catalog: Catalog, exercise: Exercise, task: str | None = None, level: int | None = None
) -> Hint:
    """The next hint of a task, or the level asked for; remembered as opened. Raises CourseError.

    Without `task` it is the first one with a check that did not pass when last graded.
    """
    found = upcoming_hint(catalog, exercise, task, level)
    record_hint(exercise, found.task, found.level)
    return found


def upcoming_hint(
    catalog: Catalog, exercise: Exercise, task: str | None = None, level: int | None = None
) -> Hint:
    """The hint that `open_hint` would open, without remembering it."""
    record = read_progress().get(exercise.key, Record())
    checks = read_checks(catalog.checks(exercise))
    unsolved = [check.task for check in checks if check.name not in record.passed]
    task = choose_task(exercise, task, unsolved)
    level = next_level(level, record.hints.get(task, 0))
    found = read_hints(catalog, exercise).get((task, level))
    if found is None:
        raise CourseError(f"{exercise.slug} has no hint {level} for {task}.")
    return found


def choose_task(exercise: Exercise, wanted: str | None, unsolved: list[str]) -> str:
    """The task asked for, else the first one with a check that does not pass yet."""
    if wanted is None:
        return (unsolved or list(exercise.tasks))[0]
    for task in exercise.tasks:
        if task.lower() == wanted.lower():
            return task
    known = ", ".join(exercise.tasks)
    raise CourseError(f"{exercise.slug} has no task {wanted!r}; its tasks are {known}.")


def next_level(level: int | None, opened: int) -> int:
    """The level asked for, else the one after the highest opened so far."""
    return level or min(opened + 1, LEVELS[-1])


def _hint(source: str, tags: tuple[str, ...]) -> Hint:
    values = dict(tag.split(":", 1) for tag in tags if ":" in tag)
    found = FOLDED.search(source)
    title, text = found.groups() if found else ("Hint", source)
    level = int(values.get("level", "1"))
    return Hint(values.get("task", ""), level, title.strip(), text.strip())
