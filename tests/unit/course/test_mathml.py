"""TeX as MathML: what is shown, and what it refuses because it would show wrongly."""

from __future__ import annotations

import pytest

from halfbits.course import mathml


@pytest.mark.parametrize(
    ("tex", "parts"),
    [
        (r"\frac{a}{b}", ["<mfrac>", "<mi>a</mi>"]),
        (r"\begin{aligned}a &= b\\c &= d\end{aligned}", ["<mtable", "<mtr>"]),
        (r"x \in \{-1, 1\}", ["&#x0007B;"]),
        (r"\operatorname{round}(w / s)", ["round"]),
        (r"2^{-24} \le s_i", ["<msup>", "<msub>", "&#x02264;"]),
    ],
)
def test_tex_becomes_mathml(tex: str, parts: list[str]) -> None:
    markup = mathml.to_mathml(tex, "block")
    assert 'display="block"' in markup
    assert all(part in markup for part in parts), markup


@pytest.mark.parametrize("tex", [r"\unknowncommand x", r"\frac{a", r"a}", r"\frac{a}", r"a & b"])
def test_tex_that_would_show_wrongly_is_refused(tex: str) -> None:
    with pytest.raises(mathml.BadTexError):
        mathml.to_mathml(tex, "inline")
