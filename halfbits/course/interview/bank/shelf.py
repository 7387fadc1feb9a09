"""The shelf: dated papers and releases, what each claims, and which of our texts treat it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from halfbits.course.interview.words import LANGUAGES

SHELF = Path("book") / "interview" / "shelf.yaml"


@dataclass(frozen=True)
class Work:
    """A paper or release of a month, `date`; its place is `cite`, a key of references, or `url`.

    `questions` are slugs and `lessons` names of notebooks, each of which says `said`.
    """

    name: str
    date: str
    claims: Mapping[str, str]
    cite: str
    url: str
    questions: tuple[str, ...]
    lessons: tuple[str, ...]
    said: str

    @property
    def year(self) -> str:
        return self.date[:4]


def load_shelf(root: Path) -> tuple[Work, ...]:
    """All works in the order of their file, the newest first."""
    entries = yaml.safe_load((root / SHELF).read_text(encoding="utf-8"))
    return tuple(_work(entry) for entry in entries)


def _work(entry: dict[str, Any]) -> Work:
    return Work(
        name=entry["name"],
        date=entry["date"],
        claims={language: entry[language] for language in LANGUAGES},
        cite=entry.get("cite", ""),
        url=entry.get("url", ""),
        questions=tuple(entry.get("questions", ())),
        lessons=tuple(entry.get("lessons", ())),
        said=entry.get("said", entry["name"]),
    )
