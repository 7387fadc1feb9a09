"""The head of a lesson's page: one line of facts, the question, the answer in a fold.

A lesson's first cell states question, minutes, what to know before, and the answer, each in a
paragraph of its own (CONTRIBUTING). The page shows the facts as one line above the question and
folds both answers, that of the head and that below the prediction: `predict.js` opens them to a
reader who has written down what they expect. Without a script they open by a click.
"""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

ANSWER = "The answer in one sentence."
FOLD = re.compile(r"<details>(?=<summary>Answer</summary>)")
FOLDED = '<details class="hb-answer"><summary>The answer in one sentence</summary>'


def arrange_head(app: Sphinx, doctree: nodes.document) -> None:
    """Arrange the paragraphs of a lesson's first cell; other pages stay as they are."""
    if not app.env.docname.startswith("notebooks/"):
        return
    told = labeled(doctree)
    if not {"Question.", "Minutes.", "Before this.", ANSWER} <= told.keys():
        return
    question = told["Question."]
    question["classes"].append("hb-asked")
    without_label(question)
    question.parent.insert(question.parent.index(question), facts(told))
    fold(told[ANSWER])
    for raw in doctree.findall(nodes.raw):
        if raw.get("format") == "html" and FOLD.search(raw.astext()):
            text = FOLD.sub('<details class="hb-answer">', raw.astext())
            raw.replace_self(nodes.raw("", text, format="html"))


def labeled(doctree: nodes.document) -> dict[str, nodes.paragraph]:
    """The paragraphs that begin with a bold label, by the label."""
    found: dict[str, nodes.paragraph] = {}
    for paragraph in doctree.findall(nodes.paragraph):
        if (first := first_word(paragraph)) is not None:
            found.setdefault(first.astext(), paragraph)
    return found


def first_word(paragraph: nodes.paragraph) -> nodes.strong | None:
    """The bold words that a paragraph begins with; MyST may put an empty text before them."""
    first = next((child for child in paragraph if child.astext()), None)
    return first if isinstance(first, nodes.strong) else None


def without_label(paragraph: nodes.paragraph) -> None:
    """Take the label off a paragraph, and the blank after it."""
    label = first_word(paragraph)
    if label is not None:
        del paragraph[: paragraph.index(label) + 1]
    if paragraph.children and isinstance(paragraph[0], nodes.Text):
        paragraph[0] = nodes.Text(paragraph[0].astext().lstrip())


def facts(told: dict[str, nodes.paragraph]) -> nodes.paragraph:
    """Minutes and what to know before as one line; both paragraphs leave the page."""
    line = nodes.paragraph(classes=["hb-facts"])
    minutes, before = told["Minutes."], told["Before this."]
    without_label(minutes)
    line += nodes.Text(f"{minutes.astext()} minutes. ")
    minutes.parent.remove(minutes)
    before.parent.remove(before)
    line += before.children
    return line


def fold(answer: nodes.paragraph) -> None:
    """Fold the answer; `page_head` still finds it by its class."""
    without_label(answer)
    answer["classes"].append("hb-answer-text")
    place = answer.parent.index(answer)
    answer.parent.insert(place + 1, nodes.raw("", "</details>", format="html"))
    answer.parent.insert(place, nodes.raw("", FOLDED, format="html"))


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("doctree-read", arrange_head)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
