"""The question bank of book/interview/questions: read, checked, and drilled."""

from __future__ import annotations

from typing import Any


def flashcards(language: str = "en", topic: str | None = None, new: int = 10) -> Any:
    """The flashcards as a widget for a notebook; `new` cards begin a day. Raises CourseError."""
    from halfbits.interview.bank import load_bank
    from halfbits.interview.cards import make_cards
    from halfbits.interview.drill import Drill
    from halfbits.interview.drill_widget import Flashcards
    from halfbits.interview.schedule import Schedule

    return Flashcards(
        Drill(make_cards(load_bank(), language, topic), Schedule.load(), new), language
    )
