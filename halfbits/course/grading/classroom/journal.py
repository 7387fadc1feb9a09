"""The results of a class run, kept in a file as they arrive, so that a stopped run can go on."""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from halfbits.course.grading.report import PASSED
from halfbits.errors import CourseError

TRIES = 3
NOT_JUDGED = f"not judged: {TRIES} times the process that graded it was ended from outside"
# Student, exercise, hash of the submission, hash of the checks, seed.
Identity = tuple[str, str, str, str, int]


@dataclass(frozen=True)
class Result:
    """How one student's exercise ended; `verdicts` are (check, kind, message)."""

    student: str
    exercise: str
    submission: str
    checks: str
    seed: int
    summary: str
    problem: str | None
    verdicts: tuple[tuple[str, str, str], ...]
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
    worker: str = ""
    score: dict[str, float | str] = field(default_factory=dict)

    @property
    def passed(self) -> int:
        return sum(kind == PASSED for _, kind, _ in self.verdicts)

    @property
    def total(self) -> int:
        return len(self.verdicts)

    @property
    def is_judged(self) -> bool:
        """Whether its answer was graded at all."""
        return NOT_JUDGED not in (self.problem or "")

    @property
    def identity(self) -> Identity:
        """Two results of the same identity have the same verdicts."""
        return self.student, self.exercise, self.submission, self.checks, self.seed


class Journal:
    """The results of a class run, a JSON line each, so that an interrupted run can go on."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.seed: int | None = None
        self.results: dict[Identity, Result] = {}
        self.tries: Counter[Identity] = Counter()
        with contextlib.suppress(FileNotFoundError):
            for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
                with contextlib.suppress(ValueError, KeyError, TypeError, AttributeError):
                    self._remember(json.loads(line))
            self._append("")  # a run that was killed may have left half a line

    def begin(self, seed: int) -> None:
        """Note the seed of all that follows."""
        self.seed = seed
        self._append(json.dumps({"seed": seed}))

    def add(self, result: Result) -> None:
        self.results[result.identity] = result
        self._append(json.dumps({"result": asdict(result)}))

    def trying(self, identity: Identity) -> None:
        """Note that a submission is about to run: it may end this very process."""
        self.tries[identity] += 1
        self._append(json.dumps({"trying": identity}))

    def forgive(self) -> None:
        """Note that the run was stopped by a person: what was running is no suspect."""
        self.tries.clear()
        self._append(json.dumps({"forgiven": True}))

    def _remember(self, entry: dict[str, Any]) -> None:
        self.seed = entry.get("seed", self.seed)
        if "forgiven" in entry:
            self.tries.clear()
        if "trying" in entry:
            student, exercise, submission, checks, seed = entry["trying"]
            self.tries[student, exercise, submission, checks, seed] += 1
        elif "result" in entry:
            raw = entry["result"]
            verdicts = tuple((name, kind, text) for name, kind, text in raw["verdicts"])
            found = Result(**{**raw, "verdicts": verdicts, "notes": tuple(raw["notes"])})
            self.results[found.identity] = found

    def _append(self, line: str) -> None:
        try:
            with self.path.open("a", encoding="utf-8", newline="\n") as file:
                file.write(line + "\n")
        except OSError as error:
            raise CourseError(f"{self.path} cannot be written: {error}.") from error
