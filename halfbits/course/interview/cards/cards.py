"""The flashcards: one for each question and language. Its id is made of both and stays the same
when the texts are edited.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from halfbits.course.interview.bank.bank import LANGUAGES, Bank
from halfbits.course.interview.bank.question import LEVELS, TOPICS, Question
from halfbits.errors import CourseError


@dataclass(frozen=True)
class Card:
    """A question on the front, its 30-second answer on the back.

    `id` is `<language>/<slug>`: what is practiced in one language is not known in the other.
    """

    question: Question
    language: str

    @property
    def id(self) -> str:
        return f"{self.language}/{self.question.slug}"

    @property
    def front(self) -> str:
        """The question as Markdown."""
        return self.question.texts[self.language].question

    @property
    def back(self) -> str:
        """The 30-second answer as Markdown."""
        return self.question.texts[self.language].short

    @property
    def points(self) -> tuple[str, ...]:
        """What a strong answer says, as Markdown."""
        return tuple(point[self.language] for point in self.question.points)


def make_cards(
    bank: Bank, language: str, topic: str | None = None, level: str | None = None
) -> tuple[Card, ...]:
    """The cards of one language in the bank's order: a topic's, a level's, if those are named.

    Raises CourseError.
    """
    known("language", language, LANGUAGES)
    if topic is not None:
        known("topic", topic, tuple(TOPICS))
    if level is not None:
        known("level", level, tuple(LEVELS))
    return tuple(
        Card(question, language)
        for question in bank.questions
        if (topic is None or topic in question.topics) and level in (None, question.level)
    )


def known(what: str, name: str, names: Sequence[str]) -> str:
    """`name`, if it is one of `names`. Raises CourseError."""
    if name not in names:
        raise CourseError(f"There is no {what} {name!r}; expected one of {', '.join(names)}.")
    return name
