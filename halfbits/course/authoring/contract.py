"""An exercise on trial: the wrong and right answers that it ships, and a way to grade them."""

from __future__ import annotations

import runpy
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from halfbits.course.authoring.stub import make_exercise
from halfbits.course.catalog import Catalog, Exercise
from halfbits.course.checklist import Check, read_checks
from halfbits.course.grading.process.pool import WorkerPool
from halfbits.course.grading.process.spawn_pool import POOL
from halfbits.course.grading.report import Report
from halfbits.course.grading.runner import grade
from halfbits.course.grading.submission import Submission
from halfbits.course.notebook import Cell, answer_of, cells_of, read_answer, read_cells
from halfbits.course.sources import defined_names
from halfbits.errors import CourseError

SAMPLE = 4


@dataclass(frozen=True)
class Swap:
    """The solution with pieces of one answer cell replaced.

    `task` names what the cell defines; each `old` of `pairs` has to occur there once. An empty
    `task` means the task of the check that rejects the answer.
    """

    task: str
    pairs: tuple[tuple[str, str], ...]


def swap(task: str, old: str, new: str, *more: str) -> Swap:
    """The solution's cell of `task` with `old` replaced by `new`, and so on with `more`."""
    texts = (old, new, *more)
    return Swap(task, tuple(zip(texts[::2], texts[1::2], strict=True)))


# The checks of `halfbits.course.checks.calls`: who fails them is judged by what ran before.
OF_CALLS = ("reads_its_arguments_at_every_call", "gives_a_result_that_is_the_callers")


@dataclass(frozen=True)
class WrongAnswer:
    """One misconception: a swap in the solution, or code that runs after it and overrides it.

    `rejected_by` names the check that must fail and `says` a part of its message. For an answer
    that ends the process, `rejected_by` is None and `says` is a part of the exercise's message.
    """

    name: str
    change: str | Swap
    rejected_by: str | None
    says: str

    @property
    def repeats(self) -> bool:
        """Whether its results are the same each time: not if it keeps them from call to call."""
        return not (self.rejected_by or "").endswith(OF_CALLS)


@dataclass(frozen=True)
class RightAnswer:
    """A correct answer written differently, as a swap or as code that overrides the solution."""

    name: str
    change: str | Swap


Row = tuple[str, ...] | tuple[str, str, Swap]


def wrong_answers(rows: Mapping[str | None, Iterable[Row]]) -> tuple[WrongAnswer, ...]:
    """The wrong answers written down by the check that must reject them.

    A row is (name, says, old, new, ...), a swap in the cell of the check's task; or (name, says,
    code), a program, which defines its functions anew; or (name, says, swap(...)).
    """
    return tuple(
        WrongAnswer(name, _change(rest), check, says)
        for check, several in rows.items()
        for name, says, *rest in several
    )


def _change(rest: Sequence[str | Swap]) -> str | Swap:
    first = rest[0]
    if len(rest) == 1:
        return first
    texts = [str(text) for text in rest]
    return swap("", texts[0], texts[1], *texts[2:])


@dataclass(frozen=True)
class ShippedAnswers:
    """What tests/wrong_answers and tests/right_answers/<topic>/<slug>.py define."""

    wrong: tuple[WrongAnswer, ...]
    right: tuple[RightAnswer, ...]
    # Mutants of the solution that no check can notice, by their name, and why.
    equivalent: Mapping[str, str] = field(default_factory=dict)


def load_answers(catalog: Catalog, exercise: Exercise) -> ShippedAnswers:
    """The answers of `exercise`; raises CourseError when a file or its table is missing."""
    wrong = _names(catalog, exercise, "wrong_answers", "WRONG")
    table = _names(catalog, exercise, "right_answers", "RIGHT")["RIGHT"]
    right = tuple(RightAnswer(name, change) for name, change in table.items())
    return ShippedAnswers(wrong_answers(wrong["WRONG"]), right, wrong.get("EQUIVALENT", {}))


