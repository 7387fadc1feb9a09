"""The code cells of a lesson's page: the method is shown, and what shows and checks it is folded.

A cell becomes up to three, so that each part has its fold: `<id>-before`, `<id>`, `<id>-after`.
Its outputs stand below the last part, prints that only glued numbers part in one block.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from sphinx.application import Sphinx

from halfbits.course.authoring.bookkeeping import Part, parts, used_later

Json = dict[str, Any]


def fold_bookkeeping(app: Sphinx, docname: str, source: list[str]) -> None:
    """Make a lesson's page from the parts of its cells."""
    if docname.startswith("notebooks/"):
        notebook = json.loads(source[0])
        notebook["cells"] = list(cells_of_page(notebook["cells"]))
        source[0] = json.dumps(notebook)


def cells_of_page(cells: list[Json]) -> Iterator[Json]:
    """The cells of a notebook, code cells in their parts."""
    codes = ["".join(cell["source"]) if cell["cell_type"] == "code" else "" for cell in cells]
    for cell, code, used in zip(cells, codes, used_later(codes), strict=True):
        if code:
            yield from in_parts(cell, parts(code, used))
        else:
            yield cell


def in_parts(cell: Json, found: list[Part]) -> Iterator[Json]:
    """One cell for each part; the method, or else the last part, keeps the cell's name."""
    main = next((i for i, part in enumerate(found) if not part.summary), len(found) - 1)
    for number, part in enumerate(found):
        side = "" if number == main else "-before" if number < main else "-after"
        yield {
            **cell,
            "id": cell["id"] + side,
            "metadata": with_fold(cell["metadata"], part.summary),
            "source": part.source,
            "outputs": joined(cell["outputs"]) if number == len(found) - 1 else [],
        }


def with_fold(metadata: Json, summary: str) -> Json:
    """A cell's metadata with the tag that folds its code, and the line that says what is inside."""
    if not summary:
        return metadata
    told = f"How this was measured: {summary}"
    prompts = {"code_prompt_show": told, "code_prompt_hide": told}
    return {**metadata, "tags": [*metadata.get("tags", []), "hide-input"], "mystnb": prompts}


def joined(outputs: list[Json]) -> list[Json]:
    """The outputs with what is printed in one block, also where glued numbers stood between."""
    shown: list[Json] = []
    glued = [output for output in outputs if "scrapbook" in output.get("metadata", {})]
    for output in (output for output in outputs if output not in glued):
        if shown and "name" in output and shown[-1].get("name") == output["name"]:
            shown[-1] = {**output, "text": [*shown[-1]["text"], *output["text"]]}
        else:
            shown.append(output)
    return shown + glued


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("source-read", fold_bookkeeping)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
