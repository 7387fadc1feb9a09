"""Sphinx renderer that shows formulas as MathML; a refused formula fails the build."""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util.math import get_node_equation_number

from halfbits.course.mathml import BadTexError, to_mathml


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
