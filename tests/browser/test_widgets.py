"""Each component in its lesson: by keyboard alone, on a desk and on a phone, light and dark."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import SCREENSHOTS
from playwright.sync_api import TimeoutError as TooLong

from halfbits.course.authoring.stub import KERNEL
from halfbits.figures.bundle import COMPONENTS

pytestmark = pytest.mark.browser
LONG = 180_000  # milliseconds: a busy machine starts JupyterLab slowly


class Walk(NamedTuple):
    """Where a component stands and the keys that solve its tasks: (a control's label, keys)."""

    page: str
    steps: list[tuple[str, list[str]]]


def typed(text: str) -> list[str]:
    """The keys that replace a field's text."""
    return ["Control+A", *text]


WALKS = {
    "bit-explorer": Walk("number_formats", [("Value", typed("0")), ("0", ["End", "Space"])]),
    "number-line": Walk(
        "number_formats", [("Numbers", [*"heavy"]), ("Format", [*"fp8_e4m3fn"])]
    ),
    "accumulator": Walk(
        "rounding_and_accumulation", [("Add 16", ["Enter"] * 3), ("Add one", ["Space"] * 9)]
    ),
    "roofline": Walk(
        "where_time_goes",
        [
            ("Tokens of context", ["ArrowRight"] * 4),
            ("Weights", [*"int4"]),
            ("Batch", ["ArrowRight"] * 7),
        ],
    ),
    "quantizer": Walk(
        "quantization_theory",
        [
            ("Codes", [*"affine"]),
            ("One scale for", [*"128"]),
            ("Codes", [*"symmetric"]),
            ("One scale for", [*"each"]),
            ("Range kept", ["ArrowLeft"] * 4),
        ],
    ),
    "outliers": Walk("overflow_and_underflow", [("Smoothing", ["Space"])]),
    "precision-ladder": Walk("measuring_accuracy_loss", [("Format", [*"int6"])]),
}  # fmt: skip
DESK = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}


def open_component(page: Any, address: str, name: str, fragment: str = "") -> Any:
    """The component in its lesson, drawn."""
    page.goto("about:blank")
    page.goto(f"{address}/notebooks/{WALKS[name].page}.html{fragment}")
    component = page.locator(f"hb-{name}").first
    component.scroll_into_view_if_needed()
    component.locator(".hb-try").wait_for()
    return component


def tab_to(page: Any, label: str) -> None:
    """Press Tab until the control called `label` has the focus."""
    for _ in range(30):
        page.keyboard.press("Tab")
        name = page.evaluate(
            "(document.activeElement.labels?.[0] ?? document.activeElement).innerText"
        )
        if name.startswith(label):
            return
    pytest.fail(f"no control called {label!r} was reached with Tab")


def walk(page: Any, component: Any, name: str) -> None:
    for label, keys in WALKS[name].steps:
        component.evaluate("e => { e.tabIndex = -1; e.focus(); e.removeAttribute('tabindex'); }")
        tab_to(page, label)
        for key in keys:
            page.keyboard.press(key)


def test_every_component_is_walked_through() -> None:
    assert set(WALKS) == set(COMPONENTS)


@pytest.fixture
def reader(chromium: Any, address: str) -> Iterator[Any]:
    """A page whose errors and requests to other hosts fail the test."""
    context = chromium.new_context(viewport=DESK, color_scheme="light", has_touch=True)
    errors: list[str] = []
    context.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
    context.on("weberror", lambda error: errors.append(str(error.error)))
    own = (address, "data:", "about:")
    context.on("request", lambda r: None if r.url.startswith(own) else errors.append(r.url))
    yield context.new_page()
    context.close()
    assert not errors


