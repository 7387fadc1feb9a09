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
class Catalog:
    """The exercises of the checkout at `root`, in teaching order.

    Raises ValueError where two have one slug: commands and files name an exercise by it.
    """

    root: Path
    exercises: tuple[Exercise, ...]

    def __post_init__(self) -> None:
        for first, second in itertools.combinations(self.exercises, 2):
            if first.slug == second.slug:
                raise ValueError(f"{first.key} and {second.key} have the same name")

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
        return Catalog(root, tuple(_exercise(entry) for entry in table["exercise"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CourseError(f"{path} cannot be read: {error}; restore it with git.") from error


def _exercise(entry: Mapping[str, Any]) -> Exercise:
    lists = ("tasks", "preload", "prerequisites", "questions")
    values: dict[str, Any] = {k: tuple(v) if k in lists else v for k, v in entry.items()}
    return Exercise(**values)
