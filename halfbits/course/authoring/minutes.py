"""How many minutes a lesson takes a student: the rule of CONTRIBUTING, from the lesson's cells."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

WORDS_A_MINUTE = 120  # half the 238 at which adults read nonfiction: doi 10.1016/j.jml.2019.104047
PREDICTION = 2
STEP = 5
# Code, formulas, HTML and where links lead are no prose.
NO_PROSE = re.compile(
    r"^```.*?^```|\$\$.*?\$\$|\$[^$\n]*\$|<[^>]*>|(?<=\])\([^)]*\)", re.DOTALL | re.MULTILINE
)


def study_minutes(cells: Iterable[Mapping[str, Any]], questions: int) -> int:
    """words / 120 + code cells + 2 for the prediction + quiz questions, to the nearest five.

    `cells` are a notebook's, as nbformat stores them.
    """
    kinds = [(cell["cell_type"], "".join(cell["source"])) for cell in cells]
    words = sum(count_words(text) for kind, text in kinds if kind == "markdown")
    code = sum(kind == "code" for kind, _ in kinds)
    return STEP * round((words / WORDS_A_MINUTE + code + PREDICTION + questions) / STEP)


def count_words(markdown: str) -> int:
    """What stands between blanks and has a letter or a digit, outside code and formulas."""
    return sum(any(map(str.isalnum, word)) for word in NO_PROSE.sub(" ", markdown).split())
