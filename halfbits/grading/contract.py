"""The wrong and right answers that every exercise ships, for tests/contract and their authors."""

from __future__ import annotations

import runpy
from dataclasses import dataclass

from halfbits.catalog import Catalog, CourseError, Exercise


@dataclass(frozen=True)
class WrongAnswer:
    """One misconception: `code` is a cell that runs after the solution's cells and overrides them.

    `rejected_by` names the check that must fail and `says` a part of its message. For an answer
    that ends the process, `rejected_by` is None and `says` is a part of the exercise's message.
    """

    name: str
    code: str
    rejected_by: str | None
    says: str


@dataclass(frozen=True)
class RightAnswer:
    """A correct answer written differently; `code` overrides the solution's cells."""

    name: str
    code: str


@dataclass(frozen=True)
class Answers:
    """What tests/wrong_answers/<topic>/<slug>.py defines."""

    wrong: tuple[WrongAnswer, ...]
    right: tuple[RightAnswer, ...]


def load_answers(catalog: Catalog, exercise: Exercise) -> Answers:
    """The answers of `exercise`; raises CourseError when their file or its names are missing."""
    path = catalog.root / "tests" / "wrong_answers" / exercise.topic / f"{exercise.slug}.py"
    if not path.is_file():
        raise CourseError(f"{path} is missing: every exercise ships its wrong and right answers.")
    names = runpy.run_path(str(path))
    try:
        return Answers(tuple(names["WRONG"]), tuple(names["RIGHT"]))
    except KeyError as error:
        raise CourseError(f"{path} defines no {error}: define WRONG and RIGHT lists.") from error
