"""The checks of the exercise contract, each a function that yields a sentence for each fault.

tests/contract puts every exercise of course.toml through all of them.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from halfbits.course.authoring.contract import RightAnswer, Trial, WrongAnswer
from halfbits.course.authoring.mutate import mutants, with_mutant
from halfbits.course.authoring.stub import is_pristine, make_exercise
from halfbits.course.grading.report import NOT_RUN, Report
from halfbits.course.grading.submission import Submission, fresh_seed
from halfbits.course.notebook import BROKEN, answer_of, cells_of
from halfbits.course.progress.hints import LEVELS, read_hints
from halfbits.course.sources import read_unbound
from halfbits.errors import CourseError

# Each seed draws all inputs anew and shuffles the checks: 25 find a check that is unjust once
# in ten in 93 of 100 runs.
SEEDS = 25
# A model that is written and read back takes a second, and a seed draws nothing but its weights:
# tens of thousands of numbers, which make one model much like another.
FEW = 2

# Checks whose messages hold times of this machine, or bytes that Python happens to keep.
MEASURED = ("on_your_machine", "keeps_no_copy_beside_its_numbers")


def stub_is_rejected(trial: Trial) -> Iterator[str]:
    """No check passes with nothing written, and each task counts as not written yet.

    The broken program of a repair is not run until somebody changes it.
    """
    if trial.exercise.kind == "repair":
        return
    report = trial.grade(trial.stub)
    if report.problem:
        yield f"the stub cannot be graded: {report.problem}"
        return
    for verdict in report.of("passed"):
        yield f"{verdict.check.name} passes with nothing written"
    for task in sorted(set(trial.exercise.tasks) - {*report.unwritten_tasks()}):
        failure = next((v.message for v in report.verdicts if v.check.task == task), "no check")
        yield f"the stub of {task} does not count as not written yet: {_brief(failure)}"


def stub_is_seen_without_running(trial: Trial) -> Iterator[str]:
    """The generated notebook is pristine, and its tasks are told from its source alone."""
    if not is_pristine(make_exercise(trial.catalog, trial.exercise)):
        yield "the generated notebook does not know itself as pristine"
    answer = answer_of(trial.exercise, trial.stub)
    stubs = Submission(trial.catalog, trial.exercise, answer).stubs
    for task in sorted(set(trial.exercise.tasks) - stubs):
        yield f"the stub of {task} is not recognized from its source"


def given_cells_have_their_names(trial: Trial) -> Iterator[str]:
    """The learner's notebook reads no name that only the solution's answers import or define."""
    cells = cells_of(make_exercise(trial.catalog, trial.exercise))
    for cell, name in read_unbound(cell for cell in cells if cell.kind == "code"):
        yield f"cell {cell.id} reads {name}, which nothing in the learner's notebook binds"


def broken_program_is_rejected(trial: Trial) -> Iterator[str]:
    """The program of a repair runs, and for each task a core check notices its fault."""
    if trial.exercise.kind != "repair":
        return
    report = trial.grade(trial.stub)
    if report.problem:
        yield f"the broken program cannot be graded: {report.problem}"
    failed = {v.check.task for v in report.of("failed") if not v.check.hardened}
    for task in sorted(set(trial.exercise.tasks) - failed):
        yield f"no core check notices the fault of {task} on seed {report.seed}"


def solution_passes(trial: Trial) -> Iterator[str]:
    """The solution passes on fresh seeds, the checks in another order each time.

    What is scored is measured on the first one.
    """
    many = FEW if trial.scores else SEEDS
    for number in range(many if trial.workers.forks else 2):
        seed, names = fresh_seed(), trial.quick if number else None
        report = trial.grade(trial.solution, names, seed, random.Random(seed).shuffle)
        yield from rejections(report, "rejects the solution")
        if report.problem:
            return


def verdicts_repeat(trial: Trial) -> Iterator[str]:
    """A seed gives the same verdicts and messages again, and with the checks in reverse.

    Where answers are cheap the solution passes in many orders already: `solution_passes`.
    """
    cases = {"the solution": trial.solution}
    if trial.workers.forks:
        cases = {f'"{w.name}"': trial.with_answer(w) for w in trial.wrong_sample}
    seed = fresh_seed()
    for name, cells in cases.items():
        first = _outcome(trial.grade(cells, trial.quick, seed))
        backwards = _outcome(trial.grade(cells, trial.quick, seed, list.reverse))
        for check in first.keys() & backwards.keys():
            if first[check] != backwards[check]:
                was, now = (_brief(" ".join(one)) for one in (first[check], backwards[check]))
                yield f"{check} judges {name} by what ran before it: {was}; reversed: {now}"


def wrong_is_rejected(trial: Trial, wrong: WrongAnswer) -> Iterator[str]:
    """The intended check rejects the wrong answer, with a message that names the symptom."""
    name = wrong.rejected_by
    try:
        cells = trial.with_answer(wrong)
    except CourseError as error:
        yield str(error)
        return
    report = trial.grade(cells, checks=None if name is None else [name])
    if name is None:
        if wrong.says not in (report.problem or ""):
            yield f'"{wrong.name}" should end with {wrong.says!r}, not {report.problem!r}'
    elif report.problem:
        yield f'"{wrong.name}" was not judged: {report.problem}'
    elif not report.total:
        yield f'"{wrong.name}" names {name}, which is no check'
    elif name not in report.failures:
        yield f'{name} accepts "{wrong.name}" on seed {report.seed}'
    elif wrong.says not in report.failures[name]:
        said = _brief(report.failures[name])
        yield f'{name} rejects "{wrong.name}" without saying {wrong.says!r}: {said}'


def right_is_accepted(trial: Trial, right: RightAnswer) -> Iterator[str]:
    """All checks of the tasks that the right answer writes in another way pass."""
    tasks = trial.tasks_of(right)
    checks = [check.name for check in trial.checks if check.task in tasks and not check.scored]
    report = trial.grade(trial.with_answer(right), checks or trial.quick)
    yield from rejections(report, f'rejects "{right.name}"')


def parts_are_complete(trial: Trial) -> Iterator[str]:
    """Checks and three hints for each task, six wrong and three right answers."""
    tasks, names = set(trial.exercise.tasks), [check.name for check in trial.checks]
    for check in trial.checks:
        if check.task not in tasks:
            yield f"{check.name} is for {check.task!r}, which is no task"
        if names.count(check.name) > 1:
            yield f"{check.name} is defined twice"
    broken = any(BROKEN in c.tags for c in trial.all_cells)
    if broken != (trial.exercise.kind == "repair"):
        yield f"a cell tagged {BROKEN} is what a repair has, and no other exercise"
    for task in sorted(tasks - {check.task for check in trial.checks if not check.hardened}):
        yield f"{task} has no core check"
    hints = set(read_hints(trial.catalog, trial.exercise))
    for task, level in sorted({(t, n) for t in tasks for n in LEVELS} ^ hints):
        yield f"hint {level} of {task} is {'of no task' if (task, level) in hints else 'missing'}"
    for kind, shipped, wanted in (
        ("wrong", len(trial.answers.wrong), 6),
        ("right", len(trial.answers.right), 3),
    ):
        if shipped < wanted:
            yield f"only {shipped} {kind} answers are shipped; {wanted} are wanted"
    for wrong in trial.answers.wrong:
        if wrong.rejected_by not in (None, *names):
            yield f'"{wrong.name}" names {wrong.rejected_by}, which is no check'


def explained_mutants_pass(trial: Trial) -> Iterator[str]:
    """What EQUIVALENT explains are mutants of the solution, and all checks accept them."""
    known = {mutant.name: (place, mutant) for place, mutant in mutants(trial)}
    for name in trial.answers.equivalent:
        if name not in known:
            yield f'EQUIVALENT explains "{name}", which is no mutant of the solution'
            continue
        report = trial.grade(with_mutant(trial, *known[name]), trial.quick)
        yield from rejections(report, f'rejects the mutant "{name}"')


def hints_keep_the_answer(trial: Trial) -> Iterator[str]:
    """No hint holds a long line of the solution."""
    lines = [line for c in trial.all_cells if "answer" in c.tags for line in c.source.splitlines()]
    for hint in read_hints(trial.catalog, trial.exercise).values():
        for line in lines:
            if len(line) > 40 and line.strip() in hint.text:
                yield f"hint {hint.level} of {hint.task} gives away: {line.strip()}"


def rejections(report: Report, does: str) -> Iterator[str]:
    """A sentence for each check that did not pass, and one for an answer that could not run."""
    if report.problem:
        yield f"the grader {does} on seed {report.seed}: {report.problem}"
    for verdict in report.verdicts:
        if verdict.kind not in ("passed", NOT_RUN):
            yield f"{verdict.check.name} {does} on seed {report.seed}: {_brief(verdict.message)}"


CONTRACT_CHECKS: tuple[Callable[[Trial], Iterator[str]], ...] = (
    stub_is_rejected,
    stub_is_seen_without_running,
    given_cells_have_their_names,
    broken_program_is_rejected,
    solution_passes,
    verdicts_repeat,
    parts_are_complete,
    explained_mutants_pass,
    hints_keep_the_answer,
)


def _outcome(report: Report) -> dict[str, tuple[str, str]]:
    """Each check's verdict and message; of what is measured anew each time the verdict alone."""
    return {
        v.check.name: (v.kind, "" if v.check.name.endswith(MEASURED) else v.message)
        for v in report.verdicts
    }


def _brief(text: str) -> str:
    return " ".join(text.split())[:300]