def inspect(page: Any, component: Any, name: str, screen: str) -> None:
    """No finding of axe, nothing wider than the window; a picture for a person to look at."""
    # Axe's preload asks for imported style sheets at a wrong address.
    checked = Axe().run(page, context=f"hb-{name}", options={"preload": False})
    findings = checked.response["violations"]
    assert [(one["id"], one["nodes"][0]["html"]) for one in findings] == []
    wide = component.evaluate("e => document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0, "the page scrolls sideways"
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    component.screenshot(path=SCREENSHOTS / f"{name}-{screen}.png")


@pytest.mark.parametrize("name", COMPONENTS)
def test_a_component_is_solved_with_the_keyboard_and_linked(name, reader, address):
    component = open_component(reader, address, name)
    assert component.locator(".hb-said").first.inner_text() == ""
    walk(reader, component, name)
    tasks = component.locator(".hb-try p").count()
    component.locator(".hb-said", has_text="Done.").nth(tasks - 1).wait_for()
    reader.wait_for_function(f"location.hash.includes('{name}.')")
    inspect(reader, component, name, "desk-light")
    live, fragment = component.locator(".hb-live").inner_text(), reader.evaluate("location.hash")
    # On a phone, in the dark, the address leads to the same state.
    reader.set_viewport_size(PHONE)
    reader.emulate_media(color_scheme="dark")
    component = open_component(reader, address, name, fragment)
    assert component.locator(".hb-live").inner_text() == live
    inspect(reader, component, name, "phone-dark")


def test_without_scripts_a_table_stands_in_for_each_component(chromium, address):
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    for lesson in {walk.page for walk in WALKS.values()}:
        page.goto(f"{address}/notebooks/{lesson}.html")
        for name in [name for name in WALKS if WALKS[name].page == lesson]:
            table = page.locator(f"hb-{name} table").first
            assert table.is_visible() and table.locator("tbody tr").count() >= 3, name
    context.close()


CELLS = (
    "from halfbits.figures import BitExplorer, explore\nfigure = BitExplorer(value=1.5)\nfigure",
    "print('value', figure.value, figure.bits)\nfigure.value = 0.25",
    "import torch\nexplore(torch.linspace(-3, 3, 100), 'int4')",
)


def write_notebook(path: Path) -> None:
    cells = [
        {"cell_type": "code", "metadata": {}, "source": text, "outputs": [], "id": f"cell{i}"}
        | {"execution_count": None}
        for i, text in enumerate(CELLS)
    ]
    notebook = {"cells": cells, "metadata": {"kernelspec": KERNEL}, "nbformat": 4}
    path.write_text(json.dumps(notebook | {"nbformat_minor": 5}), encoding="utf-8")


def run_cell(page: Any, number: int, result: Any) -> None:
    """Run a cell until `result` is there: JupyterLab drops what comes before its kernel."""
    for _ in range(6):
        page.locator(".jp-CodeCell").nth(number).locator(".cm-content").click()
        page.keyboard.press("Control+Enter")
        with contextlib.suppress(TooLong):
            result.wait_for(timeout=30_000)
            return
    pytest.fail(f"cell {number} gave no result")


def test_in_jupyterlab_the_figure_and_the_kernel_follow_each_other(visitor, course):
    write_notebook(course.root / "notebooks" / "widgets.ipynb")
    page = visitor.new_page()
    page.goto(course.notebook("notebooks/widgets.ipynb"))
    page.locator(".jp-NotebookPanel-toolbar").get_by_text("Python 3").wait_for(timeout=LONG)
    figure = page.locator("hb-bit-explorer")
    run_cell(page, 0, figure.locator(".hb-try"))
    figure.get_by_role("button", name="0, sign bit 15").click()
    said = page.locator(".jp-OutputArea-output", has_text="value -1.5 1011111000000000")
    run_cell(page, 1, said)
    figure.locator(".hb-live", has_text="fp16 stores 0.25.").wait_for()
    line = page.locator("hb-number-line")
    run_cell(page, 2, line.locator(".hb-live", has_text="16 values"))
    line.scroll_into_view_if_needed()
