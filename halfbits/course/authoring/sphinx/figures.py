"""Figures of notebooks: in the page itself, in the theme's colors, with their text alternative.

`halfbits.plots.show` stores a figure as SVG and PNG, and the alternative in the output's metadata,
where MyST-NB does not look. MyST-NB names an image's file after the hash of its bytes, so that hash
finds the image again. The pages hold the SVG; other forms of the book take what they can show.
"""

from __future__ import annotations

import hashlib
import json
from binascii import a2b_base64
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

from halfbits.course.authoring.sphinx.plot_colors import themed

ALTERNATIVES = "hb_alternatives"
KINDS = ("image/png", "image/svg+xml")


def collect_alternatives(app: Sphinx, docname: str, source: list[str]) -> None:
    """Remember the text alternatives of the page that is being read."""
    if app.env.doc2path(docname).endswith(".ipynb"):
        app.env.temp_data[ALTERNATIVES] = dict(alternatives(json.loads(source[0])))


def alternatives(notebook: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Pairs of an image's SHA-256 and its text alternative."""
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            for kind in KINDS:
                if alt := output.get("metadata", {}).get(kind, {}).get("alt"):
                    yield name_of(kind, "".join(output["data"][kind])), alt


def name_of(kind: str, data: str) -> str:
    """What MyST-NB calls the file of an image."""
    plain = data.encode() if kind == "image/svg+xml" else a2b_base64(data)
    return hashlib.sha256(plain).hexdigest()


def describe_images(app: Sphinx, doctree: nodes.document) -> None:
    """Give every image of the page its text alternative, and its size, so that it keeps a place."""
    known = app.env.temp_data.get(ALTERNATIVES, {})
    for image in doctree.findall(nodes.image):
        image["loading"] = "lazy"
        if alt := known.get(PurePosixPath(image["uri"].replace("\\", "/")).stem):
            image["alt"] = alt


def draw_in_page(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Put the plots into the page: it colors them, and they need no file of their own."""
    if app.builder.format != "html" or app.builder.name == "epub":
        return
    for number, image in enumerate(list(doctree.findall(nodes.image))):
        file = Path(app.srcdir) / image["uri"]
        if file.suffix == ".svg" and image.get("alt") and "jupyter_execute" in image["uri"]:
            drawn = themed(file.read_text(encoding="utf-8"), image["alt"], f"plot{number}")
            image.parent.replace(image, nodes.raw("", drawn, format="html"))


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("source-read", collect_alternatives)
    app.connect("doctree-read", describe_images)
    app.connect("doctree-resolved", draw_in_page)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
