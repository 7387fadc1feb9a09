"""The directives `exercises`, a topic's table, and `exercise-paths`, all of them by reader."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from itertools import groupby
from pathlib import Path

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from halfbits.course.catalog import Catalog, Exercise, load_catalog
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


class ExercisePaths(SphinxDirective):
    """`{exercise-paths}`: every exercise by topic, and a form that shows one reader's path."""

    def run(self) -> list[nodes.Node]:
        root, page = Path(self.env.srcdir), self.env.docname
        self.env.note_dependency(str(root / CATALOG))
        catalog, up = load_catalog(root), "../" * page.count("/")
        parts = [nodes.raw("", form(catalog), format="html")]
        topics = list(dict.fromkeys(exercise.topic for exercise in catalog.exercises))
        ordered = sorted(catalog.exercises, key=lambda one: topics.index(one.topic))
        for topic, exercises in groupby(ordered, key=lambda one: one.topic):
            link = f"[{topic_title(root, topic)}]({up}book/exercises/{topic}.md)"
            parts += self._row('<tbody><tr><th scope="rowgroup" colspan="5">', link, "</th></tr>")
            for exercise in exercises:
                link = f"[{exercise.title}]({up}exercises/{exercise.key}.ipynb)"
                own = [path for path in catalog.paths if exercise in catalog.along(path)]
                names = " ".join(path.name for path in own)
                parts += self._row(
                    f'<tr data-paths="{names}"><td>', link, f"</td>{cells(exercise, names)}</tr>"
                )
            parts.append(nodes.raw("", "</tbody>", format="html"))
        script = f'<script type="module" src="{up}_static/exercise_paths.mjs"></script>'
        return [*parts, nodes.raw("", f"</table></div>{script}", format="html")]

    def _row(self, before: str, link: str, after: str) -> list[nodes.Node]:
        box = nodes.container()
        self.state.nested_parse(StringList([link], source=""), self.content_offset, box)
        inside = nodes.inline("", "", *box.children[0].children)
        return [nodes.raw("", before, format="html"), inside, nodes.raw("", after, format="html")]


def cells(exercise: Exercise, names: str) -> str:
    """What one does, minutes, difficulty, and whose paths it is on."""
    values = (DOES[exercise.kind], exercise.minutes, LEVELS[exercise.difficulty], names)
    return "".join(f"<td>{escape(str(value))}</td>" for value in values)


def form(catalog: Catalog) -> str:
    """The choice of a path, hidden where no script runs, and the head of the table."""
    options = "".join(
        f'<option value="{path.name}">{escape(path.title)} ({len(own)} exercises, '
        f"{round(sum(one.minutes for one in own) / 60)} hours)</option>"
        for path in catalog.paths
        if (own := catalog.along(path))
    )
    heads = ("Exercise", "What you do", "Minutes", "Difficulty", "Paths")
    return (
        '<form class="hb-find hb-paths" hidden><label>Path <select name="path">'
        f'<option value="">all exercises</option>{options}</select></label>'
        '<output aria-live="polite"></output></form>'
        '<div class="hb-scroll" tabindex="0" role="region" aria-label="Exercises">'
        '<table class="table" data-exercises><thead><tr>'
        + "".join(f'<th scope="col">{head}</th>' for head in heads)
        + "</tr></thead>"
    )


def topic_title(root: Path, topic: str) -> str:
    """What the page of a topic calls it: "number formats"."""
    head = (root / "book" / "exercises" / f"{topic}.md").read_text(encoding="utf-8")
    return head.partition("\n")[0].rpartition(":")[2].strip(" #")


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("exercises", Exercises)
    app.add_directive("exercise-paths", ExercisePaths)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
