"""What the sources of the book print: pages, lessons, quizzes and questions with their numbers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from book_sources import ROOT

from halfbits.course.interview.bank.bank import load_bank
from halfbits.course.interview.bank.expression import evaluate
from halfbits.course.interview.bank.parse import filled
from halfbits.figures.markup import table_of_rates
from halfbits.figures.records import page_data
from halfbits.quantities import text as quantity_text

GLUE = re.compile(r"\{glue:text\}`(?:/notebooks/(?P<page>\w+)\.ipynb::)?(?P<name>[^`]*?)(?::s)?`")
QUANTITY = re.compile(r"\{quantity\}`([^`]*)`")


def printed() -> Iterator[tuple[str, str]]:
    """Pairs of a source's path and the text that a reader sees of it."""
    yield from questions()
    yield from cheat_sheets()
    yield from pages()
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        yield path.relative_to(ROOT).as_posix(), "\n".join(cells(path))
    for path in sorted((ROOT / "book" / "quizzes").glob("*.yaml")):
        yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")
    yield (
        "halfbits/figures/roofline",
        re.sub(r"<[^>]+>", " ", table_of_rates(page_data("roofline"))),
    )


def questions() -> Iterator[tuple[str, str]]:
    for question in load_bank(ROOT).questions:
        for language, said in question.texts.items():
            parts = [said.question, said.short, said.full, *(p[language] for p in question.points)]
            pairs = [part for pair in (*said.follow_ups, *said.red_flags) for part in pair]
            yield f"{question.slug}.{language}", "\n".join([*parts, *pairs])


def cheat_sheets() -> Iterator[tuple[str, str]]:
    folder = ROOT / "book" / "interview"
    expressions = yaml.safe_load((folder / "cheat_sheet.yaml").read_text(encoding="utf-8"))
    numbers = {name: evaluate(expression) for name, expression in expressions.items()}
    for path in (folder / "cheat_sheet.md", folder / "zh" / "cheat_sheet.md"):
        text = path.read_text(encoding="utf-8")
        yield path.relative_to(ROOT).as_posix(), filled(text, numbers)


def pages() -> Iterator[tuple[str, str]]:
    interview = ROOT / "book" / "interview"
    for path in sorted((ROOT / "book").rglob("*.md")):
        if interview not in path.parents:
            text = path.read_text(encoding="utf-8")
            yield path.relative_to(ROOT).as_posix(), with_numbers(text, path)


def cells(path: Path) -> Iterator[str]:
    """The prose of a lesson, and what its cells printed."""
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "markdown":
            yield with_numbers("".join(cell["source"]), path)
        for output in cell.get("outputs", []):
            yield "".join(output.get("text", ""))


def with_numbers(text: str, path: Path) -> str:
    """`text` with its glued values and named quantities in place."""

    def value(found: re.Match[str]) -> str:
        page = f"{found['page']}.ipynb" if found["page"] else path.name
        return glued(ROOT / "notebooks" / page)[found["name"]]

    return QUANTITY.sub(lambda found: quantity_text(found[1]), GLUE.sub(value, text))


@cache
def glued(path: Path) -> dict[str, str]:
    outputs: list[dict[str, Any]] = [
        output
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]
        for output in cell.get("outputs", [])
        if "scrapbook" in output.get("metadata", {})
    ]
    return {
        output["metadata"]["scrapbook"]["name"]: next(
            "".join(text) for kind, text in output["data"].items() if kind.endswith("text/plain")
        ).strip("'")
        for output in outputs
    }


def typed_sources() -> Iterator[tuple[str, str]]:
    """What somebody typed: prose with placeholders and roles as they stand."""
    for path in sorted((ROOT / "book").rglob("*.md")):
        text = path.read_text(encoding="utf-8")
        yield path.relative_to(ROOT).as_posix(), text.split("---\n", 2)[-1]
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] == "markdown":
                yield f"{path.relative_to(ROOT).as_posix()}#{cell['id']}", "".join(cell["source"])
