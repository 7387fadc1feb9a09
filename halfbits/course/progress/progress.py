"""What one person has solved, tried and opened: a JSON file in the user's data folder."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from halfbits.course.catalog import Catalog, Exercise
from halfbits.course.progress.store import stamp
from halfbits.errors import CourseError
from halfbits.folders import data_folder

# A longer gap between two gradings counts as a pause of this length.
PAUSE = 10 * 60.0


@dataclass
class Record:
    """One exercise: checks passed at last sight, tries, hint levels opened, seconds at work.

    `core` names the checks that make it solved.
    """

    passed: list[str] = field(default_factory=list)
    total: int = 0
    tries: int = 0
    hints: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    last: float = 0.0
    solved: str = ""
    core: list[str] = field(default_factory=list)

    @property
    def is_solved(self) -> bool:
        """Whether all core checks pass; in a record from before the tiers, all checks."""
        return {*self.core} <= {*self.passed} if self.core else self.is_hardened

    @property
    def is_hardened(self) -> bool:
        """Whether all checks pass, those of the second tier too."""
        return 0 < self.total <= len(self.passed)


def read_progress() -> dict[str, Record]:
    """The records by exercise key; a file that is not ours is moved aside, with one sentence."""
    path = data_folder() / "progress.json"
    try:
        saved = json.loads(path.read_text(encoding="utf-8"))["exercises"]
        return {key: Record(**record) for key, record in saved.items()}
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise _unusable(path, error) from error
    except (ValueError, KeyError, TypeError, AttributeError):
        aside = path.with_name(f"progress-unreadable-{stamp()}.json")
        path.replace(aside)
        print(f"halfbits: your progress could not be read; it was kept as {aside}", file=sys.stderr)
        return {}


@contextlib.contextmanager
def changing_progress() -> Iterator[dict[str, Record]]:
    """The records, written back whole when the block ends; one writer at a time."""
    path = data_folder() / "progress.json"
    with _lock(path.with_suffix(".lock")):
        records = read_progress()
        yield records
        content = {"version": 1, "exercises": {key: asdict(r) for key, r in records.items()}}
        fresh = path.with_suffix(f".{os.getpid()}.new")
        try:
            fresh.write_text(json.dumps(content, indent=1, sort_keys=True), encoding="utf-8")
            fresh.replace(path)
        except OSError as error:
            with contextlib.suppress(OSError):
                fresh.unlink()
            raise _unusable(path, error) from error


def record_hint(exercise: Exercise, task: str, level: int) -> None:
    """Remember the highest level of hint opened for `task`."""
    with changing_progress() as records:
        record = records.setdefault(exercise.key, Record())
        record.hints[task] = max(level, record.hints.get(task, 0))
        count_time(record)


def next_exercise(catalog: Catalog, records: dict[str, Record]) -> Exercise | None:
    """The first unsolved exercise whose prerequisites are solved; None when all are solved."""
    solved = {key for key, record in records.items() if record.is_solved}
    left = [exercise for exercise in catalog.exercises if exercise.key not in solved]
    ready = (exercise for exercise in left if solved.issuperset(exercise.prerequisites))
    return next(ready, left[0] if left else None)


def _unusable(path: Path, error: OSError) -> CourseError:
    return CourseError(
        f"{path} cannot be used ({error.strerror}): set HALFBITS_DATA to a folder of yours."
    )


def count_time(record: Record) -> None:
    """Add the time since the record was last touched, a longer pause as PAUSE."""
    now = time.time()
    record.seconds += min(max(0.0, now - record.last), PAUSE) if record.last else 0.0
    record.last = now


@contextlib.contextmanager
def _lock(path: Path) -> Iterator[None]:
    give_up = time.monotonic() + 2.0
    while True:
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
            break
        except FileExistsError:
            # A lock this old was left by a writer that died; writing takes milliseconds.
            if time.monotonic() > give_up:
                path.unlink(missing_ok=True)
        except OSError as error:
            raise _unusable(path, error) from error
        time.sleep(0.01)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def as_rows(catalog: Catalog, records: dict[str, Record]) -> list[dict[str, Any]]:
    """One row per exercise, in teaching order, for the terminal's and the book's tables."""
    rows = []
    for exercise in catalog.exercises:
        record = records.get(exercise.key, Record())
        rows.append({"exercise": exercise, "record": record, "minutes": round(record.seconds / 60)})
    return rows
