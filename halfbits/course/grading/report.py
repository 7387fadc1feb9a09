"""The outcome of one graded exercise and how it reads in a terminal."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from halfbits.course.catalog import Exercise
from halfbits.course.checklist import Check
from halfbits.course.checks.failure import Failure

NEXT_QUESTION = "an interviewer would ask next"
PASSED, FAILED, MISSING, UNWRITTEN, NOT_RUN = "passed", "failed", "missing", "unwritten", "not run"
CONTROL = re.compile(
    r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f-\x9f]"
    r"|[\u200e\u200f\u2028-\u202e\u2066-\u2069]"  # they turn or break the line they stand in
)


@dataclass(frozen=True)
class Verdict:
    """How one check ended: `kind` is passed, failed, missing, unwritten or not run.

    The explanation of a check that failed is a `Failure`, or a text where an error tells more.
    """

    check: Check
    kind: str
    explanation: Failure | str = ""

    @property
    def message(self) -> str:
        """The explanation as text."""
        return str(self.explanation)


@dataclass(frozen=True)
class Asked:
    """A question of the bank: its text, and the page of the book that answers it."""

    text: str
    page: str


@dataclass
class Report:
    """How one exercise ended. `problem` is set when the answer could not be run to its end."""

    exercise: Exercise
    name: str
    verdicts: list[Verdict] = field(default_factory=list)
    problem: str | None = None
    notes: list[str] = field(default_factory=list)
    seed: int = 0
    score: dict[str, float | str] = field(default_factory=dict)
    task: str = ""  # the one task that was graded, "" where all were
    asked: tuple[Asked, ...] = ()  # what an interviewer would ask after a pass
    killed: bool = False  # its process was ended from outside, as far as anybody can tell

    @property
    def passed(self) -> int:
        return len(self.of(PASSED))

    @property
    def total(self) -> int:
        return len(self.verdicts)

    @property
    def failures(self) -> dict[str, str]:
        return {v.check.name: v.message for v in self.verdicts if v.kind != PASSED}

    @property
    def all_pass(self) -> bool:
        return self.problem is None and 0 < self.total == self.passed

    @property
    def solved(self) -> bool:
        """Whether all core checks pass: what the exercise, or its graded task, asks for."""
        core = [verdict.kind == PASSED for verdict in self.verdicts if not verdict.check.hardened]
        return self.problem is None and bool(core) and all(core)

    def of(self, kind: str) -> list[Verdict]:
        return [verdict for verdict in self.verdicts if verdict.kind == kind]

    def to_show(self) -> list[Verdict]:
        """The failed checks, each explanation once; stubs are only counted.

        Core ones come first, and of them what the exercise itself asks for.
        """
        shown: dict[Failure | str, Verdict] = {}
        not_judged = () if self.problem else (NOT_RUN,)
        for verdict in sorted(self.verdicts, key=lambda v: (v.check.hardened, v.check.general)):
            if verdict.kind in (FAILED, MISSING, *not_judged):
                shown.setdefault(verdict.explanation, verdict)
        return list(shown.values())

    def by_task(self) -> dict[str, list[Verdict]]:
        """The verdicts by task, in the checks' order."""
        found: dict[str, list[Verdict]] = {}
        for verdict in self.verdicts:
            found.setdefault(verdict.check.task, []).append(verdict)
        return found

    def unwritten_tasks(self) -> list[str]:
        return list(dict.fromkeys(verdict.check.task for verdict in self.of(UNWRITTEN)))

    def summary(self) -> str:
        """ "7 of 9 checks pass; 2 not written yet"."""
        if self.problem:
            ran = any(verdict.kind != NOT_RUN for verdict in self.verdicts)
            why = "it stopped early" if ran else "it could not be graded"
            return f"{self.passed} of {_count(self.total)} pass; {why}"
        late = len(self.of(UNWRITTEN))
        if late == self.total:
            return f"{untouched(self.exercise)} ({_count(late)})"
        lacking = len(self.of(NOT_RUN))
        return f"{self.passed} of {_count(self.total)} pass" + (
            (f"; {late} {untouched(self.exercise)}" if late else "")
            + (f"; {lacking} not judged" if lacking else "")
            + ("; solved, not hardened yet" if self.solved and not self.all_pass else "")
        )

    def first_open_task(self) -> str:
        """The task of the first check to mend, else of the first not written yet, else ""."""
        if self.all_pass or self.problem:
            return ""
        first = next((v for v in self.to_show() if v.kind in (FAILED, MISSING)), None)
        first = first or next(iter(self.of(UNWRITTEN)), None)
        return first.check.task if first else ""

    def next_step(self) -> str:
        """The command to try next, or "" when all is done."""
        if self.all_pass or self.problem:
            return ""
        return f"python course.py hint {self.exercise.slug} {self.first_open_task()}".strip()


def untouched(exercise: Exercise) -> str:
    """What is said of a task that the learner has left as it was."""
    return "not mended yet" if exercise.kind == "repair" else "not written yet"


def lines(report: Report) -> Iterable[str]:
    """The report as plain text, without its summary line."""
    if report.problem:
        yield clean(report.problem)
    for verdict in report.to_show():
        yield f"{title(verdict)}"
        yield clean(verdict.message)
        yield ""
    for task in report.unwritten_tasks():
        count = sum(verdict.check.task == task for verdict in report.of(UNWRITTEN))
        yield f"{untouched(report.exercise)}: {task} ({_count(count)})"
    if report.to_show():
        yield seed_line(report)
    if report.score:
        yield f"score: {score_line(report.score)}"
    yield from (f"note: {clean(note)}" for note in report.notes)
    if report.asked:
        yield f"{NEXT_QUESTION}:"
    yield from (f"  {clean(one.text)} ({one.page})" for one in report.asked)


def as_text(report: Report) -> str:
    """The whole report as plain text, as the terminal shows it."""
    head = f"{subject(report)}: {report.summary()}"
    rest = [line.rstrip() for line in lines(report)]
    step = report.next_step()
    return "\n".join([head, *rest, *([f"next: {step}"] if step else [])])


def subject(report: Report) -> str:
    """ "quantized_linear", or with the task that was graded alone "quantized_linear, forward"."""
    return report.exercise.slug + (f", {report.task}" if report.task else "")


def title(verdict: Verdict) -> str:
    """ "half_step: Every weight lies within half a step.\""""
    tier = " (hardened)" if verdict.check.hardened else ""
    return f"{verdict.check.name.removeprefix('test_')}{tier}: {verdict.check.claim}"


def seed_line(report: Report) -> str:
    return f"inputs of seed {report.seed}: HALFBITS_SEED={report.seed} repeats them"


def score_line(score: Mapping[str, float | str]) -> str:
    """ "medal gold, ratio 0.612, bytes 2,941,024, speed 0.98\", names and values in their order."""
    return clean(", ".join(f"{name} {_value(value)}" for name, value in score.items()))


def _value(value: float | str) -> str:
    if isinstance(value, str):
        return value
    return f"{value:,}" if isinstance(value, int) else f"{value:.3g}"


def _count(checks: int) -> str:
    return f"{checks} check{'' if checks == 1 else 's'}"


def clean(text: str) -> str:
    """`text` without control characters, which an answer could use to repaint the terminal.

    Lone surrogates are spelled out: no stream can write them.
    """
    return CONTROL.sub("", text).encode("utf-8", "backslashreplace").decode("utf-8")
