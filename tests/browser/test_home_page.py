"""The first screen of the home page: a figure that answers, and two ways in."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.browser
SCREEN = {"width": 1280, "height": 800}
WAYS_IN = ("Start reading", "The ten questions")


@pytest.fixture
def home(chromium: Any, address: str) -> Any:
    context = chromium.new_context(viewport=SCREEN)
    page = context.new_page()
    page.goto(f"{address}/book/index.html")
    page.locator("hb-bit-explorer .hb-live", has_text="fp16 stores").wait_for()
    yield page
    context.close()


def test_the_first_screen_holds_the_live_figure_and_both_buttons(home: Any) -> None:
    shown = [home.locator("hb-bit-explorer")]
    shown += [home.locator(".hb-buttons").get_by_role("link", name=name) for name in WAYS_IN]
    for one in shown:
        box = one.bounding_box()
        assert box["y"] >= 0 and box["y"] + box["height"] <= SCREEN["height"], box
        assert box["x"] >= 0 and box["x"] + box["width"] <= SCREEN["width"], box


def test_the_figure_answers_a_flipped_bit(home: Any) -> None:
    figure = home.locator("hb-bit-explorer")
    figure.get_by_role("button", name="0, sign bit 15").click()
    figure.locator(".hb-live", has_text="fp16 stores \N{MINUS SIGN}0.0999755859.").wait_for()
