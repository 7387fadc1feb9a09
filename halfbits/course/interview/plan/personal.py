"""The plan of one person: what is left to do, over days with the flashcards that fall due."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from halfbits.course.catalog import Catalog
from halfbits.course.interview.bank.bank import Bank
from halfbits.course.interview.cards.cards import make_cards
from halfbits.course.interview.cards.forecast import forecast
from halfbits.course.interview.cards.schedule import Schedule
from halfbits.course.interview.plan.items import make_items
from halfbits.course.interview.plan.plan import SHEET_MINUTES, Plan, cards_share, make_plan
from halfbits.course.lessons import load_lessons
from halfbits.course.progress.progress import Record


@dataclass(frozen=True)
class Person:
    """What somebody has done: the cards' schedule, the exercises' records, the lessons read."""

    schedule: Schedule
    records: Mapping[str, Record]
    read: set[str]


def plan_for(
    person: Person,
    bank: Bank,
    catalog: Catalog,
    language: str,
    days: int,
    minutes: int,
    now: datetime,
) -> Plan:
    """`days` days of `minutes` minutes from `now` on, with cards in `language`."""
    cards = [card.id for card in make_cards(bank, language)]
    reviews = forecast(person.schedule, cards, days, cards_share(days, minutes), now)
    lessons = load_lessons(catalog.root)
    items = make_items(catalog, lessons, bank, person.records, person.read)
    return make_plan(items, reviews, minutes, SHEET_MINUTES)
