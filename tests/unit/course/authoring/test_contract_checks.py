"""Each check of the exercise contract names an exercise that fails it, in one sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fake_course import BROKEN_HALVE, DOUBLE_CHECKS, HALVE, make_course, with_a_repair, write

from halfbits.course.authoring import contract_checks
from halfbits.course.authoring.contract import RightAnswer, Trial, WrongAnswer
from halfbits.course.authoring.environments import ENVIRONMENTS, pool_of, verdicts_hold_elsewhere
from halfbits.course.catalog import load_catalog
from halfbits.course.grading.process import fork_pool
from halfbits.course.grading.process.fork_pool import ForkPool
from halfbits.course.grading.process.pool import WorkerPool
from halfbits.course.grading.report import Report

pytestmark = pytest.mark.skipif(not fork_pool.AVAILABLE, reason="needs workers that fork")

WRONG = """
ADDS = [(f"adds {n}", "2 + 2 = 4", f"def double(x): return x + {n}") for n in range(1, 7)]
WRONG = {"test_doubles_numbers": ADDS}
"""
RIGHT = """
RIGHT = {f"way {n}": "def double(x): return 2 * x" for n in range(3)}
"""
EXTRA = """

@pytest.mark.task("double")
def test_extra(answer, seed):
    \"\"\"One more claim.\"\"\"
