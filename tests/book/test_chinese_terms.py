"""The Chinese of the book uses the terms of a table: questions, pages and the interface."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from book_sources import ROOT

from halfbits.course.interview.bank.bank import load_bank
from halfbits.course.interview.bank.shelf import load_shelf
from halfbits.course.interview.words import table

TERMS = tomllib.loads(Path(__file__).with_name("chinese_terms.toml").read_text(encoding="utf-8"))


def texts() -> Iterator[tuple[str, str]]:
    """Every Chinese text with its name; a question is one text with its rubric and citations."""
    for question in load_bank(ROOT).questions:
        text = question.texts["zh"]
        pairs = [part for pair in (*text.follow_ups, *text.red_flags) for part in pair]
        points = [point["zh"] for point in question.points]
        says = [source.says.get("zh", "") for source in question.sources]
        yield (
            question.slug,
            "\n".join([text.question, text.short, text.full, *pairs, *points, *says]),
        )
    for path in sorted((ROOT / "book" / "interview" / "zh").glob("*.md")):
        yield f"zh/{path.name}", path.read_text(encoding="utf-8")
    for work in load_shelf(ROOT):
        yield f"shelf, {work.name}", work.claims["zh"]
    for part, said in table("zh").items():
        yield f"words, {part}", "\n".join(said.values())


TEXTS = dict(texts())


@pytest.mark.parametrize(("pattern", "right"), TERMS["never"].items())
def test_chinese_texts_do_not_say(pattern: str, right: str) -> None:
    found = [
        f"{name}: {text[max(0, match.start() - 12) : match.end() + 12]!r}"
        for name, text in TEXTS.items()
        for match in re.finditer(pattern, text)
    ]
    assert not found, f"say {right}:\n" + "\n".join(found)


@pytest.mark.parametrize(("pattern", "also"), TERMS["with"].items())
def test_a_text_that_says_one_also_says_the_other(pattern: str, also: str) -> None:
    alone = [
        name
        for name, text in TEXTS.items()
        if re.search(pattern, text) and not re.search(also, text)
    ]
    assert not alone, f"say {also} beside {pattern}"


def test_the_table_refuses_what_it_names() -> None:
    assert re.search(
        "\u952e\u503c\u7f13\u5b58|KV \u7f13\u5b58", "\u6bcf\u5f20\u5361\u7684 KV \u7f13\u5b58"
    )
    assert len(TERMS["never"]) >= 20 and len(TEXTS) > 130
