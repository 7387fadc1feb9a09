"""What an interviewer would ask next: the bank's questions that an exercise trains.

Read from the head of each question's file alone: a grading has no time to check the whole bank.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

QUESTIONS = Path("book") / "interview" / "questions"
HEAD = re.compile(r"\A---\n(.*?)\n---\n# en: (.+?)\n", re.DOTALL)


@dataclass(frozen=True)
class Asked:
    """One question of the bank: its text, and the page of the book that answers it."""

    text: str
    page: str


def asked_next(root: Path, key: str) -> tuple[Asked, ...]:
    """The questions whose `exercises` name `key`, by the name of their file."""
    found = (_asked(path, key) for path in sorted((root / QUESTIONS).glob("*.md")))
    return tuple(question for question in found if question)


def _asked(path: Path, key: str) -> Asked | None:
    try:
        head = HEAD.match(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    fields, text = head.groups() if head else ("", "")
    if key not in _names(fields, "exercises"):
        return None
    topic = _names(fields, "topics")[0]
    return Asked(text, f"book/interview/{topic}.html#{path.stem}")


def _names(fields: str, name: str) -> list[str]:
    """The names of a field such as `topics: [methods, evaluation]`; none where it is missing."""
    line = re.search(rf"^{name}: *\[(.*?)\]", fields, re.MULTILINE | re.DOTALL)
    return re.split(r"\s*,\s*", line[1].strip()) if line else []
