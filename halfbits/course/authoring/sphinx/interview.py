"""The interview part of the book, made from the question bank while the book is built.

A page asks for its content by a fence: `{interview} topic formats en`, `{interview} seed en`,
`{interview} topics en`. The text that replaces it is MyST, so that search, links and formulas work
as everywhere. `% id NAME` under a heading becomes that heading's anchor.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

import yaml
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

from halfbits.course.authoring.sphinx.interview_find import Find, Fold
from halfbits.course.authoring.sphinx.interview_pages import Writer, bank_of, folder
from halfbits.course.authoring.sphinx.interview_plans import plans
from halfbits.course.authoring.sphinx.interview_tables import SHOW as TABLES
from halfbits.course.interview.bank.bank import question_files
from halfbits.course.interview.bank.expression import BadExpressionError, evaluate
from halfbits.course.interview.bank.parse import filled
from halfbits.course.interview.bank.question import TOPICS
from halfbits.course.interview.words import LANG

PAGES = "book/interview/"
SHOW = {**TABLES, "plans": plans}
FENCE = re.compile(r"^```\{interview\} (\w+)(?: (\w+))? (en|zh)\n```$", re.MULTILINE)
NUMBERS = Path("book") / "interview" / "cheat_sheet.yaml"


def write_questions(app: Sphinx, docname: str, source: list[str]) -> None:
    """Put the bank's text in the place of each fence of an interview page."""
    if docname.startswith(PAGES):
        source[0] = written(app, docname, source[0])


def written(app: Sphinx, docname: str, text: str) -> str:
    """The MyST of an interview page whose source is `text`."""

    def replaced(found: re.Match[str]) -> str:
        what, topic, language = found.groups()
        writer = Writer(bank_of(Path(app.srcdir)), Path(app.srcdir), docname, language)
        if (what, topic in TOPICS) != ("topic", True) and (what in SHOW, topic) != (True, None):
            raise ExtensionError(f"{docname}: there is nothing called {found[0].splitlines()[0]}")
        return "\n".join(writer.topic(topic) if topic else SHOW[what](writer))

    text = FENCE.sub(replaced, text)
    if docname.endswith("/cheat_sheet"):
        return with_numbers(text, Path(app.srcdir) / NUMBERS)
    return text


def with_numbers(text: str, path: Path) -> str:
    """`text` with its `{{name:format}}` computed by the expressions of a YAML file."""
    expressions = yaml.safe_load(path.read_text(encoding="utf-8"))
    try:
        numbers = {name: evaluate(expression) for name, expression in expressions.items()}
        return filled(text, numbers)
    except (BadExpressionError, KeyError, ValueError) as error:
        raise ExtensionError(f"{path.name}: {error!r}") from error


def name_sections(app: Sphinx, doctree: nodes.document) -> None:
    """Give each section the anchor that stands in the comment `id NAME` under its heading."""
    for comment in list(doctree.findall(nodes.comment)):
        found = re.fullmatch(r"id (\w+)", comment.astext().strip())
        if found and isinstance(comment.parent, nodes.section):
            section = comment.parent
            section["ids"] = [found[1]]
            doctree.ids[found[1]] = section
            section.remove(comment)


def reread_when_the_bank_changed(
    app: Sphinx, env: Any, added: set[str], changed: set[str], removed: set[str]
) -> set[str]:
    """Read again every interview page whose text became another with the bank."""
    before = getattr(env, "halfbits_interview", {})
    env.halfbits_interview = {
        name: digest(app, name) for name in env.found_docs if name.startswith(PAGES)
    }
    return {name for name, now in env.halfbits_interview.items() if before.get(name, now) != now}


def digest(app: Sphinx, docname: str) -> str:
    """What a page's text comes from, in short."""
    text = written(app, docname, Path(app.env.doc2path(docname)).read_text(encoding="utf-8"))
    if "{interview-find}" in text:
        text += "".join(path.read_text("utf-8") for path in question_files(Path(app.srcdir)))
    return hashlib.sha256(text.encode()).hexdigest()


def mark_language(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any
) -> None:
    """Tell browsers and screen readers which pages are Chinese; style the interview part."""
    if not page.startswith(PAGES):
        return
    app.add_css_file("interview.css")
    if page.startswith(folder("zh") + "/") and context.get("body"):
        context["body"] = f'<div lang="{LANG["zh"]}">{context["body"]}</div>'


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("fold", Fold)
    app.add_directive("interview-find", Find)
    app.connect("source-read", write_questions)
    # Before the contents are collected: they remember the anchors of the sections.
    app.connect("doctree-read", name_sections, priority=100)
    app.connect("env-get-outdated", reread_when_the_bank_changed)
    app.connect("html-page-context", mark_language)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
