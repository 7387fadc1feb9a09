"""A lesson's page: a prediction before the answer, folded code, plots that follow the theme."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

pytestmark = pytest.mark.browser
SCREEN = {"width": 1280, "height": 800}
LESSON = "notebooks/number_formats.html"
PHONE = {"width": 390, "height": 844}
BAR = 48  # the theme's bar covers the page's top
HEADING_TOP = """name => {
  const place = document.getElementById(name);
  return (place.querySelector("h2") ?? place).getBoundingClientRect().top;
}"""
# Each the sum of red, green and blue: 0 is black, 765 white.
INK_AND_GROUND = """plot => [
    getComputedStyle(plot.querySelector("text")).fill,
    getComputedStyle(document.body).backgroundColor,
].map(color => color.match(/\\d+/g).slice(0, 3).reduce((sum, part) => sum + Number(part), 0))"""


@pytest.fixture
def page(chromium: Any) -> Iterator[Any]:
    context = chromium.new_context(viewport=SCREEN, color_scheme="light")
    yield context.new_page()
    context.close()


@pytest.fixture
def lesson(page: Any, address: str) -> Any:
    page.goto(f"{address}/{LESSON}")
    page.locator(".hb-predict").wait_for()
    return page


def answers(page: Any) -> list[bool]:
    return page.locator("details.hb-answer").evaluate_all("all => all.map(one => one.open)")


def test_an_answer_stays_closed_until_something_is_expected(lesson: Any) -> None:
    lesson.locator("details.hb-answer > summary").first.click()
    lesson.get_by_text("Write down first what you expect.").wait_for()
    assert answers(lesson) == [False, False]
    assert lesson.evaluate("document.activeElement.id") == "hb-expected"


def test_what_was_expected_opens_the_answer_and_is_kept(lesson: Any) -> None:
    lesson.get_by_label("Your prediction").fill("bf16 holds 257")
    lesson.get_by_role("button", name="Keep it and show the answer").click()
    assert answers(lesson) == [False, True]
    lesson.reload()
    lesson.locator(".hb-predict").wait_for()
    assert lesson.get_by_label("Your prediction").input_value() == "bf16 holds 257"
    lesson.locator("details.hb-answer > summary").first.click()
    assert answers(lesson) == [True, False]


def test_an_answer_opens_without_a_prediction_to_who_says_so(lesson: Any) -> None:
    lesson.get_by_role("button", name="Show it without a prediction").click()
    assert answers(lesson) == [False, True]


def test_nothing_is_kept_of_an_empty_prediction(lesson: Any) -> None:
    lesson.get_by_role("button", name="Keep it and show the answer").click()
    assert answers(lesson) == [False, False]
    assert lesson.evaluate("Object.keys(localStorage).filter(key => /expected/.test(key))") == []


def test_without_a_script_an_answer_opens_by_a_click(chromium: Any, address: str) -> None:
    context = chromium.new_context(viewport=SCREEN, java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/{LESSON}")
    page.locator("details.hb-answer > summary").first.click()
    assert page.locator("details.hb-answer").first.get_attribute("open") is not None
    context.close()


def test_a_link_to_a_proof_opens_the_code_that_proves_it(page: Any, address: str) -> None:
    page.goto(f"{address}/{LESSON}#cell-wrap")
    page.locator("#cell-wrap-after details.hide .cell_input").wait_for(state="visible")
    top = page.locator("#cell-wrap").bounding_box()["y"]
    assert 0 <= top <= 100
    page.goto(f"{address}/notebooks/quantization_theory.html")
    assert page.locator("details.hide[open]").count() == 0


def test_code_that_is_folded_says_what_is_inside(lesson: Any) -> None:
    told = lesson.locator("details.hide > summary .collapsed").all_inner_texts()
    assert told[0] == "How this was measured: imports"
    assert all(text.startswith("How this was measured: ") for text in told)
    assert any("the drawing" in text for text in told)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_ink_of_a_plot_stands_out_from_the_page(page: Any, address: str, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)
    page.goto(f"{address}/{LESSON}")
    plot = page.locator("svg.hb-plot").first
    assert plot.get_attribute("aria-label").startswith("Relative step against magnitude.")
    ink, ground = plot.evaluate(INK_AND_GROUND)
    assert (ink > 600 and ground < 150) if scheme == "dark" else (ink < 150 and ground > 600)


def test_a_plot_is_printed_in_dark_ink_also_from_a_dark_page(page: Any, address: str) -> None:
    page.emulate_media(color_scheme="dark", media="print")
    page.goto(f"{address}/{LESSON}")
    text = page.locator("svg.hb-plot text").first
    assert text.evaluate("e => getComputedStyle(e).fill") == "rgb(0, 0, 0)"


def test_a_term_leads_to_the_glossary_once(lesson: Any) -> None:
    links = lesson.locator("article a:has(> .std-term)")
    addresses = links.evaluate_all("all => all.map(link => link.href)")
    assert len(addresses) == len(set(addresses)) > 3
    assert all("/book/glossary.html#term-" in address for address in addresses)


@pytest.mark.parametrize(
    ("name", "section"),
    [
        ("kernels", "pitfalls"),
        ("where_time_goes", "pitfalls"),
        ("quantization_theory", "smaller-groups"),
        ("quantization_theory", "cell-integer"),
    ],
)
@pytest.mark.parametrize("screen", [SCREEN, PHONE], ids=["desk", "phone"])
def test_a_link_to_a_section_lands_on_its_heading(
    page: Any, address: str, name: str, section: str, screen: dict[str, int]
) -> None:
    page.set_viewport_size(screen)
    page.goto(f"{address}/notebooks/{name}.html#{section}", wait_until="load")
    page.wait_for_load_state("networkidle")
    assert abs(page.evaluate(HEADING_TOP, section) - BAR) <= 100
    link = page.locator(f'.bd-sidebar-secondary a[href="#{section}"]')
    if link.count():
        page.goto(f"{address}/notebooks/{name}.html", wait_until="load")
        link.evaluate("link => link.click()")
        page.wait_for_url(f"**#{section}")
        page.wait_for_function("() => new Promise(done => setTimeout(done, 100, true))")
        assert abs(page.evaluate(HEADING_TOP, section) - BAR) <= 100
