"""Links a glossary's term where a lesson uses it first.

The terms are the glossary's own lines, `half precision, FP16 (...)`: each name before the bracket
is looked for in the paragraphs of a lesson, also in the plural, and the first that stands in plain
text becomes a link. Words that lessons also use in another sense are left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx

GLOSSARY = "book/glossary.md"
TERM = re.compile(r"^(?=\S)(?![#`{(])(.+?) \(.+\)$", re.MULTILINE)
AMBIGUOUS = {"decode", "scale", "agreement", "clipping", "kernel"}
# Text that is no running prose.
CLOSED = (nodes.reference, pending_xref, nodes.literal, nodes.raw, nodes.math, nodes.strong)


def link_first_uses(app: Sphinx, doctree: nodes.document) -> None:
    """Link every term of the glossary once, in a lesson."""
    if not app.env.docname.startswith("notebooks/"):
        return
    path = Path(app.srcdir) / GLOSSARY
    app.env.note_dependency(str(path))
    waiting = dict(terms(path.read_text(encoding="utf-8")))
    for text in list(texts(doctree)):
        while waiting and (found := first_of(waiting, text.astext())):
            word, entry = found[0], waiting[found[0].lower()]
            before, after = text.astext()[: found.start()], text.astext()[found.end() :]
            rest = nodes.Text(after)
            link = reference(word, entry, app.env.docname)
            text.parent.replace(text, [nodes.Text(before), link, rest])
            waiting = {name: of for name, of in waiting.items() if of != entry}
            text = rest


def terms(glossary: str) -> Iterator[tuple[str, str]]:
    """Each name of a term, in lower case and also in the plural, and the glossary's whole line."""
    for line in TERM.finditer(glossary):
        for name in line[1].lower().split(", "):
            if name not in AMBIGUOUS:
                yield name, line[0]
                yield f"{name}s", line[0]


def texts(doctree: nodes.document) -> Iterator[nodes.Text]:
    """The plain text of a page's paragraphs, in their order."""
    for paragraph in doctree.findall(nodes.paragraph):
        if "hb-facts" not in paragraph["classes"]:
            for text in paragraph.findall(nodes.Text):
                if not any(isinstance(node, CLOSED) for node in around(text)):
                    yield text


def around(node: nodes.Node) -> Iterator[nodes.Node]:
    """What holds a node, from the inside out: the text of a link lies in an element of the link."""
    while (node := node.parent) is not None:
        yield node


def first_of(waiting: dict[str, str], text: str) -> re.Match[str] | None:
    """The first name in a text; of two that begin together, the longer."""
    names = "|".join(map(re.escape, sorted(waiting, key=len, reverse=True)))
    return re.search(rf"(?<![\w-])(?:{names})(?![\w-])", text, re.IGNORECASE)


def reference(word: str, entry: str, docname: str) -> pending_xref:
    options = {"refdomain": "std", "reftype": "term", "refexplicit": True, "refwarn": True}
    link = pending_xref("", reftarget=entry, refdoc=docname, **options)
    link += nodes.inline(word, word, classes=["std", "std-term"])
    return link


def setup(app: Sphinx) -> dict[str, Any]:
    # After lesson_head.py, which arranges the paragraphs.
    app.connect("doctree-read", link_first_uses, priority=600)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