"""
Break = Callable[[Path], object]


@pytest.fixture
def workers() -> Iterator[ForkPool]:
    source = ForkPool()
    yield source
    source.close()


@pytest.fixture
def environments() -> Iterator[dict[str, WorkerPool]]:
    pools: dict[str, WorkerPool] = {
        name: pool_of(settings) for name, settings in ENVIRONMENTS.items()
    }
    yield pools
    for pool in pools.values():
        pool.close()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = make_course(tmp_path)
    write(root / "tests" / "wrong_answers" / "numbers" / "double.py", WRONG)
    write(root / "tests" / "right_answers" / "numbers" / "double.py", RIGHT)
    return root


@pytest.fixture(autouse=True)
def few_seeds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contract_checks, "SEEDS", 12)


def trial(root: Path, workers: WorkerPool) -> Trial:
    catalog = load_catalog(root)
    return Trial(catalog, catalog.find("double"), workers)


def checks(root: Path, text: str) -> None:
    write(root / "exercises" / "numbers" / "test_double.py", text)


def with_check(body: str) -> Break:
    """The check file with one more check, and imports above it."""
    indented = "\n".join(f"    {line}" for line in body.splitlines())
    return lambda root: checks(root, "import os, time\n" + DOUBLE_CHECKS + EXTRA + indented)


def solution(old: str, new: str) -> Break:
    def change(root: Path) -> None:
        path = root / "solutions" / "numbers" / "double.ipynb"
        text = path.read_text(encoding="utf-8")
        assert old in text
        write(path, text.replace(old, new))

    return change


def answers(text: str) -> Break:
    return lambda root: write(root / "tests" / "wrong_answers" / "numbers" / "double.py", text)


def counting(claim: str) -> Break:
    """A check with `claim`, which may use RAN: the other text check adds to it when it runs."""
    counted = DOUBLE_CHECKS.replace(
        'assert answer.double("ab")', 'RAN.append(1)\n    assert answer.double("ab")'
    )
    return lambda root: checks(root, f"RAN = []\n{counted}{EXTRA}    {claim}\n")


# What is wrong with the exercise, the check that it fails, and what is said.
FAULTS: dict[str, tuple[Break, Callable[[Trial], Iterator[str]], str]] = {
    "a check that needs no answer": (
        with_check("assert True"),
        contract_checks.stub_is_rejected,
        "test_extra passes with nothing written",
    ),
    "a stub that its check does not reach": (
        lambda root: checks(root, DOUBLE_CHECKS.replace("counter = answer.Counter()", "assert 0")),
        contract_checks.stub_is_rejected,
        "the stub of Counter does not count as not written yet: this does not hold: assert 0",
    ),
    "a stub that may be bound elsewhere": (
        solution('"double(1)"', '"exec(str(1))"'),
        contract_checks.stub_is_seen_without_running,
        "the stub of double is not recognized from its source",
    ),
    "a given cell that leans on the answer's import": (
        lambda root: (
            solution("return x + x", "return math.prod([2, x])")(root),
            solution('"def double', '"import math\\n\\n\\ndef double')(root),
            solution('"double(1)"', '"math.pi"')(root),
        ),
        contract_checks.given_cells_have_their_names,
        "cell try reads math, which nothing in the learner's notebook binds",
    ),
    "a solution that is wrong": (
        solution("return x + x", "return x + 1"),
        contract_checks.solution_passes,
        "test_doubles_numbers rejects the solution on seed ",
    ),
    "a check that is unjust to half the draws": (
        with_check("assert answer.double(1) == 2\nassert seed % 2"),
        contract_checks.solution_passes,
        "test_extra rejects the solution on seed ",
    ),
    "a check that needs another one before it": (
        counting("assert answer.double(1) == 2 and RAN"),
        contract_checks.solution_passes,
        "test_extra rejects the solution on seed ",
    ),
    "a check that is told apart by the order": (
        counting("assert answer.double(3) == 6, f'after {len(RAN)}'"),
        contract_checks.verdicts_repeat,
        'test_extra judges "adds 1" by what ran before it: failed after 1; reversed: ',
    ),
    "a task without a check": (
        lambda root: checks(root, DOUBLE_CHECKS.replace('task("Counter")', 'task("double")')),
        contract_checks.parts_are_complete,
        "Counter has no core check",
    ),
    "a check of no task": (
        lambda root: checks(root, DOUBLE_CHECKS.replace('task("Counter")', 'task("Count")')),
        contract_checks.parts_are_complete,
        "test_counts is for 'Count', which is no task",
    ),
    "too few wrong answers": (
        answers(WRONG.replace("range(1, 7)", "range(1, 4)")),
        contract_checks.parts_are_complete,
        "only 3 wrong answers are shipped; 6 are wanted",
    ),
    "a wrong answer that names no check": (
        answers(WRONG.replace('"test_doubles_numbers"', '"test_doubles"')),
        contract_checks.parts_are_complete,
        '"adds 1" names test_doubles, which is no check',
    ),
    "an explanation of a mutant that is none": (
        answers(WRONG + "EQUIVALENT = {'return 7': 'seven is double'}"),
        contract_checks.explained_mutants_pass,
        'EQUIVALENT explains "return 7", which is no mutant of the solution',
    ),
    "a mutant that is not the same program": (
        answers(WRONG + "EQUIVALENT = {'return x - x': 'minus is plus'}"),
        contract_checks.explained_mutants_pass,
        'test_doubles_numbers rejects the mutant "return x - x" on seed ',
    ),
    "a hint with the answer in it": (
        lambda root: (
            solution("return x + x", "return x + x if isinstance(x, str) else 2 * x")(root),
            solution("Add x to itself.", "return x + x if isinstance(x, str) else 2 * x")(root),
        ),
        contract_checks.hints_keep_the_answer,
        "hint 3 of double gives away: return x + x if isinstance(x, str) else 2 * x",
    ),
}


@pytest.mark.parametrize(("spoil", "contract_check", "says"), FAULTS.values(), ids=FAULTS.keys())
def test_broken_promise_is_one_sentence(
    root: Path,
    workers: ForkPool,
    spoil: Break,
    contract_check: Callable[[Trial], Iterator[str]],
    says: str,
) -> None:
    spoil(root)
    faults = [fault for fault in contract_check(trial(root, workers)) if fault.startswith(says)]
    assert faults, list(contract_check(trial(root, workers)))
    assert not any("\n" in fault for fault in faults)


def repair(root: Path, workers: WorkerPool) -> Trial:
    catalog = load_catalog(with_a_repair(root))
    write(root / "tests" / "wrong_answers" / "numbers" / "halve.py", "WRONG = {}")
    write(root / "tests" / "right_answers" / "numbers" / "halve.py", "RIGHT = {}")
    return Trial(catalog, catalog.find("halve"), workers)


def test_repair_is_not_mended_yet_and_its_fault_is_noticed(root: Path, workers: WorkerPool) -> None:
    one = repair(root, workers)
    for contract_check in (
        contract_checks.stub_is_seen_without_running,
        contract_checks.broken_program_is_rejected,
    ):
        assert list(contract_check(one)) == []
    assert not any("repair" in fault for fault in contract_checks.parts_are_complete(one))


def test_repair_without_a_fault_is_one_sentence(root: Path, workers: WorkerPool) -> None:
    one = repair(root, workers)
    path = root / "solutions" / "numbers" / "halve.ipynb"
    write(path, path.read_text(encoding="utf-8").replace(BROKEN_HALVE[-7:-1], HALVE[-6:-1]))
    (fault,) = contract_checks.broken_program_is_rejected(one)
    assert fault.startswith("no core check notices the fault of halve on seed ")


def test_broken_cell_is_for_repairs_alone(root: Path, workers: WorkerPool) -> None:
    solution('"tags": []', '"tags": ["broken"]')(root)
    assert any(
        "repair" in fault for fault in contract_checks.parts_are_complete(trial(root, workers))
    )


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (("double(x): return 2 * x", "test_doubles_numbers", "4"), 'accepts "one" on seed'),
        (
            ("double(x): return 3 * x", "test_doubles_numbers", "by five"),
            "without saying 'by five'",
        ),
        (("double(x): return 3 * x", "test_gone", ""), "names test_gone, which is no check"),
        (("double(x): raise SystemExit", "test_doubles_text", ""), "was not judged: check test_d"),
        (("double(x): return 2 * x", None, "ended"), "should end with 'ended', not None"),
    ],
)
def test_wrong_answer_that_is_not_caught_is_one_sentence(
    root: Path, workers: ForkPool, wrong: tuple[str, str | None, str], says: str
) -> None:
    code, check, symptom = wrong
    one = WrongAnswer("one", f"def {code}", check, symptom)
    (fault,) = contract_checks.wrong_is_rejected(trial(root, workers), one)
    assert says in fault and "\n" not in fault


def test_right_answer_that_is_rejected_is_one_sentence(root: Path, workers: ForkPool) -> None:
    right = RightAnswer("in floats", "def double(x): return 2.0 * float(x)")
    faults = list(contract_checks.right_is_accepted(trial(root, workers), right))
    assert len(faults) == 1
    assert faults[0].startswith('test_doubles_text rejects "in floats" on seed ')


@pytest.mark.parametrize("setting", ["LC_ALL=tr_TR.UTF-8", "OMP_NUM_THREADS=2"])
def test_setting_that_changes_a_verdict_is_named(
    root: Path, environments: dict[str, WorkerPool], setting: str
) -> None:
    key, value = setting.split("=")
    with_check(f"assert answer.double(1) == 2\nassert os.environ.get({key!r}) != {value!r}")(root)
    some = trial(root, next(iter(environments.values())))
    (fault,) = verdicts_hold_elsewhere(some, environments)
    assert fault.startswith(f"with {setting}, test_extra rejects the solution on seed ")


def test_flags_that_would_change_a_check_do_not_reach_it(
    root: Path, environments: dict[str, WorkerPool]
) -> None:
    with_check("import warnings\nwarnings.warn('w')\nassert answer.double(1) == 2")(root)
    some = trial(root, next(iter(environments.values())))
    assert list(verdicts_hold_elsewhere(some, environments)) == []


def test_good_exercise_has_only_the_fault_it_was_made_with(root: Path, workers: ForkPool) -> None:
    good = trial(root, workers)
    for contract_check in contract_checks.CONTRACT_CHECKS:
        faults = list(contract_check(good))
        if contract_check is contract_checks.parts_are_complete:
            assert faults == [f"hint {n} of Counter is missing" for n in (1, 2, 3)]
        else:
            assert faults == []
    for wrong in good.answers.wrong:
        assert list(contract_checks.wrong_is_rejected(good, wrong)) == []
    for right in good.answers.right:
        assert list(contract_checks.right_is_accepted(good, right)) == []


def test_what_is_scored_is_measured_once_and_left_out_of_what_is_repeated(
    root: Path, workers: ForkPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    extra = EXTRA.replace("@pytest", "@scored\n@pytest") + "    assert answer.double(1) == 2\n"
    checks(root, f"from halfbits.course.checks import scored\n{DOUBLE_CHECKS}{extra}")
    one, ran, grade = trial(root, workers), [], Trial.grade

    def noting(self: Trial, *args: Any) -> Report:
        report = grade(self, *args)
        ran.append([verdict.check.name for verdict in report.verdicts])
        return report

    monkeypatch.setattr(Trial, "grade", noting)
    assert list(contract_checks.solution_passes(one)) == []
    assert ["test_extra" in names for names in ran] == [True, *[False] * (contract_checks.FEW - 1)]
    ran.clear()
    assert list(contract_checks.verdicts_repeat(one)) == []
    assert list(contract_checks.right_is_accepted(one, one.answers.right[0])) == []
    assert ran and not any("test_extra" in names for names in ran)
