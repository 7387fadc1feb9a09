"""A plot in a page: its colors are the theme's, its names its own, its text described."""

from __future__ import annotations

import json
import re

import pytest

from halfbits import plots
from halfbits.course.authoring.sphinx.plot_colors import NAMES, themed, unnamed
from halfbits.folders import find_root

LESSONS = sorted((find_root() / "notebooks").glob("[!.]*.ipynb"))
SHEET = find_root() / "book" / "_static" / "halfbits.css"
PLOT = (
    '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
    'width="504pt" height="230.4pt" viewBox="0 0 504 230.4" style="stroke-linejoin: round">'
    '<path id="m1" style="stroke: #0072b2"/><use xlink:href="#m1"/>'
    '<text style="fill: #e69f00">bf16</text></svg>'
)


def test_a_color_becomes_a_variable_that_falls_back_to_it() -> None:
    assert 'style="stroke: var(--hb-blue, #0072b2)"' in themed(PLOT, "a plot", "p")


def test_text_has_variables_of_its_own() -> None:
    assert "fill: var(--hb-text-orange, #e69f00)" in themed(PLOT, "a plot", "p")


def test_the_names_of_two_plots_differ_and_still_lead_to_each_other() -> None:
    one, other = themed(PLOT, "a plot", "plot1"), themed(PLOT, "a plot", "plot2")
    assert 'id="plot1-m1"' in one and 'href="#plot1-m1"' in one
    assert "plot1" not in other and "xlink" not in other


def test_a_plot_is_one_image_with_its_alternative_and_its_size() -> None:
    head = themed(PLOT, 'more "bits" & less', "p").partition(">")[0]
    assert 'role="img"' in head and 'aria-label="more &quot;bits&quot; &amp; less"' in head
    assert 'width="700" height="320" viewBox="0 0 504 230.4"' in head


def test_every_color_of_the_house_style_has_a_variable() -> None:
    assert {color.lower() for color in plots.COLORS} <= NAMES.keys()


def test_every_variable_is_set_for_the_dark() -> None:
    dark = SHEET.read_text(encoding="utf-8").partition('data-theme="dark"] {\n    --hb-ink')[2]
    said = set(re.findall(r"--hb-(?:text-)?(\w+):", "--hb-ink:" + dark.partition("}")[0]))
    # The ground is the page's own, and orange is as clear on a dark one.
    assert set(NAMES.values()) - {"ground"} <= said | {"orange"}


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_the_plots_of_a_lesson_have_no_color_that_no_theme_changes(path) -> None:
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        for output in cell.get("outputs", []):
            text = "".join(output.get("data", {}).get("image/svg+xml", ""))
            assert not unnamed(text), cell["id"]
