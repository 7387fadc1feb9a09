"""The directive `exercises`: a topic's exercises as a table, from the catalog."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from halfbits.course.catalog import Catalog, load_catalog
from halfbits.folders import CATALOG

DOES = {
    "write": "write a function",
    "repair": "repair a program",
    "measure": "measure a table",
}
LEVELS = {1: "easy", 2: "medium", 3: "hard"}


class Exercises(SphinxDirective):
    """`{exercises} TOPIC`: title, what one does, minutes and difficulty, in teaching order."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        root, page, topic = Path(self.env.srcdir), self.env.docname, self.arguments[0]
        self.env.note_dependency(str(root / CATALOG))
        catalog = load_catalog(root)
        if all(exercise.topic != topic for exercise in catalog.exercises):
            raise self.error(f"no exercise in {CATALOG} has the topic {topic!r}")
        lines = list(rows(catalog, topic, "../" * page.count("/")))
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
