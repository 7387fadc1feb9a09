"""`pytest exercises` as a learner sees it, run as they run it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from fake_course import COUNTER, DOUBLE, HALVE, make_course, notebook, write

INI = """[pytest]
addopts =
    -p no:cacheprovider -p no:nbval -p no:hypothesispytest
    -p halfbits.course.grading.faces.pytest_plugin
testpaths = exercises
"""
STUB = 'raise NotImplementedError("not written yet")'


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = make_course(tmp_path / "course")
    write(root / "pytest.ini", INI)
    own = root / "exercises" / "numbers"
    stubs = f"def double(x):\n    {STUB}\nclass Counter:\n    def add(self):\n        {STUB}"
    write(own / "double.ipynb", notebook(stubs))
    write(own / "halve.ipynb", notebook(f"def halve(x):\n    {STUB}"))
    return root


def run(root: Path, *arguments: str) -> tuple[int, str]:
    environment = {**os.environ, "HALFBITS_DATA": str(root.parent / "data"), "COLUMNS": "80"}
    command = [sys.executable, "-m", "pytest", *arguments]
    found = subprocess.run(
        command, cwd=root, env=environment, capture_output=True, encoding="utf-8", check=False
    )
    assert "Traceback" not in found.stdout + found.stderr
    return found.returncode, found.stdout


def test_fresh_clone_shows_a_line_per_exercise_and_no_failure_reports(root: Path) -> None:
    code, told = run(root)
    assert code == 1
    assert "double: not written yet (3 checks)" in told
    assert "halve: not written yet (1 check)" in told
    assert "4 not written yet" in told
    assert "FAILURES" not in told
    assert len(told.splitlines()) < 20


def test_solutions_pass_by_answers_folder(root: Path) -> None:
    code, told = run(root, "exercises", "--answers", "solutions")
    assert code == 0
    assert "4 passed" in told
    assert not (root.parent / "data").exists()


def test_failure_is_four_lines_without_a_traceback(root: Path) -> None:
    write(root / "exercises" / "numbers" / "halve.ipynb", notebook("def halve(x): return x // 2"))
    code, told = run(root, "exercises/numbers/test_halve.py")
    assert code == 1
    start = told.index("halve: halves")
    lines = told[start:].splitlines()[1:6]
    assert lines == [
        "Every number is halved.",
        "   called: halve(3)",
        " expected: 1.5",
        "      got: 1, off by 0.5",
        "      why: no rounding",
    ]
    assert "HALFBITS_SEED=" in told
    assert "next: python course.py hint halve halve" in told
    assert "short test summary" not in told


def test_notebook_itself_can_be_named(root: Path) -> None:
    write(root / "exercises" / "numbers" / "halve.ipynb", notebook(HALVE))
    code, told = run(root, "exercises/numbers/halve.ipynb", "-v")
    assert code == 0
    assert "exercises/numbers/halve.ipynb::test_halves PASSED" in told


def test_node_ids_marks_and_words_select(root: Path) -> None:
    for arguments in (
        ("exercises/numbers/test_double.py::test_doubles_text",),
        ("-k", "text"),
        ("-m", "task(name='double')", "-k", "text"),
    ):
        code, told = run(root, *arguments, "--answers", "solutions", "-v")
        assert code == 0
        assert "test_doubles_text PASSED" in told
        assert "1 passed" in told


def test_stop_at_the_first_failure(root: Path) -> None:
    assert "1 not written yet" in run(root, "-x")[1]


def test_collection_imports_neither_checks_nor_answers(root: Path) -> None:
    checks = root / "exercises" / "numbers" / "test_halve.py"
    text = checks.read_text(encoding="utf-8")
    write(checks, "raise RuntimeError('imported')\n" + text)
    code, told = run(root, "--collect-only", "-q")
    assert code == 0
    assert "exercises/numbers/test_halve.py::test_halves" in told


def test_problem_of_one_exercise_is_told_once_and_the_rest_graded(root: Path) -> None:
    own = root / "exercises" / "numbers"
    write(own / "double.ipynb", notebook(DOUBLE, COUNTER, "import sys; sys.exit(0)"))
    write(own / "halve.ipynb", notebook(HALVE))
    code, told = run(root)
    assert code == 1
    assert told.count("called sys.exit(0)") == 1
    assert "1 failed, 1 passed, 2 not run" in told


def test_same_missing_name_is_told_once(root: Path) -> None:
    write(root / "exercises" / "numbers" / "double.ipynb", notebook(COUNTER))
    code, told = run(root, "exercises/numbers/test_double.py")
    assert code == 1
    assert told.count("defines no double") == 1


def test_own_results_are_recorded_and_the_notebook_left_alone(root: Path) -> None:
    path = write(root / "exercises" / "numbers" / "halve.ipynb", notebook(HALVE))
    before = path.read_bytes()
    run(root, "-k", "halves")
    saved = json.loads((root.parent / "data" / "progress.json").read_text(encoding="utf-8"))
    assert saved["exercises"]["numbers/halve"]["passed"] == ["test_halves"]
    assert path.read_bytes() == before


def test_unknown_answers_folder_is_one_sentence(root: Path) -> None:
    code, told = run(root, "--answers", "nowhere")
    assert code != 0
    assert "--answers wants" in told
