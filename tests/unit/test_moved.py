"""Import paths of earlier versions go on working: learners' saved notebooks hold them."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

from halfbits.moved import MOVED


def python(*words: str) -> str:
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("old", MOVED)
def test_an_old_path_gives_the_very_module(old: str) -> None:
    new = importlib.import_module(MOVED[old])
    assert importlib.import_module(old) is new
    assert new.__name__ == MOVED[old]
    assert new.__spec__ is not None and new.__spec__.name == MOVED[old]


@pytest.mark.parametrize(
    "paths", ["halfbits.cost, halfbits.perf.cost", "halfbits.perf.cost, halfbits.cost"]
)
def test_neither_order_of_imports_loads_a_module_twice(paths: str) -> None:
    code = f"import {paths}, halfbits; print(halfbits.cost is halfbits.perf.cost)"
    assert python("-c", code) == "True"


def test_a_saved_notebook_still_grades_itself() -> None:
    code = "from halfbits import grade\nfrom halfbits.grading import grade as old\n"
    code += "from halfbits.interview import flashcards\nimport os\n"
    code += "os.environ['HALFBITS_GRADING'] = '1'  # as in a worker: nothing is graded\n"
    assert python("-c", code + "print(grade('any'), old('any'), flashcards.__name__)") == (
        "None None flashcards"
    )


def test_the_forms_of_import_that_notebooks_use_all_work() -> None:
    code = "from halfbits import records\nfrom halfbits.cost import Work\nprint(Work.__module__)"
    assert python("-c", code) == "halfbits.perf.cost"


def test_a_path_that_never_was_is_still_an_error() -> None:
    with pytest.raises(ModuleNotFoundError, match=r"halfbits\.costs"):
        importlib.import_module("halfbits.costs")


def test_below_a_package_that_moved_every_module_is_the_very_module() -> None:
    code = "import halfbits.widgets.markup, halfbits.figures.markup as new\n"
    assert python("-c", code + "print(halfbits.widgets.markup is new)") == "True"


def test_an_old_path_can_be_run() -> None:
    question = "book/interview/questions/what_is_amp.md"
    said = python("-m", "halfbits.interview.bank", question)
    assert said == "1 of 1 questions are whole; 0 problems."
    assert python("-m", "halfbits.course.interview.bank", question) == said
