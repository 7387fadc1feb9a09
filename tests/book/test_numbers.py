"""No page states a number that somebody typed: it is glued from a cell, cited, or listed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from book_sources import ROOT
from prose_numbers import Typed, in_markdown, typed_numbers

ALLOWED = Path(__file__).with_name("allowed_numbers.txt")


def pages() -> Iterator[Path]:
    """Every page but the exercises, whose numbers are specifications that the grader enforces.

    The interview questions have sources, proofs and computed numbers of their own, and a rule of
    their own in test_interview.py.
    """
    bank = ROOT / "book" / "interview" / "questions"
    yield from sorted(path for path in (ROOT / "book").rglob("*.md") if bank not in path.parents)
    yield from sorted((ROOT / "notebooks").glob("*.ipynb"))


def allowed() -> set[tuple[str, str]]:
    """Pairs of page (`*` for all) and number."""
    lines = ALLOWED.read_text(encoding="utf-8").splitlines()
    entries = (line.split("  # ")[0].split() for line in lines if line and line[0] != "#")
    return {(page, number) for page, number in entries}


def test_every_number_in_the_prose_is_glued_cited_or_listed() -> None:
    known = allowed()
    typed = [
        found
        for path in pages()
        for found in typed_numbers(path, ROOT)
        if not {("*", found.number), (page_of(found), found.number)} & known
    ]
    assert not typed, "glue these from a cell or cite a source:\n" + "\n".join(map(str, typed))


def test_every_listed_number_is_still_needed() -> None:
    present = {
        (page, found.number)
        for path in pages()
        for found in typed_numbers(path, ROOT)
        for page in ("*", page_of(found))
    }
    assert not allowed() - present


def page_of(found: Typed) -> str:
    return found.page.split("#")[0]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("The perplexity rises to 7.31.", ["7.31"]),
        ("It keeps 87.5% of the answers, or 8,750 images.", ["87.5%", "8,750"]),
        ("It is 4 times as fast.", ["4"]),
        ("The error is -1.5e-3 or −3 at worst.", ["-1.5e-3", "−3"]),
        ("| name | 12.5 |", ["12.5"]),
        (":::{tip} Three\n:class: wide\nAbout 33 dB.\n:::", ["33"]),
        ("First {cite}`someone2020` says 5.\n\nThen 7 of them.", ["7"]),
        ("Cited: 3.5 GB {cite}`someone2020`. We measured 3.6 GB.", ["3.6"]),
        ("A range of 30-40 degrees", ["30"]),
    ],
)
def test_a_typed_number_is_found(text: str, numbers: list[str]) -> None:
    assert [found.number for found in in_markdown(text)] == numbers


@pytest.mark.parametrize(
    "text",
    [
        "It rises to {glue:text}`loss`, see [table 7.3](a.md), `x = 31` and $y = 7$.",
        "An H100 reads 3,350 GB/s {cite:t}`nvidia_h100`.",
        "FP16, bf16, int8, e4m3, 4-bit codes, an 8 bit type, AVX-512 and Python 3.11.",
        "Listing 3 and questions 5 and 7 are from 2026-11-24; it takes about 12 minutes.",
        "**Minutes.** 12",
        "A layer of 1,024 inputs, group 128, and the values 0 and 1.",
        "# Chapter 17\n\n> quoted 17\n\n```python\nx = 17\n```\n\n$$\nx = 17\n$$",
        "3. third of a list\n- [x](https://example.org/17)",
        "| 1.2 | a section |\n|---|---|",
    ],
)
def test_what_is_no_measured_number_is_left_alone(text: str) -> None:
    assert not list(in_markdown(text))


def test_a_number_is_reported_with_its_line() -> None:
    text = "# Title\n\n```text\n3\n5\n```\n\nOne. Two.\nIt is 7.5 here.\n"
    assert [(found.line, found.number) for found in in_markdown(text)] == [(9, "7.5")]
