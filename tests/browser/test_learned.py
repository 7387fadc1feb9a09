"""What a reader did is remembered, and goes to another browser by a file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.browser
LESSON = "notebooks/number_formats.html"
MOMENT = "2026-01-02T03:04:05.000Z"
STATE = {"state": 2, "step": None, "stability": 3.0, "difficulty": 5.0}
CARDS = {
    "version": 1,
    "cards": {"en/a": {**STATE, "due": MOMENT, "last_review": MOMENT}},
    "reviews": [["en/a", 3, MOMENT]],
}


@pytest.fixture
def page(chromium: Any) -> Iterator[Any]:
    context = chromium.new_context(accept_downloads=True)
    yield context.new_page()
    context.close()


@pytest.fixture
def lesson(page: Any, address: str) -> Any:
    page.goto(f"{address}/{LESSON}")
    page.locator(".hb-score").wait_for()
    return page


def answer_first(page: Any, right: bool) -> None:
    kind = "right" if right else "wrong"
    page.locator(f".hb-question >> nth=0 >> details.hb-{kind} > summary").first.click()


@pytest.mark.parametrize("right", [True, False])
def test_the_first_choice_counts_and_is_remembered(lesson: Any, right: bool) -> None:
    answer_first(lesson, right)
    answer_first(lesson, not right)
    score = f"1 of 3 questions tried, {int(right)} right at once."
    lesson.get_by_text(score).wait_for()
    lesson.reload()
    lesson.get_by_text(score).wait_for()
    assert lesson.locator("details.hb-choice[open]").count() == 2


def test_a_quiz_can_be_answered_again(lesson: Any) -> None:
    answer_first(lesson, right=False)
    lesson.get_by_role("button", name="Answer again").click()
    lesson.get_by_text("The first choice that you open counts.").wait_for()
    assert lesson.locator("details.hb-choice[open]").count() == 0


def test_a_lesson_that_was_read_is_ticked_and_can_be_continued(lesson: Any, address: str) -> None:
    lesson.get_by_label("I have read this lesson").check()
    lesson.goto(f"{address}/book/index.html")
    lesson.locator(".bd-docs-nav a", has_text="Which numbers can a format hold? read").wait_for()
    way = lesson.get_by_role("link", name="Continue: Which numbers can a format hold?")
    assert way.get_attribute("href") == f"{address}/{LESSON}"


def test_a_newcomer_is_offered_nothing_to_continue(page: Any, address: str) -> None:
    page.goto(f"{address}/book/index.html")
    page.wait_for_load_state("networkidle")
    assert page.locator(".hb-buttons a").count() == 2


def test_a_file_carries_everything_to_another_browser(
    lesson: Any, chromium: Any, address: str, tmp_path: Path
) -> None:
    answer_first(lesson, right=True)
    lesson.get_by_label("I have read this lesson").check()
    lesson.goto(f"{address}/book/progress.html")
    lesson.evaluate("cards => localStorage.setItem('halfbits-cards', cards)", json.dumps(CARDS))
    with lesson.expect_download() as saved:
        lesson.get_by_role("button", name="Save to a file").click()
    saved.value.save_as(file := tmp_path / "progress.json")
    context = chromium.new_context()
    other = context.new_page()
    other.goto(f"{address}/book/progress.html")
    other.get_by_text("Nothing is begun yet.").wait_for()
    other.get_by_label("Read from a file").first.set_input_files(file)
    other.get_by_text("Taken over").wait_for()
    row = other.locator("tr", has_text="Which numbers can a format hold?")
    assert row.locator("td").all_inner_texts()[1:] == ["read", "1 of 1 tried"]
    assert json.loads(other.evaluate("localStorage.getItem('halfbits-cards')")) == CARDS
    context.close()


@pytest.mark.parametrize(
    "content",
    [
        "no JSON",
        "[]",
        json.dumps({"version": 2}),
        json.dumps({"version": 1, "cards": {**CARDS, "cards": {"en/a": {}}}}),
    ],
)
def test_a_file_of_something_else_changes_nothing(
    page: Any, address: str, tmp_path: Path, content: str
) -> None:
    (tmp_path / "other.json").write_text(content, encoding="utf-8")
    page.goto(f"{address}/book/progress.html")
    page.get_by_label("Read from a file").first.set_input_files(tmp_path / "other.json")
    page.get_by_text("This file holds no progress.").wait_for()
