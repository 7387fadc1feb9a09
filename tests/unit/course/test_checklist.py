"""Checks are listed from their source; the list holds what the suites have when they run."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

from halfbits.course.catalog import Exercise, load_catalog
from halfbits.course.checklist import read_checks
from halfbits.course.checks import Suite

CATALOG = load_catalog()


@pytest.mark.parametrize("exercise", CATALOG.exercises, ids=lambda exercise: exercise.slug)
def test_every_claim_of_a_suite_is_listed_those_of_its_base_classes_too(exercise: Exercise) -> None:
    path = CATALOG.checks(exercise)
    spec = importlib.util.spec_from_file_location(f"checks_of_{exercise.slug}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    claims = {
        f"test_{prefix}_{method.removeprefix('test_')}"
        for prefix, suite in vars(module).items()
        if isinstance(suite, Suite)
        for method in dir(suite)
        if method.startswith("test_")
    }
    assert claims <= {check.name for check in read_checks(path)}


def test_a_file_for_one_task_names_it_once(tmp_path: Path) -> None:
    path = tmp_path / "test_halve.py"
    path.write_text(
        'TASK = "halve"\n'
        'def test_small(answer):\n    """Small numbers are halved."""\n'
        '@task("double")\ndef test_large(answer):\n    """Large numbers are doubled."""\n'
    )
    assert [check.task for check in read_checks(path)] == ["halve", "double"]


@pytest.mark.parametrize("exercise", CATALOG.exercises, ids=lambda exercise: exercise.slug)
def test_a_solution_shows_the_report_on_the_checks_of_today(exercise: Exercise) -> None:
    path = CATALOG.notebook(exercise, "solutions")
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    [graded] = [cell for cell in cells if "grade" in cell["metadata"].get("tags", [])]
    shown = json.dumps(graded["outputs"])
    count = len(read_checks(CATALOG.checks(exercise)))
    assert f"{count} of {count} checks pass" in shown, "run `halfbits execute` on the solution"
