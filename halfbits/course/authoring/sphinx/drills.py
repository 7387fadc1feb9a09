"""The drills of the interview part: flashcards, mock interview and Anki decks.

`{flashcards} en` and `{mock} en` put the component of a language on the page; without a script
the cards are folded lines. The decks and the data of the mock interview are written at the end.
"""

from __future__ import annotations

import json
from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from halfbits.course.authoring.sphinx.interview_pages import (
    Writer,
    bank_of,
    folder,
    page_of,
    title_of,
)
from halfbits.course.interview.bank.bank import QUESTIONS
from halfbits.course.interview.bank.question import KINDS, LANGUAGES, LEVELS, TOPICS
from halfbits.course.interview.cards.cards import make_cards
from halfbits.course.interview.mock.page_data import mock_data
from halfbits.course.interview.text.phrases import phrases
from halfbits.course.interview.text.render import mathml, to_html, to_inline_html
from halfbits.course.interview.words import LANG
from halfbits.folders import find_root

STYLES = "drills.css"


class Drill(SphinxDirective):
    """A component with its phrases and its module."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        language = self.arguments[0]
        if language not in LANGUAGES:
            raise self.error(f"unknown language {language!r}; known: {', '.join(LANGUAGES)}")
        source = Path(self.env.srcdir)
        writer = Writer(bank_of(source), source, self.env.docname, language)
        return [nodes.raw("", self.html(writer), format="html")]

    def html(self, writer: Writer) -> str:
        raise NotImplementedError


class Flashcards(Drill):
    """All cards of a language as folded lines, shown one at a time by the component."""

    def html(self, writer: Writer) -> str:
        cards = "".join(
            f'<details class="hb-fold hb-short" data-id="{card.id}" '
            f'data-topic="{" ".join(card.question.topics)}" data-level="{card.question.level}">'
            f"<summary>{to_inline_html(card.front)}</summary>"
            f"{to_html(card.back)}"
            f'<p><a href="{address(writer, card.question)}">{writer.words["full"]}</a></p>'
            "</details>"
            for card in make_cards(writer.bank, writer.language)
        )
        topics = json_attribute({name: said[writer.language] for name, said in TOPICS.items()})
        levels = json_attribute({name: said[writer.language] for name, said in LEVELS.items()})
        inside = f'<div class="hb-cards">{cards}</div>'
        attributes = f'data-topics="{topics}" data-levels="{levels}"'
        return component("flashcards", writer, inside, attributes)


class Mock(Drill):
    """The mock interview; without a script a line says how to hold it in a terminal."""

    def html(self, writer: Writer) -> str:
        words = phrases(writer.language)
        inside = f"<p>{words['no_script']} <code>python course.py mock</code></p>"
        data = writer.path(f"_static/{data_name(writer.language)}")
        return component("mock", writer, inside, f'data-source="{data}"')


def component(name: str, writer: Writer, inside: str, attributes: str) -> str:
    """The element with the phrases of its language, and the module that brings it to life."""
    module = writer.path(f"_static/{name}.mjs")
    return (
        f'<hb-{name} data-language="{writer.language}" lang="{LANG[writer.language]}" {attributes} '
        f'data-words="{json_attribute(phrases(writer.language))}">{inside}</hb-{name}>'
        f'<script type="module" src="{module}"></script>'
    )


def json_attribute(content: Any) -> str:
    return escape(json.dumps(content, ensure_ascii=False))


def address(writer: Writer, question: Any) -> str:
    """Where a question is answered in full, from the writer's page."""
    return f"{writer.path(page_of(question, writer.language))}.html#{question.slug}"


def data_name(language: str) -> str:
    return f"interview-{language}.json"


def page_content(source: Path, language: str) -> dict[str, Any]:
    """All that the mock interview of a language shows, with links from its page."""
    writer = Writer(bank_of(source), source, f"{folder(language)}/mock", language)
    questions = writer.bank.questions
    lessons = {f"notebooks/{name}": name for q in questions for name in q.lessons}
    exercises = {f"exercises/{name}": name for q in questions for name in q.exercises}
    return {
        "questions": mock_data(
            writer.bank, language, lambda question: address(writer, question), mathml
        ),
        "lessons": links(writer, lessons),
        "exercises": links(writer, exercises),
        "topics": {name: said[language] for name, said in TOPICS.items()},
        "levels": {name: said[language] for name, said in LEVELS.items()},
        "kinds": {name: said[language] for name, said in KINDS.items()},
    }


def links(writer: Writer, pages: dict[str, str]) -> dict[str, tuple[str, str]]:
    """Title and address of each notebook by its short name."""
    return {
        name: (title_of(writer.source, page), f"{writer.path(page)}.html")
        for page, name in pages.items()
    }


def write_files(app: Sphinx, error: Exception | None) -> None:
    """Write the mock interviews' data and the Anki decks."""
    if error or app.builder.format != "html":
        return
    from halfbits.course.interview.anki.deck import write_decks
    from halfbits.course.interview.bank.dates import changed

    source, out = Path(app.srcdir), Path(app.outdir)
    for language in LANGUAGES:
        text = json.dumps(page_content(source, language), ensure_ascii=False)
        (out / "_static" / data_name(language)).write_text(text, encoding="utf-8")
    write_decks(bank_of(source), out / "decks", changed(find_root(source) / QUESTIONS))


def reread_flashcards(
    app: Sphinx, env: Any, added: set[str], changed: set[str], removed: set[str]
) -> set[str]:
    """Read the pages of cards again in every build: they show the whole bank."""
    return {name for name in env.found_docs if name.endswith("/flashcards")}


def add_style(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    if any(f"<hb-{name} " in context.get("body", "") for name in ("flashcards", "mock")):
        app.add_css_file(STYLES)


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("flashcards", Flashcards)
    app.add_directive("mock", Mock)
    app.connect("env-get-outdated", reread_flashcards)
    app.connect("html-page-context", add_style)
    app.connect("build-finished", write_files)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
