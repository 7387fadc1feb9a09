"""One session with the flashcards: which card now, what is left, and when the next is due."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from halfbits.course.interview.cards.cards import Card
from halfbits.course.interview.cards.schedule import NEW_PER_DAY, Schedule


@dataclass
class Drill:
    """The cards of a session over the schedule that keeps them; `new` cards begin a day."""

    cards: Sequence[Card]
    schedule: Schedule
    new: int = NEW_PER_DAY
    reviewed: int = 0
    by_id: dict[str, Card] = field(init=False)

    def __post_init__(self) -> None:
        self.by_id = {card.id: card for card in self.cards}

    def next_card(self, now: datetime | None = None) -> Card | None:
        """The card to show now; None when nothing is left."""
        found = self.schedule.next_card(list(self.by_id), self.new, now)
        return self.by_id[found] if found else None

    def rate(self, card: Card, rating: int, now: datetime | None = None) -> None:
        """Rate a card 1 to 4; it is on disk when this returns."""
        self.schedule.review(card.id, rating, now)
        self.reviewed += 1

    def undo(self) -> Card | None:
        """Take back the last review of this session's cards; None without one."""
        found = self.schedule.undo(self.by_id)
        self.reviewed -= found is not None and self.reviewed > 0
        return self.by_id[found] if found else None

    def left(self, now: datetime | None = None) -> tuple[int, int]:
        """How many cards are due, and how many new ones may still begin today."""
        now = now or datetime.now(UTC)
        shown = self.schedule.shown(self.by_id)
        unseen = sum(card_id not in self.schedule.cards for card_id in shown)
        allowed = max(0, self.new - self.schedule.begun_today(self.by_id, now))
        return len(self.schedule.due(self.by_id, now)), min(unseen, allowed)

    def until_next(self, now: datetime | None = None) -> timedelta | None:
        """How long until a card that was reviewed is due; None without one."""
        now = now or datetime.now(UTC)
        shown = set(self.schedule.shown(self.by_id))
        dues = [state.due for i, state in self.schedule.cards.items() if i in shown]
        return max(timedelta(0), min(dues) - now) if dues else None
