"""The order of the book: exercises in the part of their lessons, solutions out of the way."""

from __future__ import annotations

import pytest
from book_sources import ROOT, notebooks_in_toc
from bs4 import BeautifulSoup

from halfbits.course.authoring.sphinx.exercise_lists import rows
from halfbits.course.catalog import load_catalog
from halfbits.course.interview.bank.bank import load_bank

CATALOG, BANK = load_catalog(ROOT), load_bank(ROOT)
TOPICS = sorted({exercise.topic for exercise in CATALOG.exercises})


def test_every_exercise_and_every_solution_stands_once_in_the_contents() -> None:
    listed = [name for name in notebooks_in_toc() if name.startswith(("exercises", "solutions"))]
    wanted = [f"{kind}/{e.key}" for kind in ("exercises", "solutions") for e in CATALOG.exercises]
    assert sorted(listed) == sorted(wanted)


def test_next_never_leads_from_an_exercise_to_a_solution(pages: dict[str, BeautifulSoup]) -> None:
    for exercise in CATALOG.exercises:
        following = pages[f"exercises/{exercise.key}.html"].select_one("a.right-next")
        assert following is not None and "solutions/" not in str(following["href"])


@pytest.mark.parametrize("topic", TOPICS)
def test_the_page_of_a_topic_lists_its_exercises_in_teaching_order(
    topic: str, pages: dict[str, BeautifulSoup]
) -> None:
    table = pages[f"book/exercises/{topic}.html"].select_one("article table")
    assert table is not None
    shown = [str(link["href"]) for link in table.select("a[href]")]
    own = [exercise for exercise in CATALOG.exercises if exercise.topic == topic]
    assert shown == [f"../../exercises/{exercise.key}.html" for exercise in own]
    minutes = [row.select("td")[2].get_text(strip=True) for row in table.select("tbody tr")]
    assert minutes == [str(exercise.minutes) for exercise in own]


def test_a_topic_without_exercises_has_a_table_without_rows() -> None:
    assert len(list(rows(CATALOG, "no_such_topic", ""))) == 2


def test_the_page_of_all_exercises_says_whose_path_each_is_on(
    pages: dict[str, BeautifulSoup],
) -> None:
    page = pages["book/exercises/index.html"]
    assert page.select_one("form.hb-paths").has_attr("hidden")
    for path in CATALOG.paths:
        rows = [row for row in page.select("tr[data-paths]") if path.name in row["data-paths"]]
        links = {str(row.select_one("a")["href"]) for row in rows}
        assert links == {f"../../exercises/{e.key}.html" for e in CATALOG.along(path)}
        assert all(path.name in row.select("td")[-1].get_text().split() for row in rows)


def test_solution_lists_the_questions_that_its_exercise_trains(
    pages: dict[str, BeautifulSoup],
) -> None:
    for exercise in CATALOG.exercises:
        page = pages[f"solutions/{exercise.key}.html"]
        links = [
            str(one["href"]) for one in page.select("#questions-that-this-exercise-prepares-for a")
        ]
        wanted = [
            f"../../book/interview/{one.topic}.html#{one.slug}"
            for one in sorted(BANK.questions, key=lambda question: question.slug)
            if exercise.key in one.exercises
        ]
        assert [link for link in links if "/interview/" in link] == wanted, exercise.key
