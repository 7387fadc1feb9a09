"""TeX as MathML, which browsers typeset without a script: for pages, cards and reports.

latex2mathml accepts unknown commands and unbalanced braces without a word. `to_mathml` refuses
what it lets through.
"""

from __future__ import annotations

import re
from functools import cache
from xml.etree import ElementTree

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
    from latex2mathml.converter import convert

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
