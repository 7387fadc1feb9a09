"""The project's own test runner adds up its steps and lets no failure through."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from fake_course import write

from halfbits.course.authoring import selftest
from halfbits.course.authoring.selftest import StepResult, run_step, table
from halfbits.errors import CourseError

ROOT = Path(__file__).parents[4]
TESTS = """
import pytest

def test_one(): pass
def test_two(): assert {holds}
@pytest.mark.skip(reason="no browser here")
def test_three(): pass
"""


def result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *commands: list[str]) -> StepResult:
    monkeypatch.setitem(selftest.STEPS, "unit", list(commands))
    return run_step("unit", tmp_path, tmp_path)


def pytest_of(path: Path) -> list[str]:
    return [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(path)]


def test_counts_are_read_from_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tests = write(tmp_path / "test_it.py", TESTS.format(holds=False))
    found = result(tmp_path, monkeypatch, pytest_of(tests))
    assert dict(found.counts) == {"passed": 1, "failed": 1, "skipped": 1}
    assert not found.is_good
    assert "skipped in unit: no browser here" in table([found])
    assert table([found]).splitlines()[-1] == "1 passed, 1 failed, 1 skipped"


def test_run_that_breaks_counts_as_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = result(tmp_path, monkeypatch, pytest_of(write(tmp_path / "test_it.py", "import (")))
    assert not found.is_good
    found = result(tmp_path, monkeypatch, [sys.executable, "-c", "raise SystemExit(3)"])
    assert found.counts["failed"] == 1


def test_step_that_runs_nothing_is_not_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tests = write(tmp_path / "test_it.py", "")
    assert not result(tmp_path, monkeypatch, pytest_of(tests)).is_good


def test_a_thorough_run_has_every_step_and_more_in_three(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[list[str]] = []
    monkeypatch.setattr(
        selftest.subprocess,
        "run",
        lambda command, **_: ran.append(command) or subprocess.CompletedProcess(command, 0),
    )
    for step in selftest.STEPS:
        run_step(step, tmp_path, tmp_path, thorough=True)
    commands = [" ".join(command) for command in ran]
    assert len(commands) == sum(map(len, selftest.STEPS.values())) + 2
    assert sum("--thorough" in command for command in commands) == 2


def test_continuous_integration_is_thorough() -> None:
    assert "course.py test --thorough" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_unknown_step_is_one_sentence() -> None:
    with pytest.raises(CourseError, match="did you mean contract"):
        selftest.run(["contrcat"])
