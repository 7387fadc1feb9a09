"""The exercises of a class and what each is worth, from the instructor's TOML file."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from halfbits.course.catalog import Catalog, Exercise
from halfbits.course.checklist import read_checks
from halfbits.course.grading.classroom.journal import Result
from halfbits.course.grading.report import PASSED
from halfbits.errors import CourseError

KNOWN = {"title", "hardened", "exercise"}


@dataclass(frozen=True)
class Points:
    """What each exercise of a class is worth, in the file's order.

    points = worth * ((1 - hardened) * core passed / core + hardened * second passed / second);
    an exercise without a second tier is judged by its core checks alone.
    """

    title: str
    worth: dict[str, float]
    hardened: float = 0.0

    def exercises(self, catalog: Catalog) -> list[Exercise]:
        return [catalog.by_key[key] for key in self.worth]

    def of(self, catalog: Catalog, result: Result) -> float | None:
        """The points of one result; None where nothing was judged."""
        if not result.is_judged:
            return None
        passed = {name for name, kind, _ in result.verdicts if kind == PASSED}
        tiers: tuple[list[bool], list[bool]] = ([], [])
        for check in read_checks(catalog.checks(catalog.by_key[result.exercise])):
            tiers[check.hardened].append(check.name in passed)
        core, second = tiers
        share = _share(core)
        if second:
            share = (1 - self.hardened) * share + self.hardened * _share(second)
        return round(self.worth[result.exercise] * share, 2)


def load_points(path: Path, catalog: Catalog) -> Points:
    """Read the file; whatever is wrong in it is one sentence, a CourseError."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        return _points(table, path.stem, catalog)
    except OSError as error:
        raise CourseError(f"{path} cannot be read: {error.strerror}.") from error
    except (ValueError, CourseError) as error:
        raise CourseError(f"{path}: {str(error).rstrip('.')}.") from error


def _points(table: Mapping[str, Any], stem: str, catalog: Catalog) -> Points:
    _only(table, KNOWN, "the file")
    entries = table.get("exercise")
    if not isinstance(entries, list) or not entries:
        raise ValueError("it lists no exercise: write [[exercise]] with key and points")
    worth: dict[str, float] = {}
    for entry in entries:
        key, points = _entry(entry, catalog)
        if key in worth:
            raise ValueError(f"{key} is listed twice")
        worth[key] = points
    share = _number(table.get("hardened", 0.0), "hardened")
    if not 0 <= share <= 1:
        raise ValueError(f"hardened is {share:g}, not a share from 0 to 1")
    title = table.get("title", stem)
    if not isinstance(title, str):
        raise ValueError(f"title is {title!r}, not a text")
    return Points(title, worth, share)


def _entry(entry: Any, catalog: Catalog) -> tuple[str, float]:
    if not isinstance(entry, dict) or not isinstance(entry.get("key"), str):
        raise ValueError("an [[exercise]] has no key")
    exercise = catalog.find(entry["key"])
    _only(entry, {"key", "points"}, exercise.key)
    if "points" not in entry:
        raise ValueError(f"{exercise.key} has no points")
    points = _number(entry["points"], f"the points of {exercise.key}")
    if points <= 0:
        raise ValueError(f"{exercise.key} is worth {points:g} points; a weight is above 0")
    return exercise.key, points


def _number(value: Any, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{what}: {value!r} is no number")
    return float(value)


def _only(table: Mapping[str, Any], known: set[str], where: str) -> None:
    if unknown := sorted(set(table) - known):
        raise ValueError(f"{where} has {unknown[0]!r}; known are {', '.join(sorted(known))}")


def _share(passed: list[bool]) -> float:
    return sum(passed) / len(passed) if passed else 0.0


def points_of(points: float | None, worth: float) -> str:
    """ "7.5 of 10"."""
    return f"{'not judged' if points is None else f'{points:g}'} of {worth:g}"
