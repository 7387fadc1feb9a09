"""What every page made from a notebook gets: its title, folds, anchors and a bar for JupyterLab."""

from __future__ import annotations

import json
import re
from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

from halfbits.course.authoring.sphinx.interview_pages import bank_of, page_of

CELLS = "hb_cells"
RUN_BAR = """</h1>
<div class="hb-run" data-lab="{lab}">
<a class="hb-open" role="link" hidden>Open in JupyterLab</a>
<span class="hb-note">To run this page: <code>python course.py start</code></span>
<a href="{source}" download>Download the notebook</a>
</div>"""


def show_solution(app: Sphinx, docname: str, source: list[str]) -> None:
    """Make a solution's page say that it is one, without hints and with its answers folded.

    The cells that only check the solution are for its author.
    """
    if not docname.startswith("solutions/"):
        return
    notebook = json.loads(source[0])
    cells = [cell for cell in notebook["cells"] if not is_left_out(cell)]
    for cell in cells:
        if "answer" in tags_of(cell):
            cell["metadata"]["tags"] = [*tags_of(cell), "hide-input"]
    title = "".join(cells[0]["source"])
    cells[0]["source"] = re.sub(r"^# ", "# Solution: ", title, count=1)
    source[0] = json.dumps({**notebook, "cells": cells})


def is_left_out(cell: dict[str, Any]) -> bool:
    """Whether a cell is a hint, or a check of the author's: a second way and what follows stay."""
    tags = tags_of(cell)
    return "hint" in tags or ("solution-only" in tags and cell["id"].endswith("-check"))


def tags_of(cell: dict[str, Any]) -> list[str]:
    return cell["metadata"].get("tags", [])


def ask_next(app: Sphinx, docname: str, source: list[str]) -> None:
    """End a solution with the questions of the bank that its exercise trains."""
    if not docname.startswith("solutions/"):
        return
    key = docname.removeprefix("solutions/")
    bank = sorted(bank_of(Path(app.srcdir)).questions, key=lambda question: question.slug)
    asked = [question for question in bank if key in question.exercises]
    if not asked:
        return
    for question in asked:  # a text that changes is read again
        app.env.note_dependency(str(question.path))
    links = "\n".join(
        f'- <a href="../../{page_of(one, "en")}.html#{one.slug}">{one.texts["en"].question}</a>'
        for one in asked
    )
    text = f"## Questions that this exercise prepares for\n\n{links}"
    notebook = json.loads(source[0])
    cell = {"cell_type": "markdown", "id": "asked-next", "metadata": {}, "source": text}
    notebook["cells"].append(cell)
    source[0] = json.dumps(notebook)


def remember_cells(app: Sphinx, docname: str, source: list[str]) -> None:
    """Note the names of the cells that a page is made from."""
    if app.env.doc2path(docname).endswith(".ipynb"):
        cells = json.loads(source[0])["cells"]
        app.env.temp_data[CELLS] = [cell.get("id", "") for cell in cells]


def name_cells(app: Sphinx, doctree: nodes.document) -> None:
    """Give each code cell the anchor `cell-<id>`, so that a question can link to its proof."""
    names = app.env.temp_data.get(CELLS, [])
    for box in doctree.findall(nodes.container):
        if box.get("nb_element") == "cell_code" and names[box["cell_index"]]:
            box["ids"].append(f"cell-{names[box['cell_index']]}")


def reread_quoting_pages(
    app: Sphinx, env: Any, added: set[str], changed: set[str], removed: set[str]
) -> set[str]:
    """Read the pages under book/ again when a notebook changed: they quote its numbers.

    Those of the interview part quote none; interview.py knows when they change.
    """
    if any(name.startswith("notebooks/") for name in added | changed):
        quoting = {name for name in env.found_docs if name.startswith("book/")}
        return {name for name in quoting if not name.startswith("book/interview/")}
    return set()


def add_run_bar(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any
) -> None:
    """Put the bar under the title; on pages that the server marks, a script shows its button."""
    body = context.get("body")
    if not body or not context.get("sourcename", "").endswith(".ipynb"):
        return
    up = "../" * (page.count("/") + 1)
    source = context["pathto"](f"_sources/{context['sourcename']}", 1)
    bar = RUN_BAR.format(lab=escape(f"{up}lab/tree/{page}.ipynb"), source=escape(source))
    context["body"] = body.replace("</h1>", bar, 1)


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("source-read", show_solution)
    app.connect("source-read", ask_next)
    app.connect("source-read", remember_cells, priority=900)
    app.connect("doctree-read", name_cells)
    app.connect("env-get-outdated", reread_quoting_pages)
    app.connect("html-page-context", add_run_bar)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
