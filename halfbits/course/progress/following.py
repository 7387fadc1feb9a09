"""Which exercise comes next on a path, and why, in one sentence."""

from __future__ import annotations

from dataclasses import dataclass

from halfbits.course.catalog import Catalog, Exercise, ReaderPath
from halfbits.course.progress import store
from halfbits.course.progress.progress import Record, next_exercise

FILE = "path.json"


@dataclass(frozen=True)
class Following:
    """The exercise to open next, and the reason as a sentence."""

    exercise: Exercise
    why: str


def following(
    catalog: Catalog, records: dict[str, Record], path: ReaderPath | None = None
) -> Following | None:
    """The next exercise of `path`: the first open one, else the first not hardened; None: done."""
    open_one = next_exercise(catalog, records, path)
    if open_one is not None:
        return Following(open_one, _why_open(catalog, records, path, open_one))
    for exercise in catalog.along(path):
        record = records[exercise.key]
        if not record.is_hardened:
            left = record.total - len(record.passed)
            why = f"All of {_called(path)} is solved; here {_checks(left)} of production is open."
            return Following(exercise, why)
    return None


def chosen_path(catalog: Catalog, name: str | None = None) -> ReaderPath | None:
    """The path called `name`, which is remembered; without a name, the one remembered, if any.

    Raises CourseError for a name that no path has.
    """
    file = store.folder() / FILE
    if name is None:
        kept = (store.read(file) or {}).get("path")
        return next((path for path in catalog.paths if path.name == kept), None)
    path = catalog.path(name)
    with store.locked(file):
        store.write(file, {"version": 1, "path": path.name})
    return path


def _why_open(
    catalog: Catalog, records: dict[str, Record], path: ReaderPath | None, exercise: Exercise
) -> str:
    record = records.get(exercise.key, Record())
    if record.passed:
        return f"You have begun it: {len(record.passed)} of {_checks(record.total)} pass."
    if needs := [catalog.by_key[key].title for key in exercise.prerequisites]:
        return f"It builds on {_listed(needs)}, which you have solved."
    own = catalog.along(path)
    later = [other.title for other in own if exercise.key in other.prerequisites]
    if later:
        return f"{_listed(later)} {'build' if len(later) > 1 else 'builds'} on it."
    return f"It is number {own.index(exercise) + 1} of the {len(own)} of {_called(path)}."


def _called(path: ReaderPath | None) -> str:
    return f"the path {path.name!r}" if path else "the course"


def _listed(titles: list[str]) -> str:
    """Titles in quotation marks as a list: one, two, or the first two and how many more."""
    shown = [f"\u201c{title}\u201d" for title in titles[:2]]
    if len(titles) > 2:
        shown.append(f"{len(titles) - 2} more")
    return " and ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else shown[0]


def _checks(count: int) -> str:
    return f"{count} check{'' if count == 1 else 's'}"
