"""Formulas and tables of the bank on cards and in terminals."""

from __future__ import annotations

import pytest

from halfbits.course.interview.text.plain_math import plain
from halfbits.course.interview.text.render import (
    as_text,
    mathjax,
    to_html,
    to_inline_html,
    without_tex,
)


@pytest.mark.parametrize(
    ("tex", "text"),
    [
        ("2^{-25}", "2⁻²⁵"),
        (r"\frac{w_{ij}}{s} + \sqrt{x^2+1}", "wᵢⱼ/s + √(x²+1)"),
        (r"\text{scale} = \frac{\max |w|}{127}", "scale = (max |w|)/127"),
        (r"\hat{x} = s\,(q - z)", "x̂ = s (q - z)"),
        (r"2^{b-1}-1", "2^(b-1)-1"),
        (r"e^{x^2}", "e^(x²)"),
        (r"\{0, 1\}", "{0, 1}"),
        (r"\mathbf{x}^\top W", "xᵀ W"),
        (r"\max_i |w_i|", "maxᵢ |wᵢ|"),
        (r"\left(\tfrac12\right)^n \le 10\%", "(1/2)ⁿ ≤ 10%"),
        (r"\underbrace{P \cdot \tfrac{b}{8}}_{W} + 1", "P · b/8_W + 1"),
        (r"\unheard x", "unheard x"),
    ],
)
def test_formula_as_plain_text(tex: str, text: str) -> None:
    assert plain(tex) == text


def test_terminal_text_keeps_code_and_amounts() -> None:
    text = "`$x$` and $a_i < b$ cost 5$, no less\n\n$$x^2$$"
    assert without_tex(text) == "`$x$` and aᵢ \\< b cost 5$, no less\n\n\n\nx²\n\n"


def test_card_html_has_tables_and_no_raw_html() -> None:
    html = to_html("|a|\n|-|\n|<b>1</b>|\n\n```python\nx < 1\n```")
    assert "<table>" in html
    assert "&lt;b&gt;1" in html
    assert "x &lt; 1" in html


def test_formula_is_mathml_for_pages_and_tex_for_anki() -> None:
    assert "<math" in to_inline_html("$x^2$")
    assert to_inline_html("$a<b$", mathjax) == r'<span class="math inline">\(a&lt;b\)</span>'


def test_one_line_of_text_keeps_the_stars_of_formulas_and_drops_those_of_markdown() -> None:
    assert (
        as_text("from $B^* = a$ on, *never* `x` or **y** < $z$")
        == "from B^* = a on, never x or y < z"
    )
