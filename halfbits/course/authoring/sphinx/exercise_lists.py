"""The directive `exercises`: a topic's exercises as a table, from the catalog."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList
from sphinx.application import Sphinx

from halfbits.course.catalog import Catalog, load_catalog
from halfbits.folders import CATALOG

DOES = {
    "write": "write a function",
    "repair": "repair a program",
    "measure": "measure a table",
}
LEVELS = {1: "easy", 2: "medium", 3: "hard"}


class Exercises(Directive):
    """`{exercises} TOPIC`: title, what one does, minutes and difficulty, in teaching order."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        environment: Any = self.state.document.settings.env
        root = Path(environment.srcdir)
        environment.note_dependency(str(root / CATALOG))
        page = environment.docname
        lines = list(rows(load_catalog(root), self.arguments[0], "../" * page.count("/")))
        if len(lines) == 2:
            raise self.error(f"no exercise in {CATALOG} has the topic {self.arguments[0]!r}")
        box = nodes.container()
        self.state.nested_parse(StringList(lines, source=page), self.content_offset, box)
        return box.children


def rows(catalog: Catalog, topic: str, up: str) -> Iterator[str]:
    """MyST lines; `up` leads from the page to the folder that holds exercises/."""
    yield "| Exercise | What you do | Minutes | Difficulty |"
    yield "|---|---|--:|---|"
    for exercise in catalog.exercises:
        if exercise.topic == topic:
            link = f"[{exercise.title}]({up}exercises/{exercise.key}.ipynb)"
            level = LEVELS[exercise.difficulty]
            yield f"| {link} | {DOES[exercise.kind]} | {exercise.minutes} | {level} |"


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("exercises", Exercises)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
