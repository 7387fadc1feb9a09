"""The shelf: dated, in two languages, quoted nowhere twice, and tied to what treats each work."""

from __future__ import annotations

import re

import pytest
from book_sources import ROOT

from halfbits.course.authoring.sphinx.interview_pages import Writer, bank_of
from halfbits.course.authoring.sphinx.interview_shelf import shelf
from halfbits.course.interview.bank.links import bibliography_keys
from halfbits.course.interview.bank.question import LANGUAGES
from halfbits.course.interview.bank.shelf import Work, load_shelf

WORKS = load_shelf(ROOT)
LEAST, RECENT = 40, ("2024", "2025", "2026")
BIBLIOGRAPHY = (ROOT / "book" / "references.bib").read_text(encoding="utf-8")
ARXIV = re.compile(r"https://arxiv\.org/abs/(\d{2})(\d{2})\.\d{5}")
RELEASE = re.compile(
    r"https://(?:github\.com/[\w.-]+/[\w.-]+/pull/\d+|[\w-]+(?:\.[\w-]+)+/(?:[\w-]+/)*[\w-]+/?)"
)


def by_name(work: Work) -> str:
    return work.name


def address(work: Work) -> str:
    """Where a work is: its own address, or that of its entry in the references."""
    if work.url:
        return work.url
    entry = BIBLIOGRAPHY.partition(f"{{{work.cite},")[2].partition("\n@")[0]
    return re.search(r"url = \{(.*?)\}", entry)[1]


def test_there_are_forty_of_the_last_three_years_and_the_newest_comes_first() -> None:
    assert sum(work.year in RECENT for work in WORKS) >= LEAST
    dates = [work.date for work in WORKS]
    assert dates == sorted(dates, reverse=True)
    assert all(re.fullmatch(r"20\d\d-(?:0[1-9]|1[0-2])", date) for date in dates)


def test_no_work_stands_twice_and_none_repeats_an_address_of_the_references() -> None:
    assert len({work.name for work in WORKS}) == len({address(work) for work in WORKS})
    assert not [work.name for work in WORKS if work.url and work.url in BIBLIOGRAPHY]


@pytest.mark.parametrize("work", WORKS, ids=by_name)
def test_a_work_has_one_place_and_a_paper_the_month_of_its_number(work: Work) -> None:
    assert bool(work.cite) != bool(work.url)
    assert not work.cite or work.cite in bibliography_keys(ROOT)
    paper = ARXIV.fullmatch(address(work))
    assert paper or RELEASE.fullmatch(address(work)), address(work)
    assert not paper or work.date == f"20{paper[1]}-{paper[2]}"


@pytest.mark.parametrize("work", WORKS, ids=by_name)
def test_a_claim_is_one_line_in_each_language(work: Work) -> None:
    english, chinese = work.claims["en"], work.claims["zh"]
    assert set(work.claims) == set(LANGUAGES)
    assert 5 <= len(english.split()) <= 45 and not english.endswith(".")
    assert 10 <= len(chinese) <= 110 and not chinese.endswith("。")
    assert re.search(r"[\u4e00-\u9fff]", chinese) and not re.search(r"[\u4e00-\u9fff]", english)
    assert "|" not in english + chinese and "\n" not in english + chinese


@pytest.mark.parametrize("work", WORKS, ids=by_name)
def test_what_treats_a_work_speaks_of_it(work: Work) -> None:
    questions = [f"book/interview/questions/{slug}.md" for slug in work.questions]
    lessons = [f"notebooks/{name}.ipynb" for name in work.lessons]
    assert questions + lessons
    texts = {path: (ROOT / path).read_text(encoding="utf-8") for path in questions + lessons}
    silent = [path for path, text in texts.items() if work.said.lower() not in text.lower()]
    assert not silent, f"{silent} do not say {work.said!r}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_shows_every_work_with_its_claim_and_links(language: str) -> None:
    folder = "book/interview" if language == "en" else f"book/interview/{language}"
    page = (ROOT / folder / "shelf.md").read_text(encoding="utf-8")
    assert f"{{interview}} shelf {language}\n" in page
    writer = Writer(bank_of(ROOT), ROOT, f"{folder}/shelf", language)
    rows = [line for line in shelf(writer) if line.startswith("| 20")]
    assert len(rows) == len(WORKS)
    for work, row in zip(WORKS, rows, strict=True):
        assert work.name in row and work.claims[language] in row and work.date in row
        assert row.count("<a href=") == len(work.questions) + len(work.lessons)
