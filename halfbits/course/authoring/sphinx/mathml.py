"""Sphinx renderer that turns TeX into MathML while the book is built, so that pages need no script.

latex2mathml accepts unknown commands and unbalanced braces without a word. `to_mathml` refuses
what it lets through, and a refused formula fails the build.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any
from xml.etree import ElementTree

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util.math import get_node_equation_number

ARITY = {"mfrac": 2, "msub": 2, "msup": 2, "mover": 2, "munder": 2, "mroot": 2, "msubsup": 3}
# latex2mathml knows `split` and `align*` but passes `aligned` through with raw ampersands.
SYNONYMS = {r"{aligned}": r"{split}", r"{gathered}": r"{split}"}


class BadTexError(ValueError):
    """TeX that cannot be shown as it is meant."""


@cache
def to_mathml(tex: str, display: str) -> str:
    """MathML of `tex`; `display` is "inline" or "block". Raises BadTexError."""
    for name, known in SYNONYMS.items():
        tex = tex.replace(name, known)
    check_braces(tex)
    try:
        markup = convert(tex, display=display)
        check_tree(ElementTree.fromstring(markup))
    except Exception as error:
        raise BadTexError(f"{tex!r}: {error}") from error
    return markup


def check_braces(tex: str) -> None:
    depth = 0
    for brace in re.findall(r"(?<!\\)[{}]", tex):
        depth += 1 if brace == "{" else -1
        if depth < 0:
            break
    if depth:
        raise BadTexError(f"{tex!r}: braces do not balance")


def check_tree(root: ElementTree.Element) -> None:
    for element in root.iter():
        name = element.tag.split("}")[-1]
        if "\\" in (element.text or ""):
            raise BadTexError(f"unknown command {element.text}")
        if name in ARITY and len(element) != ARITY[name]:
            raise BadTexError(f"<{name}> has {len(element)} parts, expected {ARITY[name]}")


def rendered(node: nodes.Node, display: str) -> str:
    try:
        return to_mathml(node.astext().strip(), display)
    except BadTexError as error:
        raise ExtensionError(f"{node.source}:{node.line}: bad TeX {error}") from error


def visit_math(self: Any, node: nodes.math) -> None:
    self.body.append(f'<span class="math">{rendered(node, "inline")}</span>')
    raise nodes.SkipNode


def visit_math_block(self: Any, node: nodes.math_block) -> None:
    # A wide formula scrolls, and what scrolls has to be reached by the keyboard.
    self.body.append(self.starttag(node, "div", CLASS="math", tabindex="0"))
    self.body.append(rendered(node, "block"))
    if node["number"]:
        self.body.append(f'<span class="eqno">({get_node_equation_number(self, node)})')
        self.add_permalink_ref(node, "Link to this equation")
        self.body.append("</span>")
    self.body.append("</div>\n")
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_html_math_renderer("mathml", (visit_math, None), (visit_math_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
