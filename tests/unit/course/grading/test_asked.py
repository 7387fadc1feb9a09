"""After a pass the report says what an interviewer would ask next, and where the answer stands."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from halfbits.course.authoring.sphinx.interview_pages import page_of
from halfbits.course.catalog import Exercise, load_catalog
from halfbits.course.checklist import Check
from halfbits.course.grading.faces.asked import MOST, asked_next
from halfbits.course.grading.faces.html import ReportView
from halfbits.course.grading.report import FAILED, PASSED, Asked, Report, Verdict, as_text
from halfbits.course.interview.bank.bank import load_bank
from halfbits.course.interview.bank.trained import questions_on
from halfbits.folders import find_root

ROOT = find_root(Path(__file__).parent)
CATALOG = load_catalog(ROOT)
KEY = "methods/allocate_bits"
EVIL = Asked("Why <b>'twice'</b>?\x1b[31m", "book/interview/methods.html#why_twice")


def report_of(exercise: Exercise, kind: str) -> Report:
    check = Check("test_x", "x", "It is so.", 1, "")
    return Report(exercise, f"{exercise.slug}.ipynb", [Verdict(check, kind)])


def test_questions_are_those_of_the_whole_bank() -> None:
    bank = load_bank(ROOT)
    for exercise in CATALOG.exercises[::10]:
        trained = [one for one in bank.questions if exercise.key in one.exercises]
        assert questions_on(ROOT, exercise.key) == trained


def test_name_that_begins_another_is_no_match() -> None:
    assert questions_on(ROOT, KEY) != []
    assert questions_on(ROOT, KEY[:-1]) == []


def test_solved_exercise_is_followed_by_questions_and_their_pages() -> None:
    exercise = CATALOG.find(KEY)
    asked = asked_next(ROOT, report_of(exercise, PASSED))
    assert [(one.text, one.page) for one in asked] == [
        (one.texts["en"].question, f"{page_of(one, 'en')}.html#{one.slug}")
        for one in questions_on(ROOT, KEY)
    ]
    assert asked_next(ROOT, report_of(exercise, FAILED)) == ()


def test_report_lists_only_the_first_of_many() -> None:
    key = "evaluation/accuracy_report"
    assert len(questions_on(ROOT, key)) > MOST
    assert len(asked_next(ROOT, report_of(CATALOG.find(key), PASSED))) == MOST


def test_terminal_names_the_page_of_each_question() -> None:
    report = replace(report_of(CATALOG.find(KEY), PASSED), asked=(EVIL,))
    said = as_text(report).splitlines()
    at = said.index("an interviewer would ask next:")
    assert said[at + 1] == "  Why <b>'twice'</b>? (book/interview/methods.html#why_twice)"


def test_notebook_links_to_the_book_where_it_is_served(monkeypatch: pytest.MonkeyPatch) -> None:
    report = replace(report_of(CATALOG.find(KEY), PASSED), asked=(EVIL,))
    monkeypatch.delenv("HALFBITS_BOOK", raising=False)
    page = ReportView(report)._repr_html_()
    assert "href" not in page and "(book/interview/methods.html#why_twice)" in page
    monkeypatch.setenv("HALFBITS_BOOK", "/book/")
    page = ReportView(report)._repr_html_()
    assert "<a href='/book/book/interview/methods.html#why_twice' target='_blank'>" in page
    assert "Why &lt;b&gt;&#x27;twice&#x27;&lt;/b&gt;?</a>" in page
