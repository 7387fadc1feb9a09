"""The interview part in a real browser: folded answers, the filter by keyboard, printed sides."""

from __future__ import annotations

import re
from urllib.parse import parse_qs

import pytest

from halfbits.course.interview.bank.bank import load_bank

pytestmark = pytest.mark.browser
QUESTIONS = load_bank().questions
A4 = (210 / 25.4 * 72, 297 / 25.4 * 72)  # points
PLACES = {"en": "book/interview", "zh": "book/interview/zh"}


def open_page(visitor, course, path: str, fragment: str = ""):
    page = visitor.new_page()
    page.goto(course.page(f"{path}.html") + fragment)
    return page


def tab_to(page, selector: str) -> None:
    """Press Tab until the wanted element has the focus."""
    for _ in range(250):
        page.keyboard.press("Tab")
        if page.evaluate("wanted => document.activeElement.matches(wanted)", selector):
            return
    raise AssertionError(f"Tab never reaches {selector}")


def listed(page) -> list[str]:
    """The slugs of the questions that the filter shows."""
    rows = page.locator("[data-table]:visible tbody tr:visible a")
    return rows.evaluate_all("links => links.map(link => link.hash.slice(1))")


def count(page) -> int:
    return int(re.search(r"\d+", page.locator(".hb-find output").inner_text())[0])


def state(page) -> dict[str, list[str]]:
    return parse_qs(page.evaluate("location.hash.slice(1)"))


@pytest.mark.parametrize("language", PLACES)
def test_a_seed_question_is_reached_and_its_answers_open_by_keyboard(visitor, course, language):
    first = QUESTIONS[0]
    page = open_page(visitor, course, f"{PLACES[language]}/index")
    page.get_by_role("link", name=first.texts[language].question).first.click()
    page.wait_for_url(f"**/{first.topic}.html#{first.slug}")
    for name in ("short", "full", "follow-ups", "red-flags", "points"):
        answer = page.locator(f"#{first.slug} > details.hb-{name}")
        body = answer.locator("> :not(summary)").first
        assert not body.is_visible(), name
        answer.locator("> summary").focus()
        page.keyboard.press("Enter")
        body.wait_for(state="visible")
    follow_up = page.locator(f"#{first.slug} .hb-follow-ups details").first
    follow_up.locator("summary").focus()
    page.keyboard.press("Space")
    follow_up.locator("p").first.wait_for(state="visible")
    assert visitor.errors == []


def test_each_question_links_to_itself_in_the_other_language(visitor, course):
    first = QUESTIONS[0]
    page = open_page(visitor, course, f"book/interview/{first.topic}", f"#{first.slug}")
    page.locator(f"#{first.slug} .hb-badges a").click()
    page.wait_for_url(f"**/zh/{first.topic}.html#{first.slug}")
    page.locator(f"#{first.slug} .hb-badges a").click()
    page.wait_for_url(f"**/interview/{first.topic}.html#{first.slug}")


def test_the_filter_works_by_keyboard_and_keeps_its_state_in_the_address(visitor, course):
    page = open_page(visitor, course, "book/interview/find")
    everything = [question.slug for question in QUESTIONS]
    assert listed(page) == everything and count(page) == len(everything)
    tab_to(page, ".hb-find [name=text]")
    page.keyboard.type("Cache")
    found = listed(page)
    assert 0 < len(found) < len(everything) and count(page) == len(found)
    tab_to(page, ".hb-find [name=kind]")
    page.keyboard.type("Estimate")
    estimates = listed(page)
    assert estimates == [slug for slug in found if kind(slug) == "estimate"]
    assert state(page) == {"text": ["Cache"], "kind": ["estimate"]}
    page.reload()
    assert listed(page) == estimates
    tab_to(page, ".hb-find button")
    page.keyboard.press("Enter")
    page.locator("[data-table=en] tbody tr:visible").nth(len(everything) - 1).wait_for()
    assert listed(page) == everything and state(page) == {}
    assert visitor.errors == []


def kind(slug: str) -> str:
    return next(question.kind for question in QUESTIONS if question.slug == slug)


def test_a_kept_address_opens_the_filter_in_chinese(visitor, course):
    page = open_page(visitor, course, "book/interview/find", "#topic=amp&level=screening&lang=zh")
    wanted = [q.slug for q in QUESTIONS if "amp" in q.topics and q.level == "screening"]
    assert wanted and listed(page) == wanted
    titles = page.locator("[data-table=zh] tbody tr:visible a").all_inner_texts()
    assert all(re.search(r"[\u4e00-\u9fff]", title) for title in titles)
    page.locator(".hb-find [name=text]").fill("nowhere to be found")
    assert listed(page) == [] and count(page) == 0
    assert visitor.errors == []


def test_the_index_goes_to_the_language_that_is_typed(visitor, course):
    page = open_page(visitor, course, "book/interview/find")
    text = page.locator(".hb-find [name=text]")
    for typed, language in (("\u53cd\u91cf\u5316", "zh"), ("KV", "zh"), ("outliers", "en")):
        text.fill(typed)
        assert page.locator(".hb-find [name=lang]").input_value() == language, typed
        assert listed(page), typed
    assert visitor.errors == []


def test_on_a_phone_no_interview_page_is_wider_than_the_screen(visitor, course):
    page = visitor.new_page()
    page.set_viewport_size({"width": 375, "height": 800})
    topics = dict.fromkeys(question.topic for question in QUESTIONS)
    for place in PLACES.values():
        for name in ("index", "cheat_sheet", *topics):
            page.goto(course.page(f"{place}/{name}.html"))
            assert page.evaluate("document.documentElement.scrollWidth") <= 375, f"{place}/{name}"
    page.goto(course.page("book/interview/find.html"))
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    assert visitor.errors == []


@pytest.mark.parametrize("language", PLACES)
def test_the_cheat_sheet_prints_on_two_sides_of_a4(visitor, course, language, tmp_path):
    page = open_page(visitor, course, f"{PLACES[language]}/cheat_sheet")
    pdf = page.pdf(prefer_css_page_size=True)
    sides = re.findall(rb"/Type\s*/Page\b", pdf)
    boxes = re.findall(rb"/MediaBox\s*\[0 0 ([\d.]+) ([\d.]+)\]", pdf)
    assert len(sides) == 2
    for box in boxes:
        assert tuple(map(float, box)) == pytest.approx(A4, abs=1)
