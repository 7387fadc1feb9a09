"""Mends what axe finds in the markup of the theme, of Sphinx and of docutils."""

from __future__ import annotations

import re
from typing import Any

from sphinx.application import Sphinx

BODY = (
    # A table's empty corner heads nothing.
    ('<th class="head"><p></p></th>', "<td></td>"),
    ('<th class="head stub"><p></p></th>', "<td></td>"),
    # The label hides the words that say what is folded.
    ('<summary aria-label="Toggle hidden content">', "<summary>"),
    # The role is deprecated; the entries stand in an element whose role is "list".
    ('role="doc-biblioentry"', 'role="listitem"'),
)
FOLD = re.compile(r"(<a [^>]*>\s*([^<]*?)\s*</a><details[^>]*><summary)>")


def mend_body(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    for found, better in BODY:
        context["body"] = context.get("body", "").replace(found, better)


def name_folds(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any
) -> None:
    """Name the arrows of the contents, which unfold the pages below a page."""
    make = context.get("generate_toctree_html")
    if make:
        context["generate_toctree_html"] = lambda *words, **options: FOLD.sub(
            r'\1 aria-label="Pages below: \2">', str(make(*words, **options))
        )


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("html-page-context", mend_body, priority=990)
    app.connect("html-page-context", name_folds, priority=999)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
