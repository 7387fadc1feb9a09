"""The bank's Markdown as HTML for cards, and as Markdown without TeX for a terminal."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from html import escape
from typing import Any

from halfbits.course.interview.text.plain_math import plain
from halfbits.course.mathml import to_mathml

# TeX and whether it stands by itself -> HTML
MathRenderer = Callable[[str, bool], str]
MATH = re.compile(r"(?P<code>(?P<ticks>`+)(?s:.+?)(?P=ticks))|\$\$(?P<block>(?s:.+?))\$\$|"
                  r"(?<![\\$])\$(?P<inline>[^$\n]+)\$")  # fmt: skip


def mathjax(tex: str, block: bool) -> str:
    r"""TeX between \( and \) or \[ and \], which Anki typesets itself."""
    first, last = (r"\[", r"\]") if block else (r"\(", r"\)")
    return f"{first}{escape(tex.strip(), quote=False)}{last}"


def mathml(tex: str, block: bool) -> str:
    """MathML, which browsers typeset without a script. Raises BadTexError."""
    return to_mathml(tex.strip(), "block" if block else "inline")


@cache
def _markdown(math: MathRenderer) -> Any:
    from markdown_it import MarkdownIt
    from mdit_py_plugins.dollarmath import dollarmath_plugin

    def render(tex: str, options: dict[str, Any]) -> str:
        return math(tex, bool(options["display_mode"]))

    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    return markdown.use(dollarmath_plugin, renderer=render, allow_labels=False)


def to_html(text: str, math: MathRenderer = mathml) -> str:
    """Markdown as HTML; its formulas by `math`."""
    return str(_markdown(math).render(text)).strip()


def to_inline_html(text: str, math: MathRenderer = mathml) -> str:
    """One paragraph of Markdown as HTML without the paragraph."""
    return str(_markdown(math).renderInline(text)).strip()


def without_tex(text: str) -> str:
    """Markdown whose formulas are plain text, for a terminal; code stays as it is."""

    def formula(found: re.Match[str]) -> str:
        if found["code"]:
            return found[0]
        text = re.sub(r"([*_~`<\[])", r"\\\1", plain(found["block"] or found["inline"]))
        return f"\n\n{text}\n\n" if found["block"] else text

    return MATH.sub(formula, text)


def as_text(text: str) -> str:
    """One line of Markdown without any marks."""
    return re.sub(r"\\([*_~`<\[])|[`*]", r"\1", without_tex(text))
