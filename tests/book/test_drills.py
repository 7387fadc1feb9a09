"""The drills in the built book: every question in both languages, decks, light modules."""

from __future__ import annotations

import json
import re

import pytest
from book_sources import ROOT

from halfbits.course.interview.anki.deck import write_decks
from halfbits.course.interview.bank.bank import QUESTIONS, load_bank
from halfbits.course.interview.bank.dates import changed

PLACES = {"en": "book/interview/", "zh": "book/interview/zh/"}
BANK = load_bank()
SLUGS = [question.slug for question in BANK.questions]


@pytest.mark.parametrize("language", PLACES)
def test_page_of_flashcards_holds_every_question_in_its_order(pages, language):
    page = pages[f"{PLACES[language]}flashcards.html"]
    cards = page.select("hb-flashcards details")
    assert [card["data-id"] for card in cards] == [f"{language}/{slug}" for slug in SLUGS]
    for card, question in zip(cards, BANK.questions, strict=True):
        assert card.select_one("a")["href"].endswith(f"{question.topic}.html#{question.slug}")
        assert len(card.get_text()) > len(question.texts[language].short) / 2


@pytest.mark.parametrize("language", PLACES)
def test_data_of_the_mock_interview_is_whole(site, pages, language):
    page = f"{PLACES[language]}mock.html"
    source = pages[page].select_one("hb-mock")["data-source"]
    folder = (site.pages / page).parent
    data = json.loads((folder / source).read_text(encoding="utf-8"))
    assert [question["slug"] for question in data["questions"]] == SLUGS
    for question in data["questions"]:
        address, _, anchor = question["url"].partition("#")
        assert anchor == question["slug"] and (folder / address).is_file()
        assert len(question["probes"]) == len(question["points"]) >= 3
        assert max(question["probes"]) < len(question["asked"])
        assert set(question["lessons"]) <= set(data["lessons"])
        assert set(question["exercises"]) <= set(data["exercises"])
        assert question["topic"] in data["topics"]
    for _, address in [*data["lessons"].values(), *data["exercises"].values()]:
        assert (folder / address).is_file()
    texts = re.sub(r"<code.*?</code>", "", json.dumps(data["questions"]), flags=re.DOTALL)
    assert not re.search(r"\$[^$ ]+\$|\{\{", texts)


def test_decks_of_the_book_are_those_of_the_command(site, tmp_path):
    when = changed(site.root / QUESTIONS)
    for path in write_decks(BANK, tmp_path, when):
        same = (site.pages / "decks" / path.name).read_bytes() == path.read_bytes()
        assert same, path.name  # bytes in the assertion itself would be compared for minutes


@pytest.mark.parametrize("language", PLACES)
def test_decks_are_linked_from_the_page_of_flashcards(site, pages, language):
    page = f"{PLACES[language]}flashcards.html"
    links = [link["href"] for link in pages[page].select("a[download]")]
    assert len(links) == 2
    for link in links:
        assert ((site.pages / page).parent / link).is_file()


def test_modules_are_small():
    for path in (ROOT / "book" / "_static").glob("*.mjs"):
        assert path.stat().st_size < 8 * 1024, path.name