def _names(catalog: Catalog, exercise: Exercise, folder: str, table: str) -> dict[str, Any]:
    path = catalog.root / "tests" / folder / exercise.topic / f"{exercise.slug}.py"
    if not path.is_file():
        raise CourseError(f"{path} is missing: every exercise ships its wrong and right answers.")
    names = runpy.run_path(str(path))
    if table not in names:
        raise CourseError(f"{path} defines no {table}.")
    return names


@dataclass(frozen=True)
class Trial:
    """One exercise with its parts, and where the processes that grade it come from."""

    catalog: Catalog
    exercise: Exercise
    workers: WorkerPool = POOL

    @cached_property
    def answers(self) -> ShippedAnswers:
        return load_answers(self.catalog, self.exercise)

    @cached_property
    def checks(self) -> tuple[Check, ...]:
        return read_checks(self.catalog.checks(self.exercise))

    @cached_property
    def quick(self) -> list[str]:
        """The names of the checks that score nothing: a scored one takes seconds."""
        return [check.name for check in self.checks if not check.scored]

    @property
    def scores(self) -> bool:
        """Whether some checks measure a whole model for a score."""
        return len(self.quick) < len(self.checks)

    @cached_property
    def all_cells(self) -> list[Cell]:
        """All cells of the solution, those that are not graded too."""
        return read_cells(self.catalog.notebook(self.exercise, "solutions"))

    @cached_property
    def solution(self) -> list[Cell]:
        return list(read_answer(self.catalog.notebook(self.exercise, "solutions")).code)

    @cached_property
    def stub(self) -> list[Cell]:
        """The exercise as generated now, whatever a learner made of the file."""
        return cells_of(make_exercise(self.catalog, self.exercise))

    def with_answer(self, answer: WrongAnswer | RightAnswer) -> list[Cell]:
        """The solution's cells with the answer's swap, or overridden by its code in one more.

        Raises CourseError where a piece to replace does not occur once.
        """
        if isinstance(answer.change, str):
            return [*self.solution, Cell("cell 99", answer.change)]
        task = answer.change.task or self._task_of(answer)
        cells = list(self.solution)
        at = next((i for i, c in enumerate(cells) if task in defined_names(c.source)), None)
        if at is None:
            raise CourseError(f'"{answer.name}" swaps in {task!r}, which no cell defines')
        for old, new in answer.change.pairs:
            cells[at] = replace(cells[at], source=self._swapped(cells[at].source, old, new, answer))
        return cells

    def tasks_of(self, answer: RightAnswer) -> set[str]:
        """The tasks that a right answer writes in another way."""
        if isinstance(answer.change, str):
            return set(defined_names(answer.change))
        return {answer.change.task}

    def _task_of(self, answer: WrongAnswer | RightAnswer) -> str:
        name = getattr(answer, "rejected_by", None)
        return next((check.task for check in self.checks if check.name == name), "")

    @staticmethod
    def _swapped(source: str, old: str, new: str, answer: WrongAnswer | RightAnswer) -> str:
        if source.count(old) != 1:
            times = source.count(old)
            raise CourseError(f'"{answer.name}" swaps {old!r}, which occurs {times} times')
        return source.replace(old, new)

    @cached_property
    def wrong_sample(self) -> list[WrongAnswer]:
        """Some wrong answers from all over the list, none that ends its process.

        One is enough where a whole model is written and read back for it.
        """
        size = 1 if self.scores else SAMPLE
        wrong = [a for a in self.answers.wrong if a.rejected_by in self.quick and a.repeats]
        return wrong[:: max(1, len(wrong) // size)][:size]

    def grade(
        self,
        cells: list[Cell],
        checks: Iterable[str] | None = None,
        seed: int | None = None,
        order: Callable[[list[Check]], None] | None = None,
        skip_stubs: bool = False,
    ) -> Report:
        """The report on `cells` by the named checks, which `order` rearranges in place."""
        answer = answer_of(self.exercise, cells)
        one = Submission(self.catalog, self.exercise, answer, checks, seed, skip_stubs)
        if order is not None:
            order(one.checks)
        return grade(one, self.workers)
