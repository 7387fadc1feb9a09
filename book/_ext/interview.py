"""The interview part of the book, made from the question bank while the book is built.

A page asks for its content by a fence: `{interview} topic formats en`, `{interview} seed en`,
`{interview} topics en`. The text that replaces it is MyST, so that search, links and formulas work
as everywhere. `% id NAME` under a heading becomes that heading's anchor.
"""

from __future__ import annotations

import hashlib
import re
from html import escape
from pathlib import Path
from typing import Any

import yaml
from docutils import nodes
from docutils.parsers.rst import directives
from docutils.statemachine import StringList
from interview_pages import Writer, folder
from interview_words import LANG, WORDS
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective

from halfbits.catalog import CourseError
from halfbits.interview.bank import Bank, load_bank, question_files
from halfbits.interview.expression import BadExpressionError, evaluate
from halfbits.interview.parse import filled
from halfbits.interview.question import KINDS, LANGUAGES, LEVELS, TOPICS

FENCE = re.compile(r"^```\{interview\} (\w+)(?: (\w+))? (en|zh)\n```$", re.MULTILINE)
NUMBERS = Path("book") / "interview" / "cheat_sheet.yaml"
FILTERS = {"topic": TOPICS, "level": LEVELS, "kind": KINDS}


def bank_of(app: Sphinx) -> Bank:
    """The bank of the sources, read once a build."""
    if not hasattr(app, "halfbits_bank"):
        try:
            app.halfbits_bank = load_bank(Path(app.srcdir))
        except CourseError as error:
            raise ExtensionError(str(error)) from error
    return app.halfbits_bank


def write_questions(app: Sphinx, docname: str, source: list[str]) -> None:
    """Put the bank's text in the place of each fence of an interview page."""
    if not docname.startswith("book/interview/"):
        return

    def written(found: re.Match[str]) -> str:
        what, topic, language = found.groups()
        writer = Writer(bank_of(app), Path(app.srcdir), docname, language)
        lines = writer.topic(topic) if topic else getattr(writer, what)()
        return "\n".join(lines)

    text = FENCE.sub(written, source[0])
    if docname.endswith("/cheat_sheet"):
        text = with_numbers(text, Path(app.srcdir) / NUMBERS)
    source[0] = text


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
    """Read every interview page again when a question was added, changed or removed."""
    files = question_files(Path(app.srcdir))
    content = b"".join(path.name.encode() + path.read_bytes() for path in files)
    digest = hashlib.sha256(content).hexdigest()
    if getattr(env, "halfbits_bank", digest) == digest:
        env.halfbits_bank = digest
        return set()
    env.halfbits_bank = digest
    return {name for name in env.found_docs if name.startswith("book/interview/")}


def mark_language(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any
) -> None:
    """Tell browsers and screen readers which pages are Chinese; style the interview part."""
    if not page.startswith("book/interview/"):
        return
    app.add_css_file("interview.css")
    if page.startswith(folder("zh") + "/") and context.get("body"):
        context["body"] = f'<div lang="{LANG["zh"]}">{context["body"]}</div>'


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
        writer = Writer(bank_of(self.env.app), Path(self.env.srcdir), self.env.docname, language)
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


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("fold", Fold)
    app.add_directive("interview-find", Find)
    app.connect("source-read", write_questions)
    # Before the contents are collected: they remember the anchors of the sections.
    app.connect("doctree-read", name_sections, priority=100)
    app.connect("env-get-outdated", reread_when_the_bank_changed)
    app.connect("html-page-context", mark_language)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
