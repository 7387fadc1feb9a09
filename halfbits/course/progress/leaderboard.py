"""The best scores of exercises that give one: a file of the user's, and how several are merged."""

from __future__ import annotations

import getpass
import json
import math
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from halfbits.course.progress import store
from halfbits.errors import CourseError

FILE = "leaderboard.json"


@dataclass(frozen=True)
class Entry:
    """One person's best score in one exercise; the smaller `ratio` is the better."""

    exercise: str
    name: str
    medal: str
    ratio: float
    bytes: int
    speed: float
    date: str = ""


def entry_of(exercise: str, name: str, score: dict[str, float | str]) -> Entry:
    """The entry for what a report measured. Raises KeyError for a score that lacks a part."""
    ratio, speed = float(score["ratio"]), float(score["speed"])
    today = datetime.now().date().isoformat()
    return Entry(exercise, name, str(score["medal"]), ratio, int(score["bytes"]), speed, today)


def remember(exercise: str, score: dict[str, float | str]) -> None:
    """Add a score to the user's own file, which keeps the best of each exercise."""
    path = store.folder() / FILE
    with store.locked(path):
        known = _entries(store.read(path) or {}, path)
        best = merged([*known, entry_of(exercise, user_name(), score)])
        store.write(path, _content(best))


def read_board(path: Path | None = None) -> list[Entry]:
    """The entries of a file, or of the user's own; raises CourseError."""
    own = store.folder() / FILE
    if path is None:
        return _entries(store.read(own) or {}, own)
    try:
        return _entries(json.loads(path.read_text(encoding="utf-8")), path)
    except OSError as error:
        raise CourseError(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise CourseError(f"{path} is no leaderboard: {error}.") from error


def write_board(path: Path, entries: Iterable[Entry]) -> None:
    """Write a file that `read_board` reads; raises CourseError."""
    try:
        store.write(path, _content(entries))
    except OSError as error:
        raise CourseError(f"{path} cannot be written: {error.strerror}.") from error


def merged(entries: Iterable[Entry]) -> list[Entry]:
    """The best entry of each person in each exercise, best first."""
    best: dict[tuple[str, str], Entry] = {}
    for entry in entries:
        kept = best.setdefault((entry.exercise, entry.name), entry)
        if (entry.ratio, entry.bytes) < (kept.ratio, kept.bytes):
            best[entry.exercise, entry.name] = entry
    return sorted(best.values(), key=lambda one: (one.exercise, one.ratio, one.bytes, one.name))


def user_name() -> str:
    """HALFBITS_NAME, else the login name."""
    try:
        return os.environ.get("HALFBITS_NAME") or getpass.getuser()
    except (OSError, KeyError):
        return "somebody"


def _content(entries: Iterable[Entry]) -> dict[str, Any]:
    return {"version": 1, "entries": [asdict(entry) for entry in entries]}


def _entries(content: Any, path: Path) -> list[Entry]:
    try:
        return [_entry(raw) for raw in content.get("entries", [])]
    except (AttributeError, TypeError, KeyError, ValueError) as error:
        raise CourseError(f"{path} is no leaderboard: an entry lacks its parts.") from error


def _entry(raw: dict[str, Any]) -> Entry:
    entry = Entry(**{field.name: raw[field.name] for field in fields(Entry)})
    numbers = (entry.ratio, entry.bytes, entry.speed)
    texts = (entry.exercise, entry.name, entry.medal, entry.date)
    if not all(isinstance(one, str) for one in texts) or not all(map(math.isfinite, numbers)):
        raise ValueError("an entry has a value of another type")
    return entry
