"""An answer that replaces what judges it gains nothing, whenever it does so."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_course import COUNTER, make_course

from halfbits.course.catalog import Catalog, load_catalog
from halfbits.course.grading.judge.guard import suspicious
from halfbits.course.grading.report import Report
from halfbits.course.grading.runner import grade_answers
from halfbits.course.notebook import Cell

JUDGE = "halfbits.course.grading.judge"
WRONG = "def double(x):\n    return x\n"
NOTHING = "lambda *args, **more: None"
PASSED = "lambda *args, **more: ('passed', '')"
REPLACEMENTS = {
    "the judge": f"import halfbits.course.grading.judge.verdict as v; v.judge = {PASSED}",
    "the worker's judge": f"import sys; sys.modules['__main__'].judge = {PASSED}",
    "the judge's code": (
        f"import halfbits.course.grading.judge.verdict as v\nv.judge.__code__ = ({PASSED}).__code__"
    ),
    "expect.close": f"import halfbits.course.checks.expect as e; e.close = {NOTHING}",
    "expect_close's code": (
        f"import halfbits.course.checks.expect as e\ne.close.__code__ = ({NOTHING}).__code__"
    ),
    "what expect_close calls": (
        "import halfbits.course.checks.expect as e, numpy\n"
        "e._within = lambda have, *more: numpy.ones(numpy.shape(have), bool)\n"
        "e._worst = lambda *more: ''"
    ),
    "the failure": "import halfbits.course.checks.expect as e\ne.CheckFailed = type('Q', (), {})",
    "a built-in": "import builtins\nbuiltins.all = builtins.any = lambda *args: True",
    "a shadowed built-in": f"import {JUDGE}.verdict as v\nv.isinstance = lambda *a: False",
    "numpy": "import numpy\nnumpy.abs = lambda x, **more: 0 * numpy.asarray(x)",
    "pytest's failure": "import pytest\npytest.fail = lambda *args, **more: None",
    "the guard": f"import {JUDGE}.guard as g\ng.take_guard = lambda checks: list",
}


@pytest.fixture
def course(tmp_path: Path) -> Catalog:
    return load_catalog(make_course(tmp_path))


def graded(course: Catalog, *cells: str) -> Report:
    return grade_answers(course, course.find("double"), list(cells))


@pytest.mark.parametrize("code", REPLACEMENTS.values(), ids=REPLACEMENTS)
def test_replaced_in_a_cell_it_is_put_back(course: Catalog, code: str) -> None:
    report = graded(course, WRONG, COUNTER, code)
    assert (report.passed, report.problem) == (1, None)
    assert "   called: double(3)" in report.failures["test_doubles_numbers"]


@pytest.mark.parametrize("code", REPLACEMENTS.values(), ids=REPLACEMENTS)
def test_replaced_while_a_check_runs_it_fails_that_check(course: Catalog, code: str) -> None:
    indented = code.replace("\n", "\n    ")
    report = graded(course, f"def double(x):\n    {indented}\n    return x", COUNTER)
    assert report.problem is None
    assert {"test_doubles_numbers", "test_doubles_text"} <= report.failures.keys()


def test_right_answer_that_replaces_something_is_right_and_told_so(course: Catalog) -> None:
    report = graded(course, "import math\nmath.pi = 3\ndef double(x):\n    return 2 * x", COUNTER)
    assert report.all_pass
    assert "put back before the checks: math.pi" in report.notes


def test_check_during_which_something_is_replaced_says_what(course: Catalog) -> None:
    report = graded(
        course, "def double(x):\n    import math; math.pi = 3\n    return 2 * x", COUNTER
    )
    assert "got: the answer replaced math.pi" in report.failures["test_doubles_numbers"]


def test_names_that_reach_into_the_grader_are_listed_for_a_teacher() -> None:
    code = (
        "import gc, sys\nfor thing in gc.get_objects(): sys._getframe(1)\nfrom ctypes import CDLL"
    )
    assert suspicious([Cell("cell 1", code)]) == ["_getframe", "ctypes", "get_objects"]
    assert suspicious([Cell("cell 1", "def quantize(w):\n    return w.round()")]) == []


MOVED = """
import halfbits.course.checks.expect as e
e.spare = lambda *args: True
def double(x):
    if "spare" in vars(e):  # the same object in the same place, under a name that hides a built-in
        e.isinstance = vars(e).pop("spare")
    return 2 * x
"""


def test_object_that_moves_to_a_name_that_hides_another_is_noticed(course: Catalog) -> None:
    report = graded(course, MOVED, COUNTER)
    assert "the answer replaced halfbits.course.checks.expect.isinstance" in " ".join(
        report.failures.values()
    )


def test_replaced_keyword_defaults_are_noticed(course: Catalog) -> None:
    code = (
        "import halfbits.course.checks.expect as e\ndef double(x):\n"
        "    e.close.__kwdefaults__ = {**e.close.__kwdefaults__}\n    return 2 * x"
    )
    report = graded(course, code, COUNTER)
    assert "the code of close" in report.failures["test_doubles_numbers"]


@pytest.mark.parametrize(
    "module", [f"{JUDGE}.guard", "halfbits.course", "halfbits.catalog", "halfbits.grading.verdict"]
)
def test_the_machinery_by_any_path_is_listed_and_the_subject_is_not(module: str) -> None:
    subject = Cell("cell 1", "from halfbits import grade\nimport halfbits.models.images")
    assert suspicious([subject]) == []
    assert suspicious([subject, Cell("cell 2", f"import {module} as m")]) == [module]
