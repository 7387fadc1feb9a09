"""Figures of notebooks: their text alternative, and loading when they come into view.

`halfbits.plots.show` stores the alternative in the output's metadata, where MyST-NB does not look.
MyST-NB names an image's file after the hash of its bytes, so that hash finds the image again.
"""

from __future__ import annotations

import hashlib
import json
from binascii import a2b_base64
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

ALTERNATIVES = "hb_alternatives"


def collect_alternatives(app: Sphinx, docname: str, source: list[str]) -> None:
    """Remember the text alternatives of the page that is being read."""
    if app.env.doc2path(docname).endswith(".ipynb"):
        app.env.temp_data[ALTERNATIVES] = dict(alternatives(json.loads(source[0])))


def alternatives(notebook: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Pairs of an image's SHA-256 and its text alternative."""
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            alt = output.get("metadata", {}).get("image/png", {}).get("alt")
            if alt:
                data = "".join(output["data"]["image/png"])
                yield hashlib.sha256(a2b_base64(data)).hexdigest(), alt


def describe_images(app: Sphinx, doctree: nodes.document) -> None:
    """Give every image of the page its text alternative."""
    known = app.env.temp_data.get(ALTERNATIVES, {})
    for image in doctree.findall(nodes.image):
        image["loading"] = "lazy"
        if alt := known.get(PurePosixPath(image["uri"].replace("\\", "/")).stem):
            image["alt"] = alt


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("source-read", collect_alternatives)
    app.connect("doctree-read", describe_images)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
