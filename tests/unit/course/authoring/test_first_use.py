"""A term is linked in running prose, not in code, in a heading's words or inside another link."""

from __future__ import annotations

import pytest
from docutils import nodes
from docutils.utils import new_document
from sphinx.addnodes import pending_xref

from halfbits.course.authoring.sphinx import first_use

GLOSSARY = """# Glossary

bf16, bfloat16 (x)
  A format.

scale (y)
  A step.
"""


def page(*parts: nodes.Node) -> nodes.document:
    document = new_document("page")
    paragraph = nodes.paragraph()
    paragraph += parts
    document += paragraph
    return document


def link_to_a_page() -> nodes.Node:
    link, text = pending_xref("", reftype="doc"), nodes.inline()
    text += nodes.Text("bf16 by hand")
    link += text
    return link


def test_a_term_has_its_names_also_in_the_plural() -> None:
    entry = "bf16, bfloat16 (x)"
    assert dict(first_use.terms(GLOSSARY)) == dict.fromkeys(
        ("bf16", "bf16s", "bfloat16", "bfloat16s"), entry
    )


@pytest.mark.parametrize(
    "part",
    [link_to_a_page(), nodes.literal("", "bf16"), nodes.strong("", "bf16")],
    ids=["link", "code", "bold"],
)
def test_what_is_no_running_prose_is_left_alone(part: nodes.Node) -> None:
    texts = [text.astext() for text in first_use.texts(page(nodes.Text("In "), part))]
    assert texts == ["In "]


@pytest.mark.parametrize(
    ("text", "found"),
    [("Take bf16.", "bf16"), ("The BFloat16 type", "BFloat16"), ("xbf16 and bf16-like", None)],
)
def test_a_name_is_found_as_a_word_of_its_own(text: str, found: str | None) -> None:
    match = first_use.first_of(dict(first_use.terms(GLOSSARY)), text)
    assert (match[0] if match else None) == found
