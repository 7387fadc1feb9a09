"""When each card comes back: the FSRS-6 scheduler of the `fsrs` library, kept in cards.json.

The page's fsrs.mjs makes the same schedule and exports the same file. Intervals are not fuzzed,
so that both agree and a test can tell.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import fsrs

from halfbits.course.progress import store
from halfbits.errors import CourseError

RATINGS = ("again", "hard", "good", "easy")
NEW_PER_DAY = 10
# A card that is being learned comes this much early rather than end the session.
AHEAD = timedelta(minutes=20)
SCHEDULER = fsrs.Scheduler(enable_fuzzing=False)


@dataclass
class Schedule:
    """The state of all cards ever reviewed, by id, and every review: id, rating 1 to 4, time.

    A suspended card is not shown until it is taken back.
    """

    path: Path
    cards: dict[str, fsrs.Card] = field(default_factory=dict)
    reviews: list[list[Any]] = field(default_factory=list)
    suspended: set[str] = field(default_factory=set)

    @classmethod
    def load(cls, path: Path | None = None) -> Schedule:
        """The schedule of this user, or of the file at `path`."""
        schedule = cls(path or store.folder() / "cards.json")
        schedule.reload()
        return schedule

    def reload(self) -> None:
        """Take over what the file holds by now."""
        content = store.read(self.path)
        self.cards, self.reviews, self.suspended = {}, [], set()
        try:
            if content is not None:
                self.cards, self.reviews = parse(content)
                self.suspended = suspended_in(content)
        except (KeyError, TypeError, ValueError, AttributeError):
            store.set_aside(self.path)

    def review(self, card_id: str, rating: int, now: datetime | None = None) -> fsrs.Card:
        """Rate a card 1 to 4, write it down, and return its new state."""
        now = milliseconds(now or datetime.now(UTC))
        with store.locked(self.path):
            self.reload()  # another window may have reviewed meanwhile
            card, _ = SCHEDULER.review_card(self._state(card_id, now), fsrs.Rating(rating), now)
            self.cards[card_id] = card
            self.reviews.append([card_id, rating, written(now)])
            store.write(self.path, self.content())
        return card

    def undo(self, ids: Iterable[str]) -> str | None:
        """Take back the last review of one of the cards, and return its id.

        The card is again what the reviews before it make of it.
        """
        wanted = set(ids)
        with store.locked(self.path):
            self.reload()
            own = [i for i, (card_id, *_) in enumerate(self.reviews) if card_id in wanted]
            if not own:
                return None
            card_id = str(self.reviews.pop(own[-1])[0])
            self._replay(card_id)
            store.write(self.path, self.content())
        return card_id

    def suspend(self, *card_ids: str, away: bool = True) -> None:
        """Show cards no more, or again."""
        with store.locked(self.path):
            self.reload()
            change = self.suspended.update if away else self.suspended.difference_update
            change(card_ids)
            store.write(self.path, self.content())

    def shown(self, ids: Iterable[str]) -> list[str]:
        """Those of the cards that are not suspended."""
        return [card_id for card_id in ids if card_id not in self.suspended]

    def intervals(self, card_id: str, now: datetime | None = None) -> tuple[timedelta, ...]:
        """How long the card would stay away after each of the four ratings."""
        now = milliseconds(now or datetime.now(UTC))
        state = self._state(card_id, now)
        return tuple(SCHEDULER.review_card(state, r, now)[0].due - now for r in fsrs.Rating)

    def next_card(self, ids: Sequence[str], new: int, now: datetime | None = None) -> str | None:
        """The card to show: due longest, else a new one, else one learned that is nearly due."""
        now = now or datetime.now(UTC)
        ids = self.shown(ids)
        if due := self.due(ids, now):
            return due[0]
        fresh = [card_id for card_id in ids if card_id not in self.cards]
        if fresh and self.begun_today(ids, now) < new:
            return fresh[0]
        nearly = self.due(ids, now + AHEAD)
        return next((i for i in nearly if self.cards[i].state != fsrs.State.Review), None)

    def due(self, ids: Iterable[str], now: datetime | None = None) -> list[str]:
        """The reviewed cards that are due, longest first."""
        now = now or datetime.now(UTC)
        seen = [card_id for card_id in self.shown(ids) if card_id in self.cards]
        ordered = sorted(seen, key=lambda card_id: self.cards[card_id].due)
        return [card_id for card_id in ordered if self.cards[card_id].due <= now]

    def begun_today(self, ids: Iterable[str], now: datetime) -> int:
        """How many of the cards were seen first on this day, by the local calendar."""
        wanted, first = set(ids), dict[str, str]()
        for card_id, _, moment in self.reviews:
            first.setdefault(card_id, moment)
        today = now.astimezone().date()
        return sum(
            datetime.fromisoformat(moment).astimezone().date() == today
            for card_id, moment in first.items()
            if card_id in wanted
        )

    def content(self) -> dict[str, Any]:
        """The file's content; the page exports the same."""
        cards = {card_id: card.to_dict() for card_id, card in self.cards.items()}
        for state in cards.values():
            del state["card_id"]  # type: ignore[misc]
        content = {"version": 1, "cards": cards, "reviews": self.reviews}
        return content | ({"suspended": sorted(self.suspended)} if self.suspended else {})

    def save_as(self, path: Path) -> None:
        """Write the same file elsewhere, for the page or another computer. Raises CourseError."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            store.write(path, self.content())
        except OSError as error:
            raise CourseError(f"{path} cannot be written ({error.strerror}).") from error

    def merge(self, path: Path) -> int:
        """Take over a file exported by the page: of each card the later state. Raises CourseError.

        Returns how many cards were taken.
        """
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            cards, reviews = parse(content)
            suspended = suspended_in(content)
        except (OSError, KeyError, TypeError, ValueError, AttributeError) as error:
            raise CourseError(f"{path} is no file of flashcards ({error}).") from error
        with store.locked(self.path):
            self.reload()
            taken = {i: card for i, card in cards.items() if self._is_older(i, card)}
            self.cards.update(taken)
            self.suspended |= suspended
            known = {(i, moment) for i, _, moment in self.reviews}
            self.reviews += [entry for entry in reviews if (entry[0], entry[2]) not in known]
            self.reviews.sort(key=lambda entry: entry[2])
            store.write(self.path, self.content())
        return len(taken)

    def _is_older(self, card_id: str, card: fsrs.Card) -> bool:
        mine = self.cards.get(card_id)
        return not mine or _reviewed(mine) < _reviewed(card)

    def _replay(self, card_id: str) -> None:
        """Make the state of a card from its reviews alone."""
        self.cards.pop(card_id, None)
        for other, rating, moment in self.reviews:
            if other == card_id:
                now = datetime.fromisoformat(moment)
                state = self._state(card_id, now)
                self.cards[card_id], _ = SCHEDULER.review_card(state, fsrs.Rating(rating), now)

    def _state(self, card_id: str, now: datetime) -> fsrs.Card:
        return self.cards.get(card_id) or fsrs.Card(card_id=1, due=now)


def parse(content: dict[str, Any]) -> tuple[dict[str, fsrs.Card], list[list[Any]]]:
    """The cards and reviews in a file's content. Raises what is wrong with it."""
    if content["version"] != 1:
        raise ValueError(f"version {content['version']}, expected 1")
    cards = {card_id: _card(state) for card_id, state in content["cards"].items()}
    for card in cards.values():
        if _reviewed(card).tzinfo is None or card.due.tzinfo is None:
            raise ValueError("a time without its zone")
    reviews = [[str(i), int(rating), utc(moment)] for i, rating, moment in content["reviews"]]
    return cards, reviews


def suspended_in(content: dict[str, Any]) -> set[str]:
    """The suspended cards of a file's content; older files name none."""
    return {str(card_id) for card_id in content.get("suspended", [])}


def _card(state: dict[str, Any]) -> fsrs.Card:
    return fsrs.Card.from_dict({**state, "card_id": 1})  # type: ignore[typeddict-item]


def utc(moment: str) -> str:
    """The same moment in the way it is written here; sorting the texts sorts the moments."""
    return written(datetime.fromisoformat(moment).astimezone(UTC))


def written(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")


def milliseconds(moment: datetime) -> datetime:
    """Cut to milliseconds, the page's resolution."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def _reviewed(card: fsrs.Card) -> datetime:
    if card.last_review is None:
        raise ValueError("a card that was never reviewed")
    return card.last_review
