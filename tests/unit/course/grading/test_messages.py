"""A message names the cause first, and the cell; what follows from it is not told as news."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_course import COUNTER, DOUBLE, make_course, write

from halfbits.course.catalog import Catalog, load_catalog
from halfbits.course.checklist import read_checks
from halfbits.course.grading.report import FAILED, Report, Verdict
from halfbits.course.grading.runner import grade_answers

MUTATION = '''

@pytest.mark.task("double")
def test_doubles_arrays(answer):
    """Arrays are doubled."""
    import numpy as np

    for x in (np.ones(3), np.ones((2, 2))):
        want = x + x
        expect.close(answer.double(x), want, atol=0)
        expect.close(answer.double(x), want, atol=0)


@pytest.mark.task("double")
def test_leaves_arrays_alone(answer):
    """The array that was passed in keeps its numbers."""
    import numpy as np

    x = np.ones(3)
    with expect.untouched(x):
        answer.double(x)
'''


@pytest.fixture
def course(tmp_path: Path) -> Catalog:
    root = make_course(tmp_path)
    checks = root / "exercises" / "numbers" / "test_double.py"
    write(checks, checks.read_text("utf-8") + MUTATION)
    return load_catalog(root)


def graded(course: Catalog, *cells: str) -> Report:
    return grade_answers(course, course.find("double"), list(cells))


def shown(report: Report) -> list[str]:
    return [verdict.message for verdict in report.to_show()]


@pytest.mark.parametrize("body", ["pass", "...", '"""Twice."""', '"""Twice."""\n    pass'])
def test_body_that_does_nothing_is_not_written_yet(course: Catalog, body: str) -> None:
    report = graded(course, f"def double(x):\n    {body}", "class Counter:\n    pass")
    assert report.summary() == "not written yet (5 checks)"


def test_class_that_inherits_from_the_answers_own_is_written(course: Catalog) -> None:
    own = COUNTER.replace("Counter", "Base")
    assert graded(course, DOUBLE, f"{own}\nclass Counter(Base):\n    pass").passed == 5


def test_missing_import_is_said_before_what_follows_from_it(course: Catalog) -> None:
    report = graded(course, "def double(x):\n    return math.prod([2, x])", COUNTER)
    first = report.failures["test_doubles_numbers"].splitlines()[0]
    assert first == "an import is missing: add `import math` to the cell"


def test_broken_cell_is_said_before_what_follows_from_it(course: Catalog) -> None:
    cells = (
        "1 / 0\nother = 1",
        "import no_such\nFACTOR = 2",
        "def double(x):\n    return FACTOR * x",
    )
    first = graded(course, *cells, COUNTER).failures["test_doubles_numbers"].splitlines()[0]
    assert first.startswith("FACTOR is missing because a cell went wrong: double.ipynb, cell 2")
    unclosed = "def double(x):\n    return (x"
    message = graded(course, "1 / 0", COUNTER, unclosed).failures["test_doubles_numbers"]
    assert "a cell went wrong before: double.ipynb, cell 3" in message


def test_two_definitions_are_named_with_their_cells(course: Catalog) -> None:
    report = graded(course, DOUBLE, COUNTER, "def double(x):\n    return x")
    assert "double is defined 2 times (cell 1, cell 3): the last one was graded." in report.notes
    assert not any("defined" in note for note in graded(course, DOUBLE, COUNTER).notes)


def test_changed_argument_is_the_one_message_about_all_that_follows(course: Catalog) -> None:
    inside = "def double(x):\n    x *= 2\n    return x"
    report = graded(course, inside, COUNTER)
    assert len(shown(report)) == 1 and report.passed == 3
    assert "argument 1 changed in place" in shown(report)[0]


KEEPS = """
from halfbits.course.checks import context, task


@task("double")
def test_first_of_a_list(answer):
    \"\"\"The first number is doubled.

    Lists stay.
    \"\"\"
    assert answer.double([3, 4])[0] == 6


