"""The bank as the book's mock interview reads it: JSON of one language, its texts as HTML."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from halfbits.course.interview.bank.bank import Bank, Question
from halfbits.course.interview.mock.interview import probes
from halfbits.course.interview.text.render import MathRenderer, mathml, to_html, to_inline_html


def mock_data(
    bank: Bank,
    language: str,
    link: Callable[[Question], str] = lambda question: "",
    math: MathRenderer = mathml,
) -> list[dict[str, Any]]:
    """All questions in the bank's order; `link` gives the address of a question's full answer."""
    return [
        {**model_data(question), **_texts(question, language, math), "url": link(question)}
        for question in bank.questions
    ]


def model_data(question: Question) -> dict[str, Any]:
    """What the draw, the steps and the report need."""
    names = ("slug", "level", "kind", "minutes", "topic")
    lists = ("prerequisites", "follow_ups", "lessons", "exercises")
    return {
        **{name: getattr(question, name) for name in names},
        **{name: list(getattr(question, name)) for name in lists},
        "probes": probes(question),
    }


def _texts(question: Question, language: str, math: MathRenderer) -> dict[str, Any]:
    text = question.texts[language]
    return {
        "question": to_inline_html(text.question, math),
        "short": to_html(text.short, math),
        "points": [to_inline_html(point[language], math) for point in question.points],
        "asked": [
            [to_inline_html(asked, math), to_html(answer, math)]
            for asked, answer in text.follow_ups
        ],
    }
