"""The directives of the interview part: a folded part, and the table that finds a question."""

from __future__ import annotations

import re
from html import escape
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import directives
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective

from halfbits.course.authoring.sphinx.interview_pages import Writer, bank_of
from halfbits.course.interview.bank.question import KINDS, LANGUAGES, LEVELS, TOPICS
from halfbits.course.interview.words import LANG, names, words

FILTERS = {"topic": TOPICS, "level": LEVELS, "kind": KINDS}


class Fold(SphinxDirective):
    """`:::{fold} Summary`: a folded part that opens without a script."""

    required_arguments = 1
    final_argument_whitespace = True
    has_content = True
    option_spec = {"class": directives.class_option}  # noqa: RUF012

    def run(self) -> list[nodes.Node]:
        names = " ".join(["hb-fold", *self.options.get("class", [])])
        return [
            html(f'<details class="{names}"><summary>'),
            *inline(self, self.arguments[0]),
            html("</summary>"),
            *blocks(self, self.content),
            html("</details>"),
        ]


class Find(SphinxDirective):
    """`{interview-find}`: every question in a table for each language, and a form that filters."""

    def run(self) -> list[nodes.Node]:
        parts: list[nodes.Node] = [html(form())]
        for language in LANGUAGES:
            parts += self.table(language)
        return [
            *parts,
            html('<script type="module" src="../../_static/interview_find.mjs"></script>'),
        ]

    def table(self, language: str) -> list[nodes.Node]:
        source = Path(self.env.srcdir)
        writer = Writer(bank_of(source), source, self.env.docname, language)
        said = words("pages", language)
        heads = "".join(
            f'<th scope="col">{said[name]}</th>'
            for name in ("question", "topic", "level", "kind", "time")
        )
        parts: list[nodes.Node] = [
            html(
                f'<div class="hb-scroll" tabindex="0" role="region" lang="{LANG[language]}" '
                f'aria-label="{said["count"]}" data-table="{language}">'
                f'<table class="table"><thead><tr>{heads}</tr></thead><tbody>'
            )
        ]
        for question in writer.bank.questions:
            short = plain(question.texts[language].short)
            parts += [
                html(
                    f'<tr data-topic="{" ".join(question.topics)}" data-level="{question.level}" '
                    f'data-kind="{question.kind}" data-text="{escape(short)}"><td>'
                ),
                *inline(self, writer.link(question, question.texts[language].question)),
                html(
                    f"</td><td>{TOPICS[question.topic][language]}</td>"
                    f"<td>{LEVELS[question.level][language]}</td>"
                    f"<td>{KINDS[question.kind][language]}</td><td>{question.minutes}</td></tr>"
                ),
            ]
        return [*parts, html("</tbody></table></div>")]


def form() -> str:
    """The filter's form; it stays hidden where no script runs."""
    said = names("find")
    fields = [f'<label>{both(said["text"])}<input type="search" name="text"></label>']
    for name, choices in FILTERS.items():
        options = "".join(
            f'<option value="{key}">{" ".join(choice.values())}</option>'
            for key, choice in choices.items()
        )
        everything = f'<option value="">{" ".join(said["all"].values())}</option>'
        title = both({language: words("pages", language)[name] for language in LANGUAGES})
        fields.append(f'<label>{title}<select name="{name}">{everything}{options}</select></label>')
    languages = "".join(
        f'<option value="{name}">{own}</option>' for name, own in said["name"].items()
    )
    fields.append(
        f'<label>{both(said["language"])}<select name="lang">{languages}</select></label>'
    )
    counts = " ".join(
        f'data-{language}-{number}="{said[number][language]}"'
        for language in LANGUAGES
        for number in ("one", "several")
    )
    return (
        f'<form class="hb-find" hidden>{"".join(fields)}'
        f'<button type="reset">{both(said["reset"])}</button>'
        f'<output aria-live="polite" {counts}></output></form>'
    )


def both(said: dict[str, str]) -> str:
    """A text in English and in the other languages."""
    marked = (f'<span lang="{LANG[name]}">{said[name]}</span>' for name in LANGUAGES[1:])
    return " ".join((said["en"], *marked))


def plain(text: str) -> str:
    """The words of Markdown on one line."""
    return " ".join(re.sub(r"[`*$\\{}_]", "", text).split())


def html(text: str) -> nodes.Node:
    return nodes.raw("", text, format="html")


def blocks(directive: SphinxDirective, content: StringList) -> list[nodes.Node]:
    box = nodes.container()
    directive.state.nested_parse(content, directive.content_offset, box)
    return box.children


def inline(directive: SphinxDirective, text: str) -> list[nodes.Node]:
    first = blocks(directive, StringList([text], source=""))
    return first[0].children if first and isinstance(first[0], nodes.paragraph) else first
