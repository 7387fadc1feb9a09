"""The command line: quick to start, and one sentence for every mistake."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from fake_course import make_course, notebook, write


def halfbits(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "halfbits", *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


@pytest.fixture
def course(tmp_path: Path) -> dict[str, str]:
    root = make_course(tmp_path / "course")
    return {"HALFBITS_ROOT": str(root), "HALFBITS_DATA": str(tmp_path / "data")}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("grade", "duoble"), "did you mean numbers/double?"),
        (("hint", "duoble"), "did you mean numbers/double?"),
        (("hint", "double", "doubel"), "its tasks are double, Counter."),
        (("reset", "duoble"), "did you mean numbers/double?"),
        (("grade", "--answers", "nowhere"), "--answers wants"),
        (("test", "unti"), "did you mean unit?"),
    ],
)
def test_mistake_is_one_sentence_and_status_2(
    course: dict[str, str], arguments: tuple[str, ...], says: str
) -> None:
    found = halfbits(*arguments, **course)
    assert found.returncode == 2
    assert says in found.stderr
    assert len(found.stderr.strip().splitlines()) == 1


def test_words_of_a_learners_evening(course: dict[str, str]) -> None:
    assert halfbits("sync", **course).returncode == 0
    assert "not written yet" in halfbits("grade", **course).stdout
    assert "Say it again." in halfbits("hint", "double", **course).stdout
    assert "your work is kept as" in halfbits("reset", "double", **course).stdout
    assert "next: exercises/numbers/double.ipynb" in halfbits("progress", **course).stdout


@pytest.mark.parametrize(
    "module",
    [
        "halfbits.course.cli.main",
        "halfbits.course.grading.faces.pytest_plugin",
        "halfbits.course.authoring.selftest",
    ],
)
def test_light_modules_import_nothing_heavy(module: str) -> None:
    heavy = ("torch", "tensorflow", "numpy", "IPython", "nbformat", "matplotlib", "rich.console")
    if module == "halfbits.course.cli.main":
        heavy = heavy[:-1]  # typer brings its own rich
    code = f"import sys, {module}; print([m for m in {heavy} if m in sys.modules])"
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True
    )
    assert found.stdout.strip() == "[]"


def test_report_is_printed_on_a_console_that_lacks_its_letters(course: dict[str, str]) -> None:
    path = Path(course["HALFBITS_ROOT"]) / "exercises" / "numbers" / "double.ipynb"
    write(path, notebook("def double(x):\n    raise ValueError('\u6570 is no number')"))
    done = halfbits("grade", "double", **course, PYTHONIOENCODING="ascii")
    assert done.returncode == 1
    assert "? is no number" in done.stdout
    assert done.stderr == ""
