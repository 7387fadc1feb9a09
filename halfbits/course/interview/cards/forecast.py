"""How many flashcards the coming days bring, if each is remembered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import fsrs

from halfbits.course.interview.cards.schedule import SCHEDULER, Schedule

MINUTES_PER_CARD = 1.0  # half a minute to say the answer, half a minute to compare


@dataclass(frozen=True)
class Reviews:
    """The cards of one day: reviews that are due, new cards, and cards that must wait."""

    due: int
    new: int
    waiting: int

    @property
    def minutes(self) -> int:
        return round((self.due + self.new) * MINUTES_PER_CARD)


def forecast(
    schedule: Schedule, ids: Sequence[str], days: int, minutes: int, now: datetime
) -> list[Reviews]:
    """The reviews of each day from today on, at most `minutes` a day, new cards last.

    The cards not seen yet are spread over all days but the last, so that each is seen twice.
    """
    ids = schedule.shown(ids)
    states = {i: schedule.cards[i] for i in ids if i in schedule.cards}
    unseen = [card_id for card_id in ids if card_id not in schedule.cards]
    pace = -(-len(unseen) // max(1, days - 1))
    most = int(minutes / MINUTES_PER_CARD)
    found = []
    for day in range(days):
        moment = now + timedelta(days=day)
        due = [i for i in sorted(states, key=lambda i: states[i].due) if _is_due(states[i], moment)]
        begun = unseen[: min(pace, max(0, most - len(due)))]
        del unseen[: len(begun)]
        for card_id in due[:most]:
            states[card_id] = remembered(states[card_id], moment)
        for card_id in begun:
            states[card_id] = remembered(fsrs.Card(card_id=1, due=moment), moment)
        found.append(Reviews(min(len(due), most), len(begun), max(0, len(due) - most)))
    return found


def _is_due(state: fsrs.Card, moment: datetime) -> bool:
    return state.due.astimezone(moment.tzinfo).date() <= moment.date()


def remembered(state: fsrs.Card, moment: datetime) -> fsrs.Card:
    """The card after one sitting in which it was remembered until it leaves that day."""
    while state.due - moment < timedelta(hours=12):
        state, _ = SCHEDULER.review_card(state, fsrs.Rating.Good, moment)
    return state
