"""The home page: its counts are those of the course, and every door leads somewhere."""

from __future__ import annotations

import re

from book_sources import ROOT, notebooks_in_toc
from bs4 import BeautifulSoup, Tag

from halfbits.course.catalog import load_catalog
from halfbits.course.interview.bank.bank import load_bank

Pages = dict[str, BeautifulSoup]
LESSON = re.compile(r"\*\*Minutes\.\*\* \d+")


def home(pages: Pages) -> Tag:
    article = pages["book/index.html"].select_one("article")
    assert article is not None
    return article


def test_the_counts_are_those_of_the_contents_the_catalog_and_the_bank(pages: Pages) -> None:
    notebooks = [name for name in notebooks_in_toc() if name.startswith("notebooks/")]
    texts = [(ROOT / f"{name}.ipynb").read_text(encoding="utf-8") for name in notebooks]
    questions = load_bank(ROOT).questions
    shown = [int(count.get_text()) for count in home(pages).select(".hb-counts strong")]
    assert shown == [
        sum(bool(LESSON.search(text)) for text in texts),
        len(load_catalog(ROOT).exercises),
        len(questions),
        len(questions[0].texts),
    ]


def test_two_buttons_lead_to_the_first_lesson_and_to_the_ten_questions(pages: Pages) -> None:
    buttons = {link.get_text(): link["href"] for link in home(pages).select(".hb-buttons a")}
    lessons = [name for name in notebooks_in_toc() if name.startswith("notebooks/")]
    assert buttons == {
        "Start reading": f"../{lessons[0]}.html",
        "The ten questions": "interview/index.html",
    }


def test_each_door_is_a_row_of_steps_that_lead_into_the_book(pages: Pages) -> None:
    doors = home(pages).select(".sd-card")
    assert len(doors) == 4
    for door in doors:
        assert len(door.select("ol > li")) >= 3
        assert door.select("ol a[href]")
