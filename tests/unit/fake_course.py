"""A small course in a temporary folder, with exercises that need no framework, for grader tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

CATALOG = """
[[exercise]]
key = "numbers/double"
title = "Twice as much"
minutes = 5
difficulty = 1
importance = 1
tasks = ["double", "Counter"]
preload = []
time_limit = 5

[[exercise]]
key = "numbers/halve"
title = "Half as much"
minutes = 5
difficulty = 1
importance = 1
tasks = ["halve"]
preload = []
time_limit = 5
prerequisites = ["numbers/double"]
"""

DOUBLE_CHECKS = '''
import pytest

from halfbits.course.checks import expect


@pytest.mark.task("double")
def test_doubles_numbers(answer, seed):
    """Every number is doubled."""
    for x in (0, 3, seed):
        expect.close(answer.double(x), 2 * x, atol=0, called=f"double({x})", why="2 + 2 = 4")


@pytest.mark.task("double")
def test_doubles_text(answer):
    """A text is doubled too."""
    assert answer.double("ab") == "abab"


@pytest.mark.task("Counter")
def test_counts(answer):
    """The counter counts."""
    counter = answer.Counter()
    counter.add()
    total = counter.total
    expect.true(total == 1, called="add()", expected="1", got=total, why="one was added")
'''

HALVE_CHECKS = '''
import pytest

from halfbits.course.checks import expect


@pytest.mark.task("halve")
def test_halves(answer):
    """Every number is halved."""
    expect.close(answer.halve(3), 1.5, atol=0, called="halve(3)", why="no rounding")
'''

DOUBLE = 'def double(x):\n    """Twice x."""\n    return x + x\n'
COUNTER = """class Counter:
    def __init__(self) -> None:
        self.total = 0

    def add(self) -> None:
        self.total += 1
"""
HALVE = "def halve(x: float) -> float:\n    return x / 2\n"


def cell(source: str, *tags: str, kind: str = "code", id: str = "cell") -> dict[str, Any]:
    """One notebook cell as JSON."""
    extra = {"execution_count": 1, "outputs": []} if kind == "code" else {}
    return {"cell_type": kind, "id": id, "metadata": {"tags": list(tags)}, "source": source} | extra


def notebook(*cells: str | dict[str, Any]) -> dict[str, Any]:
    """A notebook as JSON; a text becomes a code cell."""
    whole = [cell(c, id=f"c{i}") if isinstance(c, str) else c for i, c in enumerate(cells)]
    return {"cells": whole, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def write(path: Path, content: str | dict[str, Any]) -> Path:
    """Write a text or a notebook, making its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = content if isinstance(content, str) else json.dumps(content)
    path.write_text(text, encoding="utf-8")
    return path


def hints(task: str) -> list[dict[str, Any]]:
    """Three hint cells for `task`."""
    texts = {1: "Say it again.", 2: "Look at +.", 3: "Add x to itself."}
    return [
        cell(
            f"<details><summary>Hint {level}: {task}</summary>\n\n{text}\n\n</details>",
            "hint",
            f"task:{task}",
            f"level:{level}",
            kind="markdown",
        )
        for level, text in texts.items()
    ]


BROKEN_HALVE = "def halve(x: float) -> float:\n    return x // 2\n"


def with_a_repair(root: Path) -> Path:
    """Turn `halve` of the course at `root` into a program to repair."""
    toml = root / "exercises" / "course.toml"
    write(toml, toml.read_text(encoding="utf-8") + 'kind = "repair"\n')
    cells = (cell(BROKEN_HALVE, "broken", id="program"), cell(HALVE, "answer", id="mended"))
    write(root / "solutions" / "numbers" / "halve.ipynb", notebook(*hints("halve"), *cells))
    return root


def make_course(root: Path) -> Path:
    """Write the course with its solutions and checks, without the exercise notebooks."""
    write(root / "exercises" / "course.toml", CATALOG)
    write(root / "exercises" / "numbers" / "test_double.py", DOUBLE_CHECKS)
    write(root / "exercises" / "numbers" / "test_halve.py", HALVE_CHECKS)
    solution = notebook(
        cell("# Twice as much", kind="markdown", id="title"),
        *hints("double"),
        cell(DOUBLE, "answer", id="double-answer"),
        cell(COUNTER, "answer", id="counter-answer"),
        cell("double(1)", id="try"),
        cell("from halfbits import grade\n\ngrade('numbers/double')", "grade", id="grade"),
    )
    write(root / "solutions" / "numbers" / "double.ipynb", solution)
    write(root / "solutions" / "numbers" / "halve.ipynb", notebook(cell(HALVE, "answer")))
    return root
