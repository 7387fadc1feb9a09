"""What the interview part says in each language, but for the questions: one table a language.

A translation is one more file beside en.toml. Terminal, pages, cards and Anki take theirs by part.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

LANGUAGES = ("en", "zh")


@cache
def table(language: str) -> dict[str, dict[str, str]]:
    """Everything said in `language`: parts, and texts by key."""
    path = Path(__file__).with_name(f"{language}.toml")
    return tomllib.loads(path.read_text(encoding="utf-8"))


def words(part: str, language: str) -> dict[str, str]:
    """The texts of a part by key, with those that all parts share."""
    said = table(language)
    return {**said["shared"], **said[part]}


def names(part: str) -> dict[str, dict[str, str]]:
    """The texts of a part alone: by key, then by language."""
    return {key: {name: table(name)[part][key] for name in LANGUAGES} for key in table("en")[part]}


LANG = {name: table(name)["shared"]["lang"] for name in LANGUAGES}  # as HTML names the language
