"""The directive `recipes`: the tables `marks` and `chips`, or the recipes of one engine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from halfbits.course.authoring.recipes import (
    MARKS,
    RECIPES,
    Book,
    Engine,
    Evidence,
    Recipe,
    load_recipes,
)

SAID = {"native": "Runs natively", "elsewhere": "Elsewhere", "look": "Look for"}


class Recipes(SphinxDirective):
    """`{recipes} ENGINE`: for each scheme the command, its mark, and what runs where."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        root, page, asked = Path(self.env.srcdir), self.env.docname, self.arguments[0]
        self.env.note_dependency(str(root / RECIPES))
        book = load_recipes(root)
        engines = {engine.id: engine for engine in book.engines}
        if asked in TABLES:
            lines = TABLES[asked](book)
        elif asked in engines:
            lines = all_of(book, engines[asked])
        else:
            raise self.error(f"no engine in {RECIPES} is called {asked!r}")
        box = nodes.container()
        self.state.nested_parse(StringList(list(lines), source=page), self.content_offset, box)
        return box.children


def marks(book: Book) -> Iterator[str]:
    """The table of engines and schemes: what was done, of all ways to do a scheme."""
    yield f"| Engine | {' | '.join(book.schemes.values())} |"
    yield "|---" * (len(book.schemes) + 1) + "|"
    for engine in book.engines:
        cells = [
            "; ".join(dict.fromkeys(MARKS[w.mark] for w in engine.recipes if w.scheme == scheme))
            for scheme in book.schemes
        ]
        yield f"| [{engine.name}](#recipes-{engine.id}) | {' | '.join(cells)} |"


def chips(book: Book) -> Iterator[str]:
    """The table of chips: what one release does with the same file on each."""
    table = book.chips
    yield f"| File | {' | '.join(table.columns)} |"
    yield "|---" * (len(table.columns) + 1) + "|"
    for name, cells in table.rows.items():
        yield f"| {name} | {' | '.join(cells)} |"
    yield ""
    read = " and ".join(released(book, table.evidence))
    yield f"Read in the source of {read}, {table.date}. {sources(table.sources)}"


TABLES = {"marks": marks, "chips": chips}


def all_of(book: Book, engine: Engine) -> Iterator[str]:
    """MyST lines of an engine's recipes."""
    for recipe in engine.recipes:
        yield from written(book, recipe)


def written(book: Book, recipe: Recipe) -> Iterator[str]:
    """MyST lines of one recipe."""
    yield f"**{recipe.title}**: {done(book, recipe)}"
    yield ""
    if recipe.command:
        yield f"```{'python' if 'import ' in recipe.command else 'text'}"
        yield from recipe.command.splitlines()
        yield "```"
        yield ""
    for field, head in SAID.items():
        if text := getattr(recipe, field):
            yield f"- {head}: {text}"
    yield f"- {sources(recipe.sources)}"
    yield ""


def done(book: Book, recipe: Recipe) -> str:
    """The mark in words, with versions and date."""
    read = " and ".join(released(book, recipe.evidence))
    words = {
        "run": f"*run here* with {read}",
        "syntax": f"*checked for syntax* against {read}",
        "documented": "*documented, not run*" + (f"; names checked in {read}" if read else ""),
        "absent": "*not there*" + (f" in {read}" if read else ""),
    }
    return f"{words[recipe.mark]}, {recipe.date}."


def released(book: Book, evidence: Sequence[Evidence]) -> list[str]:
    """The releases that evidence is from, each once."""
    return [f"{one.name} {one.version}" for one in book.packages_of(evidence)]


def sources(entries: Sequence[Mapping[str, str]]) -> str:
    return f"Sources: {', '.join(map(source, entries))}"


def source(entry: Mapping[str, str]) -> str:
    if "cite" in entry:
        return f"{{cite:t}}`{entry['cite']}`"
    return f"[{entry['title']}]({entry['url']})"


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("recipes", Recipes)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
