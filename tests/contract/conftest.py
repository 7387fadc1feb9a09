"""Every exercise of the course as a parameter, and the parts of it that the contract is about."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from halfbits.catalog import Catalog, CourseError, Exercise, find_root, load_catalog
from halfbits.grading import forks
from halfbits.grading.contract import Answers, RightAnswer, WrongAnswer, load_answers
from halfbits.grading.forks import Forks
from halfbits.grading.notebook import Cell, cells_of, read_answer
from halfbits.grading.spare import SPARE, Spare
from halfbits.grading.stub import make_exercise

CATALOG = load_catalog(find_root())


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`exercise` runs over the course; `wrong` and `right` over all answers of all exercises."""
    names = set(metafunc.fixturenames)
    if "wrong" in names or "right" in names:
        kind = "wrong" if "wrong" in names else "right"
        pairs = [
            (exercise, answer)
            for exercise in CATALOG.exercises
            for answer in _shipped(exercise, kind)
        ]
        ids = [f"{exercise.slug}: {answer.name}" for exercise, answer in pairs]
        metafunc.parametrize(("exercise", kind), pairs, ids=ids)
    elif "exercise" in names:
        metafunc.parametrize("exercise", CATALOG.exercises, ids=lambda one: one.slug)


def _shipped(exercise: Exercise, kind: str) -> tuple[WrongAnswer | RightAnswer, ...]:
    """The answers; none where the file is missing, which a test of its own reports."""
    try:
        return getattr(load_answers(CATALOG, exercise), kind)
    except CourseError:
        return ()


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    return CATALOG


@pytest.fixture(scope="session")
def workers() -> Iterator[Spare | Forks]:
    """Forking servers where the system has them: hundreds of answers in a row."""
    source = Forks() if forks.AVAILABLE else SPARE
    yield source
    source.close()


@pytest.fixture
def answers(exercise: Exercise) -> Answers:
    return load_answers(CATALOG, exercise)


@pytest.fixture
def solution(exercise: Exercise) -> list[Cell]:
    """The solution's graded cells."""
    return list(read_answer(CATALOG.notebook(exercise, "solutions")).code)


@pytest.fixture
def stub(exercise: Exercise) -> list[Cell]:
    """The cells of the exercise as generated now, whatever a learner made of the file."""
    return cells_of(make_exercise(CATALOG, exercise))
