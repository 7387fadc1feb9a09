"""The exercises in their order, read from exercises/course.toml, and where their files lie."""

from __future__ import annotations

import difflib
import itertools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from halfbits.errors import CourseError
from halfbits.folders import CATALOG, find_root

# What the learner does: write a function, repair a program with a planted fault, or measure.
KINDS = ("write", "repair", "measure")


@dataclass(frozen=True)
class Exercise:
    """One graded exercise: `key` is "<topic>/<slug>", its path under exercises/ and solutions/.

    Raises ValueError for a kind that is none of KINDS.
    """

    key: str
    title: str
    minutes: int
    difficulty: int
    importance: int
    tasks: tuple[str, ...]
    time_limit: float
    preload: tuple[str, ...]
    prerequisites: tuple[str, ...] = ()
    questions: tuple[int, ...] = ()
    kind: str = "write"

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"{self.key} is of kind {self.kind!r}, not one of {', '.join(KINDS)}")

    @property
    def topic(self) -> str:
        return self.key.split("/")[0]

    @property
    def slug(self) -> str:
        return self.key.split("/")[1]


@dataclass(frozen=True)
class ReaderPath:
    """A way through the exercises for one kind of reader; no `exercises` means all of them."""

    name: str
    title: str
    exercises: tuple[str, ...] = ()


@dataclass(frozen=True)
class Catalog:
    """The exercises of the checkout at `root`, in teaching order, and the paths through them.

    Raises ValueError where two exercises have one slug, since commands and files name an exercise
    by it, and where a path lacks what one of its exercises builds on.
    """

    root: Path
    exercises: tuple[Exercise, ...]
    paths: tuple[ReaderPath, ...] = ()

    def __post_init__(self) -> None:
        for first, second in itertools.combinations(self.exercises, 2):
            if first.slug == second.slug:
                raise ValueError(f"{first.key} and {second.key} have the same name")
        for path in self.paths:
            if missing := self._missing(path):
                raise ValueError(f"the path {path.name} lacks {', '.join(sorted(missing))}")

    @cached_property
    def by_key(self) -> dict[str, Exercise]:
        return {exercise.key: exercise for exercise in self.exercises}

    @property
    def own_folder(self) -> Path:
        """Where the learner's own notebooks lie."""
        return self.root / "exercises"

    def notebook(self, exercise: Exercise, folder: str = "exercises") -> Path:
        return self.root / folder / exercise.topic / f"{exercise.slug}.ipynb"

    def checks(self, exercise: Exercise) -> Path:
        return self.root / "exercises" / exercise.topic / f"test_{exercise.slug}.py"

    def path(self, name: str) -> ReaderPath:
        """The path called `name`; raises CourseError."""
        for path in self.paths:
            if path.name == name:
                return path
        known = ", ".join(path.name for path in self.paths)
        raise CourseError(f"There is no path called {name!r}; the paths are {known}.")

    def along(self, path: ReaderPath | None) -> tuple[Exercise, ...]:
        """The exercises of a path in teaching order; without one, all."""
        wanted = set(path.exercises) if path else set()
        return tuple(e for e in self.exercises if not wanted or e.key in wanted)

    def _missing(self, path: ReaderPath) -> set[str]:
        """What a path names that does not exist, and what its exercises need that it lacks."""
        own = set(path.exercises)
        needed = {key for e in self.exercises if e.key in own for key in e.prerequisites}
        return (own - self.by_key.keys()) | (needed - own)

    def find(self, name: str) -> Exercise:
        """The exercise called `name`: its key, its slug, or a path to one of its files."""
        wanted = name.replace("\\", "/")
        stem = Path(wanted).stem.removeprefix("test_")
        for exercise in self.exercises:
            if wanted in (exercise.key, exercise.slug) or stem == exercise.slug:
                return exercise
        raise CourseError(self._unknown(name, stem))

    def _unknown(self, name: str, stem: str) -> str:
        slugs = {exercise.slug: exercise.key for exercise in self.exercises}
        near = difflib.get_close_matches(stem.lower(), [*slugs, *self.by_key], n=1, cutoff=0.4)
        known = ", ".join(slugs.values())
        if not near:
            return f"There is no exercise called {name!r}; the exercises are {known}."
        return f"There is no exercise called {name!r}; did you mean {slugs.get(near[0], near[0])}?"


def load_catalog(root: Path | None = None) -> Catalog:
    """Read the catalog of the checkout at `root` (found by `find_root` when left out)."""
    root = root or find_root()
    path = root / CATALOG
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        exercises = tuple(_exercise(entry) for entry in table["exercise"])
        return Catalog(root, exercises, tuple(_path(entry) for entry in table.get("path", ())))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CourseError(f"{path} cannot be read: {error}; restore it with git.") from error


def _exercise(entry: Mapping[str, Any]) -> Exercise:
    lists = ("tasks", "preload", "prerequisites", "questions")
    values: dict[str, Any] = {k: tuple(v) if k in lists else v for k, v in entry.items()}
    return Exercise(**values)


def _path(entry: Mapping[str, Any]) -> ReaderPath:
    return ReaderPath(entry["name"], entry["title"], tuple(entry.get("exercises", ())))
