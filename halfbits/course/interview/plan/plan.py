"""What to do on each day before an interview: lessons, exercises, flashcards, mock interviews."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from halfbits.course.interview.cards.forecast import Reviews

MOCK_MINUTES = 30
SMALLEST_MOCK = 10
SHORT = 3  # days: a plan with fewer has no mock interview, and few flashcards
SHEET_MINUTES = 15  # the cheat sheet on the last day
SMALLEST_PART = (
    10  # minutes; what is spread over days has parts of this size, on short days half a day
)
CARDS_SHARE = 3  # at most a third of a day is for flashcards, of a short plan's day a sixth


@dataclass(frozen=True)
class Item:
    """A lesson, an exercise or the seed's questions; `importance` runs from 1 to 3.

    `name` is a lesson's stem, an exercise's key, or SEED_QUESTIONS.

    `asked` counts the questions that name it, `needs` are names that come before it, and `rank`
    orders what is free to be placed. What is `core` is left out last.
    """

    name: str
    kind: str
    title: str
    minutes: int
    importance: int
    asked: int
    rank: float
    needs: frozenset[str] = frozenset()
    core: bool = False


@dataclass
class Day:
    """One day: its flashcards, the minutes of a mock interview and of the cheat sheet, the work."""

    minutes: int
    reviews: Reviews
    mock: int = 0
    sheet: int = 0
    work: list[tuple[Item, int]] = field(default_factory=list)

    @property
    def whole(self) -> int:
        """The minutes for work on such a day, were it without a mock interview."""
        return self.minutes - self.reviews.minutes

    @property
    def left(self) -> int:
        spent = sum(minutes for _, minutes in self.work)
        return self.whole - self.mock - self.sheet - spent


@dataclass(frozen=True)
class Plan:
    """The days, and what does not fit into them, in the order in which it was left out."""

    days: tuple[Day, ...]
    left_out: tuple[Item, ...]


def cards_share(days: int, minutes: int) -> int:
    """The most minutes for flashcards on each of `days` days."""
    return minutes // (CARDS_SHARE if days >= SHORT else 2 * CARDS_SHARE)


def make_plan(
    items: Sequence[Item], reviews: Sequence[Reviews], minutes: int, sheet: int = 0
) -> Plan:
    """Lay the items over one day for each entry of `reviews`, the cheat sheet on the last.

    While something does not fit, the least important item that no other needs is left out; of
    equals the one that fewer questions name, then the last.
    """
    known = {item.name for item in items}
    kept = [replace(item, needs=item.needs & known) for item in items]
    left_out: list[Item] = []
    while not place(kept, empty_days(reviews, minutes, sheet)):
        last = least_important(kept)
        kept.remove(last)
        left_out.append(last)
    for item in reversed(left_out):  # a small one may fit into what a large one left
        is_free = item.needs <= {other.name for other in kept}
        if is_free and place([*kept, item], empty_days(reviews, minutes, sheet)):
            kept.append(item)
    days = empty_days(reviews, minutes, sheet)
    place(kept, days)
    return Plan(tuple(days), tuple(item for item in left_out if item not in kept))


def empty_days(reviews: Sequence[Reviews], minutes: int, sheet: int = 0) -> list[Day]:
    """Days with flashcards, with a mock interview before the last day and one halfway.

    The last day has `sheet` minutes for the cheat sheet, as far as they are left.
    """
    days = [Day(minutes, cards) for cards in reviews]
    days[-1].sheet = min(sheet, days[-1].whole)
    places = {len(days) - 2} if len(days) >= SHORT else set()
    places |= {len(days) // 2 - 1} if len(days) >= 7 else set()
    for place_ in places:
        length = min(MOCK_MINUTES, days[place_].left)
        days[place_].mock = length if length >= SMALLEST_MOCK else 0
    return days


def place(items: Iterable[Item], days: Sequence[Day]) -> bool:
    """Fill the days in order; False if something is left."""
    waiting = {item.name: item for item in sorted(items, key=lambda item: item.rank)}
    left = {name: item.minutes for name, item in waiting.items()}
    for day in days:
        while (item := _next(waiting, left, day)) is not None:
            part = part_of(item, left[item.name], day)
            day.work.append((item, part))
            left[item.name] -= part
            if not left[item.name]:
                del waiting[item.name]
    return not waiting


def _next(waiting: Mapping[str, Item], left: Mapping[str, int], day: Day) -> Item | None:
    """The first item whose needs are met and that fits into the day; what is begun comes first."""
    for item in sorted(waiting.values(), key=lambda item: left[item.name] == item.minutes):
        if item.needs.isdisjoint(waiting) and part_of(item, left[item.name], day):
            return item
    return None


def part_of(item: Item, minutes: int, day: Day) -> int:
    """How many of the minutes left of an item to put into the day; no part gets too small.

    A lesson is spread over days only if no whole day has room for it.
    """
    if minutes <= day.left:
        return minutes
    smallest = min(SMALLEST_PART, day.whole // 2)
    part = min(day.left, minutes - smallest)
    is_divisible = item.kind != "lesson" or item.minutes > day.whole
    return part if is_divisible and part >= max(1, smallest) else 0


def least_important(items: Sequence[Item]) -> Item:
    """The item to leave out: none of the others needs it."""
    needed = frozenset[str]().union(*(item.needs for item in items))
    free = [item for item in items if item.name not in needed]
    return min(free or items, key=worth)


def worth(item: Item) -> tuple[bool, int, int, float]:
    """What is left out first sorts first."""
    return item.core, item.importance, item.asked, -item.rank
