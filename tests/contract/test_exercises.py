"""The exercise contract: stubs fail, solutions pass, wrong answers are caught for their mistake."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from halfbits.catalog import Catalog, Exercise
from halfbits.grading.checks import read_checks
from halfbits.grading.contract import Answers, RightAnswer, WrongAnswer
from halfbits.grading.forks import Forks
from halfbits.grading.hints import LEVELS, read_hints
from halfbits.grading.notebook import Cell, read_json
from halfbits.grading.runner import grade_answers
from halfbits.grading.sources import defined_names
from halfbits.grading.spare import Spare
from halfbits.grading.stub import is_pristine, make_exercise, stub_text

# Each seed draws all inputs anew; ten find a check that is wrong once in ten in 65 of 100 runs.
SEEDS = 10


def test_pristine_stub_passes_no_check(
    catalog: Catalog, exercise: Exercise, stub: list[Cell], workers: Spare | Forks
) -> None:
    report = grade_answers(catalog, exercise, stub, skip_stubs=False, workers=workers)
    assert report.problem is None
    assert report.total > 0
    passing = [verdict.check.name for verdict in report.of("passed")]
    assert not passing, f"these checks pass with nothing written: {passing}"
    assert set(report.unwritten_tasks()) == set(exercise.tasks), report.failures


def test_pristine_stub_is_recognized_without_running_it(
    catalog: Catalog, exercise: Exercise, stub: list[Cell]
) -> None:
    report = grade_answers(catalog, exercise, stub)
    assert report.unwritten_tasks() == list(dict.fromkeys(v.check.task for v in report.verdicts))


def test_solution_passes_on_fresh_seeds(
    catalog: Catalog, exercise: Exercise, solution: list[Cell], workers: Spare | Forks
) -> None:
    for _ in range(SEEDS if isinstance(workers, Forks) else 2):
        report = grade_answers(catalog, exercise, solution, workers=workers)
        assert report.all_pass, f"seed {report.seed}: {report.problem} {report.failures}"


def test_solution_passes_on_a_plain_cpu_with_one_thread(
    catalog: Catalog, exercise: Exercise, solution: list[Cell], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (
        ("ATEN_CPU_CAPABILITY", "default"),
        ("OMP_NUM_THREADS", "1"),
        ("PYTHONOPTIMIZE", "1"),
    ):
        monkeypatch.setenv(name, value)
    report = grade_answers(catalog, exercise, solution)
    assert report.all_pass, f"seed {report.seed}: {report.problem} {report.failures}"


def test_wrong_answer_is_rejected_for_its_mistake(
    catalog: Catalog,
    exercise: Exercise,
    solution: list[Cell],
    wrong: WrongAnswer,
    workers: Spare | Forks,
) -> None:
    checks = None if wrong.rejected_by is None else [wrong.rejected_by]
    report = grade_answers(
        catalog, exercise, _overridden(solution, wrong.code), checks=checks, workers=workers
    )
    if wrong.rejected_by is None:
        assert report.problem is not None, "the process-level mistake went unnoticed"
        assert wrong.says in report.problem
    else:
        assert report.problem is None, report.problem
        assert wrong.rejected_by in report.failures, f"{wrong.rejected_by} accepts it"
        assert wrong.says in report.failures[wrong.rejected_by]


def test_right_answer_is_accepted(
    catalog: Catalog,
    exercise: Exercise,
    solution: list[Cell],
    right: RightAnswer,
    workers: Spare | Forks,
) -> None:
    names = set(defined_names(right.code))
    checks = [c.name for c in read_checks(catalog.checks(exercise)) if c.task in names]
    report = grade_answers(
        catalog, exercise, _overridden(solution, right.code), checks=checks or None, workers=workers
    )
    assert report.all_pass, f"seed {report.seed}: {report.problem} {report.failures}"


def test_every_task_has_checks_and_three_hints(catalog: Catalog, exercise: Exercise) -> None:
    checks = read_checks(catalog.checks(exercise))
    assert {check.task for check in checks} == set(exercise.tasks)
    assert len({check.name for check in checks}) == len(checks)
    hints = read_hints(catalog, exercise)
    assert set(hints) == {(task, level) for task in exercise.tasks for level in LEVELS}


def test_six_wrong_and_three_right_answers_are_shipped(
    catalog: Catalog, exercise: Exercise, answers: Answers
) -> None:
    assert len(answers.wrong) >= 6
    assert len(answers.right) >= 3
    names = {check.name for check in read_checks(catalog.checks(exercise))}
    named = {wrong.rejected_by for wrong in answers.wrong} - {None}
    assert named <= names, f"no such checks: {named - names}"


def test_hints_do_not_hold_the_answer(catalog: Catalog, exercise: Exercise) -> None:
    raw = read_json(catalog.notebook(exercise, "solutions"))["cells"]
    answers = ["".join(c["source"]) for c in raw if "answer" in c["metadata"].get("tags", [])]
    bodies = {line.strip() for text in answers for line in text.splitlines() if len(line) > 40}
    for hint in read_hints(catalog, exercise).values():
        copied = [line for line in bodies if line in hint.text]
        assert not copied, f"hint {hint.level} for {hint.task} gives away: {copied}"


def test_generated_exercise_knows_it_is_pristine(catalog: Catalog, exercise: Exercise) -> None:
    assert is_pristine(make_exercise(catalog, exercise))


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


def _overridden(solution: list[Cell], code: str) -> list[Cell]:
    return [*solution, Cell("cell 99", code)]
