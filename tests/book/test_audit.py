"""The audit is whole: each statement has verdict and evidence, tables agree with the pages."""

from __future__ import annotations

import re
from collections import Counter

from book_sources import ROOT

FAQ = ROOT / "book" / "faq"
SECTIONS = ("definition", "reasons", "techniques")
VERDICTS = ("right", "imprecise", "wrong")
# The questions (3) and statements (3.3) that each lesson answers.
LESSONS = {
    "autocast_pytorch": ("1", "4", "3.1", "3.2", "3.7"),
    "where_time_goes": ("2", "10", "2.2", "3.5"),
    "number_formats": ("2", "1.2", "2.1", "2.4"),
    "mixed_precision_tensorflow": ("3", "3.6"),
    "overflow_and_underflow": ("5",),
    "rounding_and_accumulation": ("5",),
    "quantization_theory": ("6", "3.4"),
    "quantize_a_model": ("7", "3.5"),
    "measuring_accuracy_loss": ("8", "3.3"),
    "quantization_versus_amp": ("9", "1.1"),
    "cpu_and_gpu": ("10", "2.3"),
}


def statements(section: str) -> dict[str, str]:
    """Number and text of each audited statement of one section."""
    text = (FAQ / f"{section}.md").read_text(encoding="utf-8")
    parts = re.split(r"^## (\d\.\d) .*$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def verdict(statement: str) -> str:
    found = re.findall(r"\*\*Verdict:\*\* \[(\w+)\]\{\.verdict-(\w+)\}", statement)
    assert len(found) == 1 and found[0][0] == found[0][1] in VERDICTS, statement
    return found[0][0]


def test_every_statement_is_quoted_in_chinese_and_has_a_verdict_and_evidence() -> None:
    for section in SECTIONS:
        for number, text in statements(section).items():
            assert re.search(r"^> .*[\u4e00-\u9fff]", text, flags=re.MULTILINE), number
            assert verdict(text) and "**Evidence:**" in text, number


def test_the_table_of_verdicts_counts_what_the_pages_say() -> None:
    table = (FAQ / "index.md").read_text(encoding="utf-8")
    for section in SECTIONS:
        counts = Counter(verdict(text) for text in statements(section).values())
        row = re.search(rf"{section}\.md\) \|(.+)\|$", table, flags=re.MULTILINE)
        assert row is not None
        printed = [int(cell) for cell in row[1].split("|")]
        assert printed == [counts.total(), *(counts[name] for name in VERDICTS)], section


def test_the_errata_list_every_statement_that_is_not_right() -> None:
    errata = (FAQ / "errata.md").read_text(encoding="utf-8")
    for section in SECTIONS:
        for number, text in statements(section).items():
            assert (f"| {number} |" in errata) == (verdict(text) != "right"), number


def test_each_of_the_ten_questions_has_answer_mistake_follow_up_and_evidence() -> None:
    text = (FAQ / "questions.md").read_text(encoding="utf-8")
    questions = re.split(r"^## \d+\. ", text, flags=re.MULTILINE)[1:]
    assert len(questions) == 10
    for question in questions:
        for part in (
            "} A strong answer",
            "} A common wrong answer",
            "} Follow-up: ",
            "**Evidence:**",
        ):
            assert question.count(part) == 1, (question[:40], part)


def test_a_question_and_a_statement_links_to_the_lesson_that_judges_it() -> None:
    texts = {name: text for section in SECTIONS for name, text in statements(section).items()}
    questions = (FAQ / "questions.md").read_text(encoding="utf-8")
    parts = re.split(r"^## (\d+)\. ", questions, flags=re.MULTILINE)
    texts |= dict(zip(parts[1::2], parts[2::2], strict=True))
    missing = [
        f"{name}: {lesson}"
        for lesson, names in LESSONS.items()
        for name in names
        if (ROOT / "notebooks" / f"{lesson}.ipynb").is_file()
        and f"notebooks/{lesson}.ipynb" not in texts[name]
    ]
    assert not missing
