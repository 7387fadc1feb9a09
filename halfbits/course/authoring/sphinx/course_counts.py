"""The directive `course-counts`: how many lessons, exercises and questions the course has.

The lessons are those of the contents that take minutes, the exercises those of the catalog, the
questions those of the bank, each in all of its languages. Its page is read again in every build.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from halfbits.course.authoring.sphinx.interview_pages import bank_of
from halfbits.course.catalog import load_catalog
from halfbits.course.interview.bank.question import LANGUAGES
from halfbits.course.lessons import load_lessons, toc_order

SHOWN = "hb_counts"  # a mark in the page's metadata


class CourseCounts(SphinxDirective):
    """`{course-counts}`: one line of counts, each with its link."""

    def run(self) -> list[nodes.Node]:
        self.env.metadata[self.env.docname][SHOWN] = True
        box = nodes.container(classes=["hb-counts"])
        lines = StringList(list(items(Path(self.env.srcdir))), source=self.env.docname)
        self.state.nested_parse(lines, self.content_offset, box)
        return [box]


def items(source: Path) -> Iterator[str]:
    """MyST lines for a page in book/; `source` is the folder that holds book/."""
    yield f"- [**{lessons(source)}** lessons](start.md)"
    exercises = load_catalog(source).exercises
    yield f"- [**{len(exercises)}** graded exercises](exercises/formats.md)"
    yield f"- [**{len(bank_of(source).questions)}** questions](interview/find.md)"
    yield f"- **{len(LANGUAGES)}** languages for each question"


def lessons(source: Path) -> int:
    """How many notebooks of the contents are lessons; those behind the audit are none."""
    order = toc_order(source)
    return sum(bool(load_lessons(source)[stem].minutes) for stem in order)


def pages_with_counts(app: Sphinx, env: Any, *_: Any) -> set[str]:
    return {page for page in env.found_docs if SHOWN in env.metadata.get(page, {})}


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("course-counts", CourseCounts)
    app.connect("env-get-outdated", pages_with_counts)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
