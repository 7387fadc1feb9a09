"""The index of terms, and the lessons under Study: each leads to what treats the subject."""

from __future__ import annotations

from functools import cache

import pytest
from book_sources import ROOT

from halfbits.course.interview.bank.bank import load_bank
from halfbits.course.interview.bank.question import LANGUAGES, Question
from halfbits.course.interview.bank.terms import Term, load_terms, page_text

BANK = load_bank(ROOT)
TERMS = load_terms(ROOT)
LEAST = 120


def name(term: Term) -> str:
    return term.names["en"]


def said(question: Question, language: str) -> str:
    """All that the bank says of a question in one language."""
    text = question.texts[language]
    pairs = [part for pair in (*text.follow_ups, *text.red_flags) for part in pair]
    points = [point[language] for point in question.points]
    return "\n".join([text.question, text.short, text.full, *pairs, *points])


@cache
def terms_of(lesson: str) -> tuple[Term, ...]:
    prose = page_text(ROOT, f"notebooks/{lesson}")
    return tuple(term for term in TERMS if term.is_in(prose, "en"))


def test_there_are_at_least_120_terms_in_alphabetical_order_and_none_twice() -> None:
    names = [name(term).casefold() for term in TERMS]
    assert names == sorted(names) and len(set(names)) == len(names) >= LEAST


def test_every_topic_has_terms() -> None:
    topics = {BANK.find(term.question).topic for term in TERMS}
    assert topics == {question.topic for question in BANK.questions}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_question_of_a_term_says_it(language: str) -> None:
    silent = [
        f"{name(term)}: {term.question} does not say {term.said[language]!r}"
        for term in TERMS
        if not term.is_in(said(BANK.find(term.question), language), language)
    ]
    assert not silent, "\n".join(silent)


def test_the_page_of_a_term_says_it() -> None:
    silent = [
        f"{name(term)}: {term.page} does not say {term.said['en']!r}"
        for term in TERMS
        if term.page and not term.is_in(page_text(ROOT, term.page), "en")
    ]
    assert not silent, "\n".join(silent)


def test_a_lesson_to_study_treats_the_subject_of_its_question() -> None:
    """It says a term of the question's title, short answer or points, and two of all it says."""
    strange = []
    for question in BANK.questions:
        text = question.texts["en"]
        core = "\n".join([text.question, text.short, *(p["en"] for p in question.points)])
        for lesson in question.lessons:
            for least, part in enumerate((core, said(question, "en")), 1):
                common = [name(term) for term in terms_of(lesson) if term.is_in(part, "en")]
                if len(common) < least:
                    strange.append(f"{question.slug}: {lesson} says of its terms only {common}")
    assert not strange, "\n".join(strange)
