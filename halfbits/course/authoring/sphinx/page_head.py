"""What a page says about itself to search engines and to whoever is sent its address."""

from __future__ import annotations

import textwrap
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

LONGEST, SHORTEST = 200, 40
ANSWER = "hb-answer-text"  # the class that lesson_head.py gives a lesson's answer
COURSE = "A course and interview-prep book on mixed-precision inference, executed and graded."


def describe(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Give the template the page's description and its picture's address."""
    context["hb_description"] = description(doctree) if doctree else COURSE
    base = app.config.html_baseurl
    picture = "_static/card.png"
    context["hb_picture"] = f"{base}{picture}" if base else context["pathto"](picture, 1)


def description(doctree: nodes.document) -> str:
    """A lesson's answer in one sentence; another page's first paragraph that says something."""
    found = paragraphs(doctree)
    answers = [as_line(paragraph) for paragraph in found if ANSWER in paragraph["classes"]]
    telling = [text for text in map(as_line, found) if len(text) >= SHORTEST]
    chosen = next(iter([*answers, *telling]), COURSE)
    return textwrap.shorten(chosen, LONGEST, placeholder=" …")


def as_line(paragraph: nodes.paragraph) -> str:
    return " ".join(paragraph.astext().split())


def paragraphs(doctree: nodes.document) -> list[nodes.paragraph]:
    """The paragraphs of the running text without a formula; cells' outputs are none."""
    return [
        paragraph
        for paragraph in doctree.findall(nodes.paragraph)
        if isinstance(paragraph.parent, nodes.section) and not list(paragraph.findall(nodes.math))
    ]


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("html-page-context", describe)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
