"""The index of terms: each in every language, with its question and a page that treats it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from halfbits.course.interview.words import LANGUAGES

TERMS = Path("book") / "interview" / "terms.yaml"


@dataclass(frozen=True)
class Term:
    """A term by its names; `question` is a slug, `page` a lesson's or exercise's path, or "".

    `said` is what a text that treats the term says, in each language.
    """

    names: Mapping[str, str]
    said: Mapping[str, str]
    question: str
    page: str

    def is_in(self, text: str, language: str) -> bool:
        """Whether a text says the term, at the start of a word."""
        return pattern(self.said[language].lower()).search(text.lower()) is not None


@cache
def pattern(said: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![a-z]){re.escape(said)}")


def load_terms(root: Path) -> tuple[Term, ...]:
    """All terms in the order of their file."""
    entries = yaml.safe_load((root / TERMS).read_text(encoding="utf-8"))
    return tuple(_term(entry) for entry in entries)


def _term(entry: dict[str, str]) -> Term:
    names = {language: str(entry[language]) for language in LANGUAGES}
    said = {name: str(entry.get(f"said_{name}", names[name])) for name in LANGUAGES}
    return Term(names, said, entry["question"], entry.get("page", ""))


@cache
def page_text(root: Path, page: str) -> str:
    """The prose of a page, given as its path below `root` without a suffix."""
    path = root / f"{page}.ipynb"
    if not path.is_file():
        return (root / f"{page}.md").read_text(encoding="utf-8")
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    prose = (cell["source"] for cell in cells if cell["cell_type"] == "markdown")
    return "\n".join("".join(source) for source in prose)
