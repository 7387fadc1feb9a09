"""The page of a lesson: its head, its two folded answers, its figure, its terms."""

from __future__ import annotations

import json

import pytest
from book_sources import ROOT
from bs4 import BeautifulSoup

Pages = dict[str, BeautifulSoup]
LESSONS = [
    path.stem
    for path in sorted((ROOT / "notebooks").glob("[!.]*.ipynb"))
    if not path.stem.startswith("faq_")
]

lesson = pytest.mark.parametrize("name", LESSONS)


def page_of(pages: Pages, name: str) -> BeautifulSoup:
    return pages[f"notebooks/{name}.html"]


@lesson
def test_one_line_tells_the_minutes_and_what_to_know_before(pages: Pages, name: str) -> None:
    [facts] = page_of(pages, name).select("article p.hb-facts")
    assert " minutes. Before this. " in facts.text
    assert "Minutes." not in page_of(pages, name).select_one("article").text


@lesson
def test_the_question_stands_above_its_answer_and_both_answers_are_folded(
    pages: Pages, name: str
) -> None:
    article = page_of(pages, name).select_one("article")
    [asked] = article.select("p.hb-asked")
    assert not asked.text.startswith("Question.")
    told = [fold.summary.text for fold in article.select("details.hb-answer")]
    assert told == ["The answer in one sentence", "Answer"]
    assert asked.find_next("details")["class"] == ["hb-answer"]


@lesson
def test_the_description_is_the_answer(pages: Pages, name: str) -> None:
    page = page_of(pages, name)
    answer = " ".join(page.select_one("p.hb-answer-text").text.split())
    told = page.select_one("meta[name=description]")["content"].removesuffix(
        " \N{HORIZONTAL ELLIPSIS}"
    )
    assert answer.startswith(told)


@lesson
def test_a_lesson_begins_with_a_figure_that_answers(pages: Pages, name: str) -> None:
    figure = page_of(pages, name).select_one("article .hb-figure")
    assert figure is not None and figure.find_next("h2").text.startswith("What do you expect?")


@lesson
def test_every_cell_of_the_notebook_has_its_anchor(pages: Pages, name: str) -> None:
    cells = json.loads((ROOT / "notebooks" / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]
    page = page_of(pages, name)
    missing = [
        cell["id"]
        for cell in cells
        if cell["cell_type"] == "code" and page.find(id=f"cell-{cell['id']}") is None
    ]
    assert not missing


@lesson
def test_no_function_is_folded_and_no_import_shown_first(pages: Pages, name: str) -> None:
    page = page_of(pages, name)
    folded = [code.text for code in page.select("details.hide .cell_input pre")]
    shown = [code.text for code in page.select("div.cell > .cell_input pre")]
    assert folded and shown
    assert not [code for code in folded if code.startswith(("def ", "class "))]
    assert not [code for code in shown if code.startswith(("import ", "from "))]


@lesson
def test_a_term_of_the_glossary_is_linked_once(pages: Pages, name: str) -> None:
    links = page_of(pages, name).select("article a:has(> .std-term)")
    targets = [link["href"] for link in links]
    assert targets and len(targets) == len(set(targets))
    glossary = pages["book/glossary.html"]
    assert all(glossary.find(id=target.partition("#")[2]) for target in targets)
