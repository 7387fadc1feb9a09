"""How far somebody has come with the flashcards; the page's card_stats.mjs counts alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from halfbits.course.interview.cards.cards import Card
from halfbits.course.interview.cards.schedule import Schedule

FIRM = 21  # days of stability from which a card counts as known
RECENT = timedelta(days=30)


@dataclass(frozen=True)
class Counts:
    """The cards of a topic: all, seen, known, suspended; recent reviews, and those remembered."""

    cards: int
    seen: int
    known: int
    suspended: int
    reviews: int
    remembered: int

    @property
    def retention(self) -> float | None:
        """Share of the recent reviews that were not "again"; None without a review."""
        return self.remembered / self.reviews if self.reviews else None


def count(cards: Sequence[Card], schedule: Schedule, now: datetime | None = None) -> Counts:
    """The counts of some cards; reviews are those of the last 30 days."""
    since = (now or datetime.now(UTC)) - RECENT
    ids = {card.id for card in cards}
    seen = [state for card_id, state in schedule.cards.items() if card_id in ids]
    ratings = [
        rating
        for card_id, rating, moment in schedule.reviews
        if card_id in ids and datetime.fromisoformat(moment) >= since
    ]
    return Counts(
        cards=len(ids),
        seen=len(seen),
        known=sum((state.stability or 0) >= FIRM for state in seen),
        suspended=len(ids & schedule.suspended),
        reviews=len(ratings),
        remembered=sum(rating > 1 for rating in ratings),
    )


def by_topic(
    cards: Sequence[Card], schedule: Schedule, now: datetime | None = None
) -> dict[str, Counts]:
    """The counts by a question's first topic, in the order of the cards; under "" those of all."""
    topics = dict.fromkeys(card.question.topic for card in cards)
    found = {
        topic: count([card for card in cards if card.question.topic == topic], schedule, now)
        for topic in topics
    }
    return {**found, "": count(cards, schedule, now)}
