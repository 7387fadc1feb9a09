"""A reader's way through the running course: book, button, notebook, grade."""

from __future__ import annotations

import contextlib
import json
import re
from pathlib import Path

import pytest
from conftest import SCREENSHOTS
from playwright.sync_api import TimeoutError as TooLong

pytestmark = pytest.mark.browser
EXERCISE = "quantization/quantized_linear"
LONG = 180_000  # milliseconds: a busy machine imports a framework slowly


def open_book(visitor, course, path: str = ""):
    page = visitor.new_page()
    page.goto(course.page(path) if path else course.book)
    return page


def open_from_book(visitor, course, path: str):
    """Follow "Open in JupyterLab" from the page at `path`; the notebook's page."""
    page = open_book(visitor, course, f"{path}.html")
    button = page.get_by_role("link", name="Open in JupyterLab")
    button.wait_for(state="visible")
    if button.get_attribute("target") == "_blank":
        with visitor.expect_page() as opened:
            button.click()
        page = opened.value
    else:
        button.click()
    page.wait_for_url(re.compile(rf"/lab/.*{path}\.ipynb"))
    page.locator(".jp-NotebookPanel .jp-Cell").first.wait_for()
    return page


def run_all(page) -> None:
    """Run > Run All Cells, then wait until the kernel is idle and nothing is queued."""
    page.locator(".jp-NotebookPanel-toolbar").get_by_text("Python 3").wait_for(timeout=LONG)
    page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for(timeout=LONG)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()


def grade_again(page) -> None:
    """Run the cell that grades; again if it was queued behind a failing cell and dropped."""
    cell = page.locator(".jp-CodeCell").filter(has_text="from halfbits import grade").last
    for _ in range(6):
        cell.locator(".cm-content").click()
        page.keyboard.press("Control+Enter")
        with contextlib.suppress(TooLong):
            cell.locator(".halfbits").wait_for(timeout=30_000)
            return


def write_without_outputs(source: Path, target: Path) -> None:
    """A stored report must not be taken for a fresh one."""
    notebook = json.loads(source.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell.update(outputs=[], execution_count=None)
    target.write_text(json.dumps(notebook), encoding="utf-8")


def report(page) -> str:
    """The text of the report under the last cell."""
    shown = page.locator(".jp-OutputArea .halfbits").last
    shown.wait_for(timeout=LONG)
    shown.scroll_into_view_if_needed()
    return shown.inner_text()


def test_the_book_opens_from_the_printed_link(visitor, course):
    page = open_book(visitor, course)
    assert page.url.endswith("/book/book/index.html")
    assert "Half the Bits" in page.title()
    assert page.locator("h1:visible").count() == 1
    assert visitor.errors == []


def test_a_taken_port_is_passed_over(visitor, course):
    assert f":{course.taken}/" not in course.lab
    assert visitor.new_page().goto(course.lab).status == 200


def test_every_page_of_the_book_is_quiet(visitor, course):
    page = open_book(visitor, course)
    links = page.locator("nav a.reference.internal").evaluate_all("all => all.map(a => a.href)")
    pages = dict.fromkeys(link.partition("#")[0] for link in links)
    assert len(pages) >= 5
    tabs = [page, *(visitor.new_page() for _ in range(3))]
    for first in range(0, len(pages), len(tabs)):
        some = list(zip(list(pages)[first:], tabs, strict=False))
        for link, tab in some:
            assert tab.goto(link, wait_until="commit").status == 200, link
        for _, tab in some:
            tab.wait_for_load_state()
    assert visitor.errors == []


def test_search_finds_a_term(visitor, course):
    page = open_book(visitor, course, "search.html")
    page.goto(f"{course.origin}/book/search.html?q=autocast")
    page.locator("#search-results li a").first.wait_for()
    assert visitor.errors == []


def test_a_missing_page_leads_home(visitor, course):
    page = open_book(visitor, course, "nowhere.html")
    page.get_by_role("link", name="the home page").click()
    page.wait_for_url("**/book/book/index.html")


def test_the_launcher_opens_the_book(visitor, course):
    page = visitor.new_page()
    page.goto(course.lab)
    tile = page.locator(".jp-LauncherCard").filter(has_text="The book")
    tile.wait_for()
    assert tile.locator("img").evaluate("image => image.naturalWidth") > 0
    assert page.get_by_text("Jupyter news").count() == 0
    with visitor.expect_page() as opened:
        tile.click()
    opened.value.wait_for_url("**/book/book/index.html")
    assert "Half the Bits" in opened.value.title()


def test_the_untouched_exercise_passes_no_check(visitor, course):
    page = open_from_book(visitor, course, f"exercises/{EXERCISE}")
    run_all(page)
    grade_again(page)
    text = report(page)
    assert re.search(r"not written yet \(\d+ checks\)", text), text
    assert "pass" not in text
    assert "· to do" in text
    see_the_report(page)


def see_the_report(page) -> None:
    """Its tasks and the next hint unfold, and it can be read in the light and the dark theme."""
    shown = page.locator(".jp-OutputArea .halfbits").last
    shown.locator("summary").first.click()
    shown.locator("li").first.wait_for(state="visible")
    shown.get_by_text("Hint 1 of 3").click()
    assert shown.locator("details[open] p").last.is_visible()
    for theme in ("Dark", "Light"):
        choose_theme(page, theme)
        shown.scroll_into_view_if_needed()
        assert contrast(shown) > 4.5, theme
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=SCREENSHOTS / f"report-{theme.lower()}.png")


def choose_theme(page, name: str) -> None:
    page.get_by_role("menuitem", name="Settings", exact=True).click()
    page.locator(".lm-Menu-itemLabel").get_by_text("Theme", exact=True).click()
    page.locator(".lm-Menu-itemLabel").get_by_text(f"JupyterLab {name}", exact=True).click()
    page.locator(f"body[data-jp-theme-name='JupyterLab {name}']").wait_for(state="attached")


def contrast(element) -> float:
    """The WCAG contrast of the element's text against what is painted behind it."""
    colors = element.evaluate("""node => {
        const text = getComputedStyle(node).color;
        while (node && getComputedStyle(node).backgroundColor.match(/, 0\\)$/))
            node = node.parentElement;
        return [text, getComputedStyle(node || document.body).backgroundColor];
    }""")
    one, other = (luminance(map(float, re.findall(r"[\d.]+", color)[:3])) for color in colors)
    return (max(one, other) + 0.05) / (min(one, other) + 0.05)


def luminance(rgb) -> float:
    parts = (c / 255 for c in rgb)
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_the_solution_passes_every_check_from_its_last_cell(visitor, course):
    """The learner's file holds the reference answers; the kernel is this environment's."""
    answers = course.root / "exercises" / f"{EXERCISE}.ipynb"
    untouched = answers.read_bytes()
    write_without_outputs(course.root / "solutions" / f"{EXERCISE}.ipynb", answers)
    try:
        page = open_from_book(visitor, course, f"exercises/{EXERCISE}")
        run_all(page)
        text = report(page)
    finally:
        answers.write_bytes(untouched)
    passed, total = map(int, re.search(r"(\d+) of (\d+) checks", text).groups())
    assert passed == total > 0, text
