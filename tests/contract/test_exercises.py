"""Every exercise of course.toml passes the checks of the exercise contract."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from halfbits.course.authoring.contract import RightAnswer, Trial, WrongAnswer
from halfbits.course.authoring.contract_checks import (
    CONTRACT_CHECKS,
    right_is_accepted,
    wrong_is_rejected,
)
from halfbits.course.authoring.environments import verdicts_hold_elsewhere
from halfbits.course.authoring.stub import stub_text
from halfbits.course.catalog import Catalog, Exercise
from halfbits.course.grading.process.pool import WorkerPool


@pytest.mark.parametrize("contract_check", CONTRACT_CHECKS, ids=lambda one: one.__name__)
def test_exercise_keeps_its_promise(
    trial: Trial, contract_check: Callable[[Trial], Iterator[str]]
) -> None:
    no_fault(trial, contract_check(trial))


def test_verdicts_are_the_same_on_other_machines(
    trial: Trial, environments: dict[str, WorkerPool]
) -> None:
    no_fault(trial, verdicts_hold_elsewhere(trial, environments))


def test_wrong_answer_is_rejected_for_its_mistake(trial: Trial, wrong: WrongAnswer) -> None:
    no_fault(trial, wrong_is_rejected(trial, wrong))


def test_right_answer_is_accepted(trial: Trial, right: RightAnswer) -> None:
    no_fault(trial, right_is_accepted(trial, right))


def no_fault(trial: Trial, faults: Iterable[str]) -> None:
    found = [f"{trial.exercise.key}: {fault}" for fault in faults]
    if found:
        pytest.fail("\n".join(found), pytrace=False)


def test_published_exercise_is_the_generated_stub(catalog: Catalog, exercise: Exercise) -> None:
    """Compared as committed, so that a learner's half-solved copy never fails the tests."""
    published = _published(catalog, catalog.notebook(exercise))
    if published is None:
        pytest.skip("no git history here to compare with")
    fresh = stub_text(catalog.notebook(exercise, "solutions"))
    assert published == json.loads(fresh), "run `python course.py sync` and commit exercises/"


def _published(catalog: Catalog, path: Path) -> dict | None:
    if os.environ.get("CI"):
        return json.loads(path.read_text(encoding="utf-8"))
    name = path.relative_to(catalog.root).as_posix()
    catalog_file = _git_show(catalog.root, "exercises/course.toml")
    if catalog_file is None:
        return None
    return json.loads(_git_show(catalog.root, name) or "{}")


def _git_show(root: Path, name: str) -> str | None:
    try:
        found = subprocess.run(
            ["git", "show", f"HEAD:./{name}"], cwd=root, capture_output=True, check=False
        )
    except FileNotFoundError:
        return None
    return found.stdout.decode("utf-8") if found.returncode == 0 else None
