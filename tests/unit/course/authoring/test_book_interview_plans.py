"""The page with practice plans: every length, full days, links that lead to a page."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from halfbits.course.authoring.sphinx.interview_pages import Writer, bank_of
from halfbits.course.authoring.sphinx.interview_plans import DAYS, MINUTES, plans
from halfbits.folders import find_root

PAGES = {"en": "book/interview/plan", "zh": "book/interview/zh/plan"}


@pytest.fixture(params=PAGES)
def writer(request: pytest.FixtureRequest) -> Writer:
    root = find_root()
    return Writer(bank_of(root), root, PAGES[request.param], request.param)


def test_each_plan_has_its_days_and_none_is_longer_than_planned(writer: Writer) -> None:
    chapters = "\n".join(plans(writer)).split("\n## ")[1:]
    assert len(chapters) == len(DAYS)
    for days, chapter in zip(DAYS, chapters, strict=True):
        spent: Counter[str] = Counter()
        day = ""
        for first, minutes in re.findall(r"^\| (\d*) \| .* \| (\d+) \|$", chapter, re.MULTILINE):
            day = first or day
            spent[day] += int(minutes)
        assert list(spent) == [str(number) for number in range(1, days + 1)]
        assert max(spent.values()) <= MINUTES


def test_every_line_of_a_plan_leads_to_a_page(writer: Writer) -> None:
    folder = (writer.source / writer.page).parent
    targets = set(re.findall(r"\]\(([^)]+)\)", "\n".join(plans(writer))))
    assert {"index.md", "mock.md", "flashcards.md", "cheat_sheet.md"} < targets
    assert all((folder / target).is_file() for target in targets)
