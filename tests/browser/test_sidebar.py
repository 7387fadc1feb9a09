"""The contents in the sidebar show where one is."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.browser
SCREEN = {"width": 1280, "height": 800}
PAGES = (
    "notebooks/number_formats",
    "notebooks/kernels",
    "exercises/evaluation/accuracy_report",
    "book/interview/cheat_sheet",
    "book/references",
)


@pytest.fixture
def page(chromium: Any) -> Any:
    context = chromium.new_context(viewport=SCREEN)
    yield context.new_page()
    context.close()


def is_in_view(page: Any, address: str, name: str) -> bool:
    page.goto(f"{address}/{name}.html", wait_until="load")
    box = page.locator(".bd-sidebar-primary li.current > a.current").last.bounding_box()
    return box is not None and 0 <= box["y"] <= SCREEN["height"] - box["height"]


@pytest.mark.parametrize("name", PAGES)
def test_the_open_page_is_in_view_in_the_sidebar(name: str, page: Any, address: str) -> None:
    assert is_in_view(page, address, name)


def test_it_is_in_view_also_after_a_page_far_away(page: Any, address: str) -> None:
    assert all(is_in_view(page, address, name) for name in (PAGES[0], PAGES[-1], PAGES[0]))
