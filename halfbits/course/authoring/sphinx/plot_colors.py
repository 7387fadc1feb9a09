"""Plots in the page: their colors become the theme's, so that light and dark both can read them.

A plot stores plain colors, which everything that draws SVG understands. In a page each becomes a
variable with that color as what it is without a style sheet; `book/_static/halfbits.css` sets the
variables for the dark. Text is darker in the light than a line of the same color: it is thinner.
"""

from __future__ import annotations

import re
from html import escape

# Ground, ink, and the lines of `halfbits.plots.COLORS`; grays between them.
NAMES = {
    "#ffffff": "ground",
    "#000000": "ink",
    "#333333": "ink",
    "#555555": "axis",
    "#cccccc": "grid",
    "#e3e3e3": "grid",
    "#0072b2": "blue",
    "#e69f00": "orange",
    "#009e73": "green",
    "#d55e00": "red",
    "#56b4e9": "sky",
    "#cc79a7": "pink",
}
PIXELS = 100 / 72  # of the page for a point: as large as `halfbits.plots.show` shows the PNG
COLOR = re.compile(r"#[0-9a-f]{6}\b")
TEXT = re.compile(r"<text style=\"[^\"]*\"|<tspan style=\"[^\"]*\"")
LINK = re.compile(r"(xlink:href=\"|url\()#(\w+)")


def themed(svg: str, alt: str, prefix: str) -> str:
    """The plot as an element of a page, its names beginning with `prefix`."""
    svg = TEXT.sub(lambda text: with_variables(text[0], "text-"), svg)
    svg = with_variables(svg)
    svg = LINK.sub(rf"\g<1>#{prefix}-\g<2>", re.sub(r' id="(\w+)"', rf' id="{prefix}-\1"', svg))
    svg = svg.replace(" xlink:href", " href").replace(
        ' xmlns:xlink="http://www.w3.org/1999/xlink"', ""
    )
    width, height = size(svg)
    shown = [round(length * PIXELS) for length in (width, height)]
    head = f'<svg class="hb-plot" role="img" aria-label="{escape(alt)}" '
    head += f'width="{shown[0]}" height="{shown[1]}" viewBox="0 0 {width:g} {height:g}" '
    return head + 'style="stroke-linejoin: round">' + svg.partition(">")[2]


def with_variables(style: str, kind: str = "") -> str:
    """Colors that have a name as variables: `#0072b2` is `var(--hb-blue, #0072b2)`."""
    return re.sub(
        rf"(?<!, ){COLOR.pattern}",
        lambda found: variable(found[0], kind),
        style,
    )


def variable(color: str, kind: str) -> str:
    name = NAMES.get(color)
    return f"var(--hb-{kind}{name}, {color})" if name else color


def size(svg: str) -> tuple[float, float]:
    """Width and height of the plot's own units."""
    box = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)
    if box is None:
        raise ValueError("a plot without a viewBox")
    return float(box[1]), float(box[2])


def unnamed(svg: str) -> set[str]:
    """The colors of a plot that no theme changes."""
    return set(COLOR.findall(svg)) - set(NAMES)
