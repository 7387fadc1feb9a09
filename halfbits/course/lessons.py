"""The lessons as their first cells describe them: title, minutes, and what they build on."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Lesson:
    """One notebook of notebooks/; `needs` and `leads_to` are stems of lessons or keys of exercises.

    `minutes` is zero for the notebooks behind the audit, which are no lessons.
    """

    stem: str
    title: str
    minutes: int
    needs: tuple[str, ...]
    leads_to: tuple[str, ...]


@cache
def load_lessons(root: Path) -> dict[str, Lesson]:
    """All notebooks by stem, in the book's order; those that the book leaves out come last."""
    paths = sorted((root / "notebooks").glob("*.ipynb"))
    order = toc_order(root)
    paths.sort(key=lambda path: order.get(path.stem, len(order)))
    return {path.stem: read_lesson(path) for path in paths}


def toc_order(root: Path) -> dict[str, int]:
    """The place of each notebook in the book's table of contents."""
    path = root / "book" / "_toc.yml"
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    stems = re.findall(r"file: *notebooks/(\w+)", text)
    return {stem: place for place, stem in enumerate(stems)}


def leading_to(key: str, lessons: Iterable[Lesson]) -> list[Lesson]:
    """The lessons that list the exercise `key`, in their order."""
    return [lesson for lesson in lessons if key in lesson.leads_to]


def before(root: Path, key: str, lessons: Iterable[Lesson]) -> list[Lesson]:
    """Those that lead to the exercise and stand in its part of the book; all, where none does."""
    leading, beside = leading_to(key, lessons), part_of(root, f"exercises/{key}")
    return [one for one in leading if f"notebooks/{one.stem}" in beside] or leading


def part_of(root: Path, page: str) -> tuple[str, ...]:
    """The pages of the part of the book that has `page`, by its table of contents."""
    path = root / "book" / "_toc.yml"
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    parts = [re.findall(r"file: *(\S+)", part) for part in text.split("caption:")]
    return next((tuple(part) for part in parts if page in part), ())


def read_lesson(path: Path) -> Lesson:
    """The lesson in a notebook; a first cell without some line leaves it empty."""
    cells = json.loads(path.read_text(encoding="utf-8")).get("cells", [])
    text = "".join(cells[0]["source"]) if cells else ""
    title = re.search(r"^# (.+)", text, re.MULTILINE)
    minutes = re.search(r"^\*\*Minutes\.\*\* (\d+)", text, re.MULTILINE)
    before = re.search(r"^\*\*Before this\.\*\* (.*)", text, re.MULTILINE)
    links = re.findall(r"\]\((?:\.\./exercises/)?([\w/]+)\.ipynb", before[1]) if before else []
    return Lesson(
        path.stem,
        title[1] if title else path.stem,
        int(minutes[1]) if minutes else 0,
        tuple(links),
        tuple(exercises_after(cells)),
    )


def exercises_after(cells: list[dict[str, Any]]) -> list[str]:
    """The exercises linked below the heading Exercises, which stands near a lesson's end."""
    text = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    section = re.search(r"^## Exercises\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    return re.findall(r"exercises/(\w+/\w+)\.ipynb", section[1]) if section else []
