"""The question bank of book/interview/questions: read, checked, and drilled."""

from __future__ import annotations

from typing import Any


def flashcards(language: str = "en", topic: str | None = None, new: int = 10) -> Any:
    """The flashcards as a widget for a notebook; `new` cards begin a day. Raises CourseError."""
    from halfbits.course.interview.bank.bank import load_bank
    from halfbits.course.interview.cards.cards import make_cards
    from halfbits.course.interview.cards.schedule import Schedule
    from halfbits.course.interview.cards.session import Drill
    from halfbits.course.interview.cards.widget import Flashcards

    return Flashcards(
        Drill(make_cards(load_bank(), language, topic), Schedule.load(), new), language
    )
