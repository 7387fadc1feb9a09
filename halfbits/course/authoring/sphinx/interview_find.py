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
from halfbits.course.authoring.sphinx.interview_words import LANG, WORDS
from halfbits.course.interview.bank.question import KINDS, LANGUAGES, LEVELS, TOPICS

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
        words = WORDS[language]
        heads = "".join(
            f'<th scope="col">{words[name]}</th>'
            for name in ("question", "topic", "level", "kind", "time")
        )
        parts: list[nodes.Node] = [
            html(
                f'<div class="hb-scroll" tabindex="0" role="region" lang="{LANG[language]}" '
                f'aria-label="{words["count"]}" data-table="{language}">'
                f'<table class="table"><thead><tr>{heads}</tr></thead><tbody>'
            )
        ]
        for question in writer.bank.questions:
            said = plain(question.texts[language].short)
            parts += [
                html(
                    f'<tr data-topic="{" ".join(question.topics)}" data-level="{question.level}" '
                    f'data-kind="{question.kind}" data-text="{escape(said)}"><td>'
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
    fields = [
        '<label>Text <span lang="zh-Hans">文字</span><input type="search" name="text"></label>'
    ]
    for name, choices in FILTERS.items():
        options = "".join(
            f'<option value="{key}">{words["en"]} {words["zh"]}</option>'
            for key, words in choices.items()
        )
        fields.append(
            f'<label>{WORDS["en"][name]} <span lang="zh-Hans">{WORDS["zh"][name]}</span>'
            f'<select name="{name}"><option value="">All 全部</option>{options}</select></label>'
        )
    fields.append(
        '<label>Language <span lang="zh-Hans">语言</span><select name="lang">'
        '<option value="en">English</option><option value="zh">中文</option></select></label>'
    )
    return (
        f'<form class="hb-find" hidden>{"".join(fields)}'
        '<button type="reset">Show all <span lang="zh-Hans">重置</span></button>'
        '<output aria-live="polite"></output></form>'
    )


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
