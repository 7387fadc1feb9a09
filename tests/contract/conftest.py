"""Every exercise of the course as a parameter, and the pools of workers that grade it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from halfbits.course.authoring.contract import RightAnswer, Trial, WrongAnswer, load_answers
from halfbits.course.authoring.environments import ENVIRONMENTS, pool_of
from halfbits.course.catalog import Catalog, Exercise, load_catalog
from halfbits.course.grading.process.pool import WorkerPool, pool_for_many
from halfbits.errors import CourseError
from halfbits.folders import find_root

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
    """The answers; none where the file is missing, which a contract check reports."""
    try:
        return getattr(load_answers(CATALOG, exercise), kind)
    except CourseError:
        return ()


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    return CATALOG


@pytest.fixture(scope="session")
def workers() -> Iterator[WorkerPool]:
    """Forking servers where the system has them: hundreds of answers in a row."""
    pool = pool_for_many()
    yield pool
    pool.close()


@pytest.fixture(scope="session")
def environments() -> Iterator[dict[str, WorkerPool]]:
    """A pool for each of ENVIRONMENTS."""
    pools: dict[str, WorkerPool] = {
        name: pool_of(settings) for name, settings in ENVIRONMENTS.items()
    }
    yield pools
    for pool in pools.values():
        pool.close()


@pytest.fixture
def trial(catalog: Catalog, exercise: Exercise, workers: WorkerPool) -> Trial:
    return Trial(catalog, exercise, workers)
