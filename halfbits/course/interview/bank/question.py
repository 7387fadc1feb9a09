"""What a question of the bank is made of, and the words that name its parts in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from halfbits.course.interview.words import LANGUAGES, names

__all__ = ["LANGUAGES", "Proof", "Question", "Source", "Text"]
TOPICS, LEVELS, KINDS = names("topics"), names("levels"), names("kinds")
PROOFS = ("cell", "check", "record", "test")


@dataclass(frozen=True)
class Proof:
    """What demonstrates an answer; `kind` is one of PROOFS, `target` as written in the file."""

    kind: str
    target: str

    @property
    def place(self) -> str:
        """The file of a cell, record or test; the exercise of a check."""
        return self.target.partition(self._mark)[0]

    @property
    def name(self) -> str:
        """The cell's id, the record's path, or the function of a check or test."""
        return self.target.partition(self._mark)[2]

    @property
    def _mark(self) -> str:
        return "#" if self.kind in ("cell", "record") else "::"


@dataclass(frozen=True)
class Source:
    """Where to read more: `cite`, a key of book/references.bib, or else a title with its URL.

    `says` is what the answer takes from it and nothing here proves, in every language.
    """

    cite: str = ""
    title: str = ""
    url: str = ""
    says: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Text:
    """One language of a question as Markdown, its numbers in place.

    `follow_ups` pairs a further question with its answer, `red_flags` what a weak answer says
    with why that is wrong.
    """

    question: str
    short: str
    full: str
    follow_ups: tuple[tuple[str, str], ...]
    red_flags: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Question:
    """One question of the bank; `points` are the rubric, each in every language."""

    slug: str
    level: str
    kind: str
    minutes: int
    topics: tuple[str, ...]
    seed: int | None
    prerequisites: tuple[str, ...]
    follow_ups: tuple[str, ...]
    lessons: tuple[str, ...]
    exercises: tuple[str, ...]
    proofs: tuple[Proof, ...]
    numbers: Mapping[str, float]
    sources: tuple[Source, ...]
    points: tuple[Mapping[str, str], ...]
    texts: Mapping[str, Text]
    path: Path

    @property
    def topic(self) -> str:
        return self.topics[0]

    @property
    def rank(self) -> tuple[int, int, int, str]:
        """The bank's order: the seed's questions first, then by topic, level and slug."""
        if self.seed is not None:
            return (self.seed, 0, 0, self.slug)
        places = list(TOPICS).index(self.topic), list(LEVELS).index(self.level)
        return (len(TOPICS) + 100, *places, self.slug)
