"""Practice plans of the usual lengths as MyST: what `python course.py plan` lays for a newcomer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from halfbits.course.authoring.sphinx.interview_pages import Writer, bank_of
from halfbits.course.catalog import load_catalog
from halfbits.course.interview.cards.schedule import Schedule
from halfbits.course.interview.plan.personal import Person, plan_for
from halfbits.course.interview.plan.plan import Day, Item, Plan
from halfbits.course.interview.text.phrases import phrases

DAYS = (2, 5, 10, 14)
MINUTES = 60
START = datetime(2026, 1, 5, 9, tzinfo=UTC)  # the forecast needs a moment; the plan names no date


def plans(writer: Writer) -> Iterator[str]:
    """For each of DAYS a heading, the plan as a table, and how much does not fit into it."""
    said = phrases(writer.language)
    for days in DAYS:
        plan = newcomers_plan(writer.source, writer.language, days)
        yield f"\n## {writer.words['plan_days'].format(days=days)}\n"
        yield f"| {said['day']} | {said['what']} | {said['min']} |"
        yield "|--:|---|--:|"
        for number, day in enumerate(plan.days, 1):
            first = str(number)
            for text, minutes in rows(writer, day, said):
                yield f"| {first} | {text} | {minutes} |"
                first = ""
        if plan.left_out:
            hours = round(sum(item.minutes for item in plan.left_out) / 60)
            yield ""
            yield writer.words["plan_left"].format(count=len(plan.left_out), hours=hours)


@cache
def newcomers_plan(source: Path, language: str, days: int) -> Plan:
    """The plan of somebody who has read and solved nothing yet."""
    newcomer = Person(Schedule(source), {}, set())
    bank, catalog = bank_of(source), load_catalog(source)
    return plan_for(newcomer, bank, catalog, language, days, MINUTES, START)


def rows(writer: Writer, day: Day, said: dict[str, str]) -> Iterator[tuple[str, int]]:
    """The lines of a day, each with a link to its page, and their minutes."""
    if day.reviews.minutes:
        cards = said["cards"].format(due=day.reviews.due, new=day.reviews.new)
        yield f"[{cards}](flashcards.md)", day.reviews.minutes
    for item, part in day.work:
        share = "" if part == item.minutes else f" ({said['part']})"
        yield f"{link(writer, item, said)}{share}", part
    if day.mock:
        yield f"[{writer.words['plan_mock']}](mock.md)", day.mock
    if day.sheet:
        yield f"[{writer.words['plan_sheet']}](cheat_sheet.md)", day.sheet


def link(writer: Writer, item: Item, said: dict[str, str]) -> str:
    if item.kind == "questions":
        return f"[{writer.words['plan_questions']}](index.md)"
    folder = "notebooks" if item.kind == "lesson" else "exercises"
    title = f"[{item.title}]({writer.path(f'{folder}/{item.name}.ipynb')})"
    return said[item.kind].format(name=title)
