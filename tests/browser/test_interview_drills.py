"""Flashcards and mock interview in a real browser, by keyboard, in both languages."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

from halfbits.course.authoring.stub import KERNEL
from halfbits.course.interview.bank.bank import load_bank
from halfbits.course.interview.cards.schedule import Schedule
from halfbits.course.interview.mock.draw import draw
from halfbits.course.interview.mock.report import report
from halfbits.course.interview.text.phrases import phrases

pytestmark = pytest.mark.browser
PLACES = {"en": "book/interview", "zh": "book/interview/zh"}
BANK = load_bank()
LONG = 180_000  # milliseconds: a busy machine starts a kernel slowly
# The theme keeps things too, and does not expect to be refused.
REFUSE = """
const keep = Storage.prototype.setItem;
Storage.prototype.setItem = function (key, value) {
  if (key.startsWith("halfbits")) throw new DOMException("full");
  keep.call(this, key, value);
};
"""


def open_page(visitor, course, language: str, name: str):
    page = visitor.new_page()
    page.goto(course.page(f"{PLACES[language]}/{name}.html"))
    page.locator(f"hb-{name} button").first.wait_for()
    return page


def kept(page, key: str):
    return json.loads(page.evaluate("key => localStorage.getItem(key)", key))


def question(page) -> str:
    return page.locator(".hb-question-text").inner_text()


def complaints(page) -> list[str]:
    """What axe finds wrong inside the component; it must not fetch style sheets by itself."""
    name = page.locator("hb-flashcards, hb-mock").evaluate("element => element.localName")
    found = Axe().run(page, context={"include": [[name]]}, options={"preload": False})
    return [f"{entry['id']}: {entry['nodes'][0]['html']}" for entry in found.response["violations"]]


@pytest.mark.parametrize("language", PLACES)
def test_cards_turn_and_are_rated_by_keyboard_and_come_back_after_a_reload(
    visitor, course, language
):
    page = open_page(visitor, course, language, "flashcards")
    words = phrases(language)
    first = question(page)
    page.keyboard.press("3")  # nothing: the answer is not shown
    page.keyboard.press("Space")
    page.get_by_role("button", name=f"4 {words['easy']}").wait_for()
    assert complaints(page) == []
    page.keyboard.press("4")
    second = question(page)
    assert second != first
    page.keyboard.press("Space")
    page.keyboard.press("1")
    page.reload()
    page.locator("hb-flashcards button").first.wait_for()
    assert question(page) not in (first, second)
    assert f"8 {words['new']}" in page.locator("hb-flashcards output").inner_text()
    progress = kept(page, "halfbits-cards")
    slugs = [f"{language}/{q.slug}" for q in BANK.questions[:2]]
    assert [entry[:2] for entry in progress["reviews"]] == [[slugs[0], 4], [slugs[1], 1]]
    assert visitor.errors == []


def test_progress_moves_through_a_file_to_another_browser_and_to_python(visitor, course, tmp_path):
    page = open_page(visitor, course, "en", "flashcards")
    page.keyboard.press("Space")
    page.keyboard.press("4")
    with page.expect_download() as download:
        page.get_by_role("button", name=phrases("en")["export"]).click()
    file = tmp_path / "progress.json"
    download.value.save_as(file)
    schedule = Schedule.load(tmp_path / "cards.json")
    assert schedule.merge(file) == 1
    card = schedule.cards[f"en/{BANK.questions[0].slug}"]
    assert timedelta(days=7) < card.due - datetime.now(card.due.tzinfo) < timedelta(days=9)
    page.evaluate("localStorage.clear()")
    page.reload()
    take(page, file, "Cards taken from the file: 1.")
    assert "0 due · 9 new" in page.locator("hb-flashcards output").inner_text()
    other = tmp_path / "other.json"
    other.write_text('{"version": 1, "cards": {"en/x": {}}, "reviews": []}', encoding="utf-8")
    before = kept(page, "halfbits-cards")
    take(page, other, phrases("en")["not_cards"])
    assert kept(page, "halfbits-cards") == before
    assert visitor.errors == []


def take(page, file: Path, says: str) -> None:
    page.locator("hb-flashcards input[type=file]").set_input_files(file)
    page.locator("hb-flashcards [role=status]").get_by_text(says).wait_for()


def test_unreadable_progress_is_put_aside_and_the_cards_still_work(visitor, course):
    page = open_page(visitor, course, "en", "flashcards")
    page.evaluate("localStorage.setItem('halfbits-cards', '{\"version\": 9}')")
    page.reload()
    page.keyboard.press("Space")
    page.keyboard.press("3")
    assert len(kept(page, "halfbits-cards")["reviews"]) == 1
    aside = page.evaluate("Object.keys(localStorage).filter(key => key.includes('unreadable'))")
    assert kept(page, aside[0]) == {"version": 9}
    assert visitor.errors == []


def test_browser_that_keeps_nothing_says_so_and_the_drills_still_work(visitor, course):
    visitor.add_init_script(REFUSE)
    page = open_page(visitor, course, "en", "flashcards")
    first = question(page)
    page.keyboard.press("Space")
    page.keyboard.press("4")
    page.get_by_text(phrases("en")["not_stored"]).wait_for()
    assert question(page) != first
    page = open_page(visitor, course, "en", "mock")
    page.locator("hb-mock .hb-main").click()
    page.keyboard.press("Space")
    page.locator("hb-mock fieldset").wait_for()
    assert page.get_by_text(phrases("en")["not_stored"]).count() == 1
    assert visitor.errors == []


def test_without_a_script_the_cards_are_folded_lines(chromium, course):
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(course.page("book/interview/flashcards.html"))
    cards = page.locator("hb-flashcards details")
    assert cards.count() == len(BANK.questions)
    assert not cards.first.locator("p").first.is_visible()
    cards.first.locator("summary").click()
    assert cards.first.locator("p").first.is_visible()
    page.goto(course.page("book/interview/mock.html"))
    assert page.get_by_text("python course.py mock").last.is_visible()
    context.close()


@pytest.mark.parametrize("language", PLACES)
def test_interview_by_keyboard_goes_on_after_a_reload_and_ends_with_a_report(
    visitor, course, language
):
    page = open_page(visitor, course, language, "mock")
    words = phrases(language)
    page.locator("hb-mock [name=minutes]").fill("12")
    page.locator("hb-mock [name=seed]").fill("3")
    page.keyboard.press("Enter")
    drawn = [q.slug for q in draw(BANK.questions, 12, "onsite", 3)]
    key = f"halfbits-mock-{language}"
    state = kept(page, key)
    assert [state["asked"][0]["slug"], *state["queue"]] == drawn
    page.keyboard.press("Space")
    page.keyboard.press("2")
    assert complaints(page) == []
    page.reload()
    page.locator("hb-mock fieldset").wait_for()
    assert page.locator("hb-mock fieldset :checked").count() == 1
    for _ in range(20):
        if page.locator("hb-mock h2").count():
            break
        press_through(page, kept(page, key)["step"])
    page.locator("hb-mock h2").get_by_text(words["report"]).wait_for()
    reports = kept(page, "halfbits-mock-reports")  # the course's server keeps those of others, too
    found = [one for one in reports if one["language"] == language]
    assert [one["got"] for one in found] == [2]
    assert found[0]["of"] > 2 and found[0]["lessons"]
    assert report(BANK, {**state, "queue": [], "asked": []})["of"] == 0
    assert complaints(page) == []
    for link in page.locator("hb-mock a").evaluate_all("all => all.map(link => link.href)"):
        assert page.request.get(link).ok, link
    page.reload()
    page.locator("hb-mock table").get_by_text(f"2 {words['of']} {found[0]['of']}").wait_for()
    assert visitor.errors == []


@pytest.mark.parametrize("kind", ["flashcards", "mock"])
def test_single_keys_do_nothing_once_they_are_switched_off(visitor, course, kind):
    page = open_page(visitor, course, "en", kind)
    if kind == "mock":
        page.locator("hb-mock .hb-main").click()
    box = page.get_by_label(phrases("en")["keys_switch"])
    assert box.is_checked()
    box.uncheck()
    box.blur()
    shown = page.locator(f"hb-{kind}").inner_text()
    page.keyboard.press("Space")
    page.keyboard.press("s")
    assert page.locator(f"hb-{kind} .hb-card, hb-{kind} .hb-mock").first.is_visible()
    assert_same(page.locator(f"hb-{kind}").inner_text(), shown)
    page.reload()
    assert not page.get_by_label(phrases("en")["keys_switch"]).is_checked()


def assert_same(after: str, before: str) -> None:
    """The same words, whatever a clock shows."""
    assert re.sub(r"\d+:\d+", "", after) == re.sub(r"\d+:\d+", "", before)


def press_through(page, step: str) -> None:
    """The key of a step: the first follow-up is answered well, the others are not."""
    if step == "judge":
        first = kept(
            page, f"halfbits-mock-{page.locator('hb-mock').get_attribute('data-language')}"
        )
        page.keyboard.press("y" if len(first["asked"]) == 1 else "n")
    else:
        page.keyboard.press({"ask": "Space", "rate": "Enter", "probe": "Space"}[step])


def test_clock_runs_while_one_speaks_and_a_closed_page_keeps_it(visitor, course):
    page = open_page(visitor, course, "en", "mock")
    page.locator("hb-mock .hb-main").click()
    page.locator(".hb-time").get_by_text(re.compile("^0:0[2-9]")).wait_for()
    page.close(run_before_unload=False)
    page = open_page(visitor, course, "en", "mock")
    assert kept(page, "halfbits-mock-en")["asked"][0]["seconds"] >= 2
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name=phrases("en")["new_mock"]).click()
    page.locator("hb-mock form").wait_for()
    assert page.evaluate("localStorage.getItem('halfbits-mock-en')") is None


def test_cards_in_jupyterlab_by_keyboard(visitor, course):
    source = "from halfbits.course.interview import flashcards\n\nflashcards('zh')"
    cell = {"cell_type": "code", "id": "a", "metadata": {}, "outputs": [], "source": source}
    notebook = {"cells": [cell | {"execution_count": None}], "metadata": {"kernelspec": KERNEL}}
    path = course.root / "cards.ipynb"
    path.write_text(json.dumps(notebook | {"nbformat": 4, "nbformat_minor": 5}), encoding="utf-8")
    page = visitor.new_page()
    page.goto(course.notebook("cards.ipynb"))
    page.locator(".jp-NotebookPanel-toolbar").get_by_text("Python 3").wait_for(timeout=LONG)
    page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for(timeout=LONG)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    card, words = page.locator(".halfbits-card"), phrases("zh")
    card.wait_for(timeout=LONG)
    card.focus()
    for question, key in zip(BANK.questions[:2], "41", strict=True):
        card.get_by_role("button", name=words["show"]).wait_for()
        assert question.texts["zh"].question.partition("`")[0] in card.inner_text()
        page.keyboard.press("Space")
        card.get_by_role("button", name=f"4 {words['easy']}").wait_for()
        page.keyboard.press(key)
    card.get_by_role("button", name=words["show"]).wait_for()
    assert page.locator(".jp-MarkdownCell").count() == 0  # digits make headings elsewhere


def test_decks_are_linked_and_whole(visitor, course):
    page = open_page(visitor, course, "en", "flashcards")
    decks = page.locator("a[download]").evaluate_all("all => all.map(link => link.href)")
    assert [link.rpartition("/")[2] for link in decks] == ["halfbits-en.apkg", "halfbits-zh.apkg"]
    for link in decks:
        answer = page.request.get(link)
        assert answer.ok and answer.body()[:2] == b"PK"


@pytest.mark.parametrize(("language", "name"), [("en", "flashcards"), ("zh", "mock")])
def test_page_fits_a_phone(visitor, course, language, name):
    page = open_page(visitor, course, language, name)
    page.set_viewport_size({"width": 360, "height": 740})
    page.locator(f"hb-{name} .hb-main").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    for box in page.locator(f"hb-{name} button:visible").evaluate_all(
        "all => all.map(button => button.getBoundingClientRect().height)"
    ):
        assert box >= 24  # WCAG 2.2, 2.5.8
