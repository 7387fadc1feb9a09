"""The recipes: one for each engine and scheme, marked no higher than what was done with it."""

from __future__ import annotations

import ast
import json
import re
from datetime import date
from itertools import groupby

import pytest
from book_sources import ROOT

from halfbits.course.authoring.recipes import DOES, MARKS, Recipe, load_recipes
from halfbits.course.authoring.sphinx.recipes import all_of, chips, marks
from halfbits.course.interview.bank.links import bibliography_keys

BOOK = load_recipes(ROOT)
RECIPES = [recipe for engine in BOOK.engines for recipe in engine.recipes]
IDS = [f"{engine.id}, {recipe.title}" for engine in BOOK.engines for recipe in engine.recipes]
FOUND = json.loads((ROOT / "book" / "data" / "recipe_symbols.json").read_text(encoding="utf-8"))
PAGE = (ROOT / "book" / "recipes.md").read_text(encoding="utf-8")
EACH = pytest.mark.parametrize("recipe", RECIPES, ids=IDS)


def names_in(command: str) -> set[str]:
    """What a command takes from its engine: options, `key=` of a shell, classes, schemes."""
    code = re.sub(r"\s#.*", "", command)
    options = re.findall(r"(?<!\S)(--[a-z][\w-]+|-[a-z]{2,})", code)
    if "import " not in code:
        return {*options, *re.findall(r"(\w+)=", code)}
    classes = re.findall(r"\b(?:[A-Z][a-z]+\d*){2,}\w*", code)
    schemes = re.findall(r'"([A-Z][A-Z\d_]+)"', code)
    return {*classes, *schemes} - {"DIR", "MODEL"}


def plain(text: str) -> str:
    return text.replace("-", "_").strip("_").lower()


def test_seven_engines_do_or_do_not_do_each_of_five_schemes() -> None:
    assert len(BOOK.engines) == 7 and len(BOOK.schemes) == 5
    for engine in BOOK.engines:
        order = [scheme for scheme, _ in groupby(way.scheme for way in engine.recipes)]
        assert order == list(BOOK.schemes), engine.name


@EACH
def test_a_recipe_has_a_mark_a_date_and_a_source(recipe: Recipe) -> None:
    assert recipe.mark in MARKS
    assert date.fromisoformat(recipe.date).year >= 2026
    assert recipe.sources
    for source in recipe.sources:
        if "cite" in source:
            assert source["cite"] in bibliography_keys(ROOT)
        else:
            assert source["title"] and source["url"].startswith("https://")
    assert bool(recipe.command) == (recipe.mark != "absent")
    assert recipe.native or recipe.elsewhere or recipe.look


def test_the_table_of_chips_is_whole_and_read_in_the_source_of_its_engine() -> None:
    table = BOOK.chips
    assert table.engine in {engine.id for engine in BOOK.engines} and table.sources
    assert all(len(cells) == len(table.columns) for cells in table.rows.values())
    assert {cell for cells in table.rows.values() for cell in cells} == {*DOES}
    assert [package.name for package in BOOK.packages_of(table.evidence)] == [table.engine]
    shown = "\n".join(chips(BOOK))
    assert all(f"| {' | '.join(cells)} |" in shown for cells in table.rows.values())


@EACH
def test_evidence_stands_in_the_record_of_the_same_release(recipe: Recipe) -> None:
    recorded = {(one["file"], one["text"]): one for one in FOUND["found"]}
    for evidence in recipe.evidence:
        one = recorded[evidence.file, evidence.text]
        package = BOOK.package_of(evidence)
        assert one["package"] == package.name
        assert FOUND["packages"][package.name] == package.version
        assert one["line"] > 0 and one["reads"]


def test_the_record_holds_nothing_that_no_recipe_names() -> None:
    named = {(one.file, one.text) for one in BOOK.evidence}
    assert {(one["file"], one["text"]) for one in FOUND["found"]} == named
    assert FOUND["packages"] == {package.name: package.version for package in BOOK.packages}


@EACH
def test_every_name_of_a_checked_command_was_found_in_the_source(recipe: Recipe) -> None:
    if recipe.mark != "syntax":
        return
    assert recipe.evidence
    read = plain(" ".join(one.text for one in recipe.evidence))
    unread = [name for name in names_in(recipe.command) if plain(name) not in read]
    assert not unread, f"no evidence for {unread}"


@EACH
def test_what_ran_is_run_by_a_test_with_the_versions_of_the_course(recipe: Recipe) -> None:
    assert bool(recipe.test) == (recipe.mark == "run")
    if recipe.mark != "run":
        return
    path, _, name = recipe.test.partition("::")
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    pins = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    own = [one for one in BOOK.packages_of(recipe.evidence) if one.folder != "vendor"]
    assert own
    for package in own:
        pin = rf"^{re.escape(package.name)}=={re.escape(package.version)}\s"
        assert re.search(pin, pins, re.MULTILINE), f"{package.name}: run the recipe again"


@EACH
def test_python_parses_the_recipes_that_are_python(recipe: Recipe) -> None:
    if "import " in recipe.command:
        ast.parse(recipe.command)


def test_the_page_shows_every_engine_and_the_table_every_mark() -> None:
    shown = re.findall(r"^```\{recipes\} (\w+)$", PAGE, re.MULTILINE)
    assert shown == ["marks", "chips", *(engine.id for engine in BOOK.engines)]
    rows = list(marks(BOOK))[2:]
    for engine, row in zip(BOOK.engines, rows, strict=True):
        assert f"(recipes-{engine.id})=\n## {engine.name}\n" in PAGE
        text = "\n".join(all_of(BOOK, engine))
        for recipe in engine.recipes:
            assert recipe.command in text and MARKS[recipe.mark] in text and recipe.date in text
            assert MARKS[recipe.mark] in row


@pytest.mark.parametrize(
    ("command", "names"),
    [
        ("tool M --some-option 3 -ctk x -m y", {"--some-option", "-ctk"}),
        ("tool --extra key=1   # --not-this", {"--extra", "key"}),
        ('from a import OneThing\nf(OneThing(x="W8A8", y="Linear"))', {"OneThing", "W8A8"}),
    ],
)
def test_names_are_options_keys_classes_and_schemes(command: str, names: set[str]) -> None:
    assert names_in(command) == names
