"""Figures that are printed: as PNG and as SVG, which pages color by themselves."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from halfbits import plots
from halfbits.folders import find_root

MOST_BYTES = 60_000
LESSONS = sorted((find_root() / "notebooks").glob("[!.]*.ipynb"))


def draw() -> str:
    made, axes = plots.figure()
    axes.plot([1, 2, 3], [1, 4, 9], label="squares")
    axes.set(xlabel="number", ylabel="its square")
    plots.label_ends(axes)
    return plots.svg(made)


def test_an_svg_is_the_same_in_every_run_and_small() -> None:
    assert draw() == draw()
    assert len(draw()) < 15_000


def test_an_svg_keeps_text_as_text_in_the_readers_own_font() -> None:
    assert re.search(r"<text [^>]*font-family: sans-serif[^>]*>its square</text>", draw())
    assert "DejaVu" not in draw()


def test_an_svg_has_no_rule_for_other_elements_no_date_and_no_name_that_nothing_uses() -> None:
    text = draw()
    assert "<style" not in text and "<metadata" not in text
    names, used = set(re.findall(r' id="(\w+)"', text)), set(re.findall(r"#(\w+)[\")]", text))
    assert names == used & names and names


def test_numbers_of_an_svg_have_two_decimals_at_most() -> None:
    assert not re.search(r"(?<= )\d+\.\d{3,}", "".join(re.findall(r' d="([^"]*)"', draw())))


def test_a_line_through_many_points_still_passes_through_them() -> None:
    made, axes = plots.figure()
    axes.set(xlim=(0, 1), ylim=(0, 1))
    axes.plot([0, 0.123456, 1], [0, 0.654321, 1], marker="")
    [line] = axes.get_lines()
    made.draw_without_rendering()
    places = line.get_transform().transform(line.get_xydata()) * 72 / made.dpi
    height = made.get_figheight() * 72
    found = next(
        path for path in re.findall(r' d="([^"]*)"', plots.svg(made)) if path.count("L") == 2
        and "z" not in path
    )  # fmt: skip
    drawn = np.array(re.findall(r"[-\d.]+", found), dtype=float).reshape(-1, 2)
    assert np.abs(drawn[:, 0] - places[:, 0]).max() < 2
    assert np.abs(height - drawn[:, 1] - places[:, 1]).max() < 2


def test_a_picture_inside_an_svg_is_light() -> None:
    made, axes = plots.figure()
    draw = np.random.default_rng(0)
    axes.imshow(draw.standard_normal((64, 128)), cmap="RdBu", interpolation="none")
    assert len(plots.svg(made)) < 25_000


def figures(path) -> list[tuple[str, dict]]:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    outputs = [(cell["id"], output) for cell in cells for output in cell.get("outputs", [])]
    return [(name, one) for name, one in outputs if "image/png" in one.get("data", {})]


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_the_figures_of_a_lesson_are_stored_as_svg_too_and_are_light(path) -> None:
    for name, output in figures(path):
        text = "".join(output["data"].get("image/svg+xml", ""))
        assert 0 < len(text.encode()) <= MOST_BYTES, f"{name}: {len(text)} bytes of SVG"
        said = {kind: output["metadata"][kind]["alt"] for kind in ("image/png", "image/svg+xml")}
        assert len(set(said.values())) == 1, name
