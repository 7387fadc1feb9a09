"""What one person has solved, tried and opened: a JSON file of the store."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from halfbits.course.catalog import Catalog, Exercise, ReaderPath
from halfbits.course.progress import store
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
    path = _path()
    try:
        saved = store.read(path)
        return _records(saved) if saved is not None else {}
    except (KeyError, TypeError, AttributeError):
        store.set_aside(path)
        return {}
    except OSError as error:
        raise _unusable(path, error) from error


@contextlib.contextmanager
def changing_progress() -> Iterator[dict[str, Record]]:
    """The records, written back whole when the block ends; one writer at a time."""
    path = _path()
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(store.locked(path))
        except OSError as error:
            raise _unusable(path, error) from error
        records = read_progress()
        yield records
        content = {"version": 1, "exercises": {key: asdict(r) for key, r in records.items()}}
        try:
            store.write(path, content)
        except OSError as error:
            raise _unusable(path, error) from error


def record_hint(exercise: Exercise, task: str, level: int) -> None:
    """Remember the highest level of hint opened for `task`."""
    with changing_progress() as records:
        record = records.setdefault(exercise.key, Record())
        record.hints[task] = max(level, record.hints.get(task, 0))
        count_time(record)


def next_exercise(
    catalog: Catalog, records: dict[str, Record], path: ReaderPath | None = None
) -> Exercise | None:
    """The first unsolved exercise of `path` whose prerequisites are solved; None: all are solved.

    Without a path, the first of all.
    """
    solved = {key for key, record in records.items() if record.is_solved}
    left = [exercise for exercise in catalog.along(path) if exercise.key not in solved]
    ready = (exercise for exercise in left if solved.issuperset(exercise.prerequisites))
    return next(ready, left[0] if left else None)


def _path() -> Path:
    return data_folder() / "progress.json"


def _records(saved: dict[str, Any]) -> dict[str, Record]:
    return {key: Record(**record) for key, record in saved["exercises"].items()}


def _unusable(path: Path, error: OSError) -> CourseError:
    return CourseError(
        f"{path} cannot be used ({error.strerror}): set HALFBITS_DATA to a folder of yours."
    )


def count_time(record: Record) -> None:
    """Add the time since the record was last touched, a longer pause as PAUSE."""
    now = time.time()
    record.seconds += min(max(0.0, now - record.last), PAUSE) if record.last else 0.0
    record.last = now


def as_rows(
    catalog: Catalog, records: dict[str, Record], path: ReaderPath | None = None
) -> list[dict[str, Any]]:
    """One row per exercise of `path`, by topic and in teaching order, for the terminal's table."""
    topics = list(dict.fromkeys(exercise.topic for exercise in catalog.exercises))
    rows = []
    for exercise in sorted(catalog.along(path), key=lambda one: topics.index(one.topic)):
        record = records.get(exercise.key, Record())
        rows.append({"exercise": exercise, "record": record, "minutes": round(record.seconds / 60)})
    return rows
