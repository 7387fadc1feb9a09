"""An exercise on trial: the wrong and right answers that it ships, and a way to grade them."""

from __future__ import annotations

import runpy
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property

from halfbits.course.authoring.stub import make_exercise
from halfbits.course.catalog import Catalog, Exercise
from halfbits.course.checklist import Check, read_checks
from halfbits.course.grading.process.forks import Forks
from halfbits.course.grading.process.spare import SPARE, Spare
from halfbits.course.grading.report import Report
from halfbits.course.grading.runner import Submission, open_answer
from halfbits.course.notebook import Cell, cells_of, read_answer
from halfbits.errors import CourseError

SAMPLE = 4


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


@dataclass(frozen=True)
class Trial:
    """One exercise with its parts, and where the processes that grade it come from."""

    catalog: Catalog
    exercise: Exercise
    workers: Spare | Forks = SPARE

    @cached_property
    def answers(self) -> Answers:
        return load_answers(self.catalog, self.exercise)

    @cached_property
    def checks(self) -> tuple[Check, ...]:
        return read_checks(self.catalog.checks(self.exercise))

    @cached_property
    def solution(self) -> list[Cell]:
        return list(read_answer(self.catalog.notebook(self.exercise, "solutions")).code)

    @cached_property
    def stub(self) -> list[Cell]:
        """The exercise as generated now, whatever a learner made of the file."""
        return cells_of(make_exercise(self.catalog, self.exercise))

    def with_answer(self, answer: WrongAnswer | RightAnswer) -> list[Cell]:
        """The solution's cells, overridden by one more."""
        return [*self.solution, Cell("cell 99", answer.code)]

    @cached_property
    def wrong_sample(self) -> list[WrongAnswer]:
        """Some wrong answers from all over the list, none that ends its process."""
        wrong = [answer for answer in self.answers.wrong if answer.rejected_by]
        return wrong[:: max(1, len(wrong) // SAMPLE)][:SAMPLE]

    def grade(
        self,
        cells: list[Cell],
        checks: Iterable[str] | None = None,
        seed: int | None = None,
        order: Callable[[list[Check]], None] | None = None,
        skip_stubs: bool = False,
    ) -> Report:
        """The report on `cells` by the named checks, which `order` rearranges in place."""
        answer = open_answer(cells, self.exercise)
        one = Submission(self.catalog, self.exercise, answer, checks, seed, skip_stubs)
        if order is not None:
            order(one.checks)
        return one.grade(workers=self.workers)