@task("double")
def test_may_change(answer):
    \"\"\"This one is about the list itself.\"\"\"
    with context.in_place():
        assert answer.double([3, 4])[0] == 6


@task("Counter")
def test_counts(answer):
    \"\"\"Counts.\"\"\"
"""


def test_argument_that_is_changed_fails_a_check_that_looks_at_other_things(course: Catalog) -> None:
    """Whatever the condition on which it is changed: every call of every check is looked at."""
    course.checks(course.find("double")).write_text(KEEPS, encoding="utf-8")
    empties = "def double(x):\n    first = 2 * x[0]\n    x.clear()\n    return [first]"
    failures = graded(course, empties, COUNTER).failures
    assert list(failures) == ["test_first_of_a_list"]
    assert "argument 1 changed in place" in failures["test_first_of_a_list"]
    keeps = "def double(x):\n    return [2 * x[0]]"
    assert not graded(course, keeps, COUNTER).failures


METHODS = """
from halfbits.course.checks import context, task


@task("double")
def test_by_keyword(answer):
    \"\"\"The first number is doubled.\"\"\"
    assert answer.double(x=[3, 4]) == 6


@task("Counter")
def test_counts(answer):
    \"\"\"What was added is counted.\"\"\"
    counter = answer.Counter([1])
    counter.add([2, 3])
    assert answer.Counter.joined([1], more=[2, 3]).total == counter.total == 3


@task("Counter")
def test_may_change(answer):
    \"\"\"The list itself is emptied.\"\"\"
    with context.in_place():
        answer.Counter([1]).add([2, 3])
"""
OWN = """
class Counter:
    def __init__(self, first):
        self.total, self.seen = len(first), []
        self._into(self.seen, first)
    def add(self, more):
        self.total += len(more)
        self._into(self.seen, more)
    def _into(self, own, more):
        own.extend(more)
    @classmethod
    def joined(cls, first, more):
        new = cls(first)
        new.add(more)
        return new
"""


@pytest.mark.parametrize(
    ("line", "empties", "said"),
    [
        ("self.total, self.seen = len(first), []", "first.clear()", "Counter.__init__(list)"),
        ("self.total += len(more)", "more.clear()", "Counter.add(list)"),
        ("new.add(more)", "more.clear()", "Counter.joined(list, more=list)"),
    ],
)
def test_arguments_of_methods_are_watched_like_those_of_functions(
    course: Catalog, line: str, empties: str, said: str
) -> None:
    """What a method does to its own object, and what it hands to others of its methods, is free."""
    course.checks(course.find("double")).write_text(METHODS, encoding="utf-8")
    right = "def double(x):\n    return 2 * x[0]"
    assert not graded(course, right, OWN).failures
    failures = graded(course, right, OWN.replace(line, f"{line}\n        {empties}")).failures
    assert list(failures) == ["test_counts"]
    assert f"called: {said}" in failures["test_counts"]
    assert "changed in place" in failures["test_counts"]


def test_arguments_given_by_their_names_are_watched(course: Catalog) -> None:
    course.checks(course.find("double")).write_text(METHODS, encoding="utf-8")
    failures = graded(course, "def double(x):\n    return 2 * x.pop(0)", OWN).failures
    assert "argument x changed in place" in failures["test_by_keyword"]


def test_claims_that_hold_of_any_function_are_told_after_those_of_the_exercise(
    course: Catalog,
) -> None:
    exercise = course.find("double")
    file = course.checks(exercise)
    suite = 'from halfbits.course.checks import calls\nagain = calls.Calls("double", draw)\n'
    checks = read_checks(write(file, suite + file.read_text("utf-8")))
    report = Report(exercise, "double.ipynb", [Verdict(c, FAILED, c.claim) for c in checks])
    assert checks[0].name == "test_again_reads_its_arguments_at_every_call"
    shown = [verdict.check.name for verdict in report.to_show()]
    assert shown[0] == "test_doubles_numbers"
    assert shown[-1] == "test_again_gives_a_result_that_is_the_callers"
