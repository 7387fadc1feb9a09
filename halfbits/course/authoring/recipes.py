"""Commands of engines for quantized models, each with its mark, its date and where it was read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

RECIPES = Path("book") / "recipes.yaml"
# What happens to a file on a chip: all of it multiplied as stored; weights stored, products in 16
# bits; everything dequantized in each pass; nothing.
DOES = ("native", "weights only", "emulated", "refused")
# What was done with a command. What stands nowhere ran; nothing is marked higher than it was done.
MARKS = {
    "run": "run here",
    "syntax": "checked for syntax",
    "documented": "documented, not run",
    "absent": "not there",
}


@dataclass(frozen=True)
class Package:
    """A release that evidence is read from; `folder` is its first folder in a wheel or sdist."""

    name: str
    version: str
    folder: str


@dataclass(frozen=True)
class Evidence:
    """`text` stands in `file` of a package: an option, a class, a list of kernels."""

    file: str
    text: str

    @property
    def folder(self) -> str:
        return self.file.partition("/")[0]


@dataclass(frozen=True)
class Recipe:
    """One way in which an engine does a scheme, called `title`.

    `command` is empty where it does not (`mark` "absent"); `test` runs what is marked "run".
    """

    scheme: str
    title: str
    command: str
    mark: str
    date: str
    native: str
    elsewhere: str
    look: str
    evidence: tuple[Evidence, ...]
    sources: tuple[Mapping[str, str], ...]
    test: str


@dataclass(frozen=True)
class Engine:
    """An engine and its recipes in the order of the schemes."""

    id: str
    name: str
    recipes: tuple[Recipe, ...]


@dataclass(frozen=True)
class Chips:
    """What one engine does with the same file on each chip: a word of `DOES` for each column."""

    engine: str
    date: str
    columns: tuple[str, ...]
    rows: Mapping[str, tuple[str, ...]]
    evidence: tuple[Evidence, ...]
    sources: tuple[Mapping[str, str], ...]


@dataclass(frozen=True)
class Book:
    """All of the file: names of schemes, packages, the table of chips, and engines."""

    schemes: Mapping[str, str]
    packages: tuple[Package, ...]
    chips: Chips
    engines: tuple[Engine, ...]

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """All evidence, each piece once."""
        recipes = (recipe for engine in self.engines for recipe in engine.recipes)
        pieces = (piece for recipe in recipes for piece in recipe.evidence)
        return tuple(dict.fromkeys([*self.chips.evidence, *pieces]))

    def package_of(self, evidence: Evidence) -> Package:
        """The package whose file it is."""
        return next(one for one in self.packages if one.folder == evidence.folder)

    def packages_of(self, evidence: Sequence[Evidence]) -> list[Package]:
        """The packages that evidence is from, each once."""
        return list(dict.fromkeys(map(self.package_of, evidence)))


def load_recipes(root: Path) -> Book:
    """The recipes of the course at `root`."""
    book = yaml.safe_load((root / RECIPES).read_text(encoding="utf-8"))
    packages = tuple(Package(**entry) for entry in book["packages"])
    schemes = book["schemes"]
    engines = tuple(
        Engine(one["id"], one["name"], tuple(_recipe(way, schemes) for way in one["recipes"]))
        for one in book["engines"]
    )
    return Book(schemes, packages, _chips(book["chips"]), engines)


def _chips(entry: dict[str, Any]) -> Chips:
    return Chips(
        engine=entry["engine"],
        date=str(entry["date"]),
        columns=tuple(entry["columns"]),
        rows={name: tuple(cells) for name, cells in entry["rows"].items()},
        evidence=tuple(Evidence(*pair) for pair in entry["evidence"]),
        sources=tuple(entry["sources"]),
    )


def _recipe(entry: dict[str, Any], schemes: Mapping[str, str]) -> Recipe:
    return Recipe(
        scheme=entry["scheme"],
        title=entry.get("title", schemes[entry["scheme"]]),
        command=entry.get("command", "").rstrip(),
        mark=entry["mark"],
        date=str(entry["date"]),
        native=entry.get("native", ""),
        elsewhere=entry.get("elsewhere", ""),
        look=entry.get("look", ""),
        evidence=tuple(Evidence(*pair) for pair in entry.get("evidence", ())),
        sources=tuple(entry.get("sources", ())),
        test=entry.get("test", ""),
    )
