"""Which questions a mock interview asks: drawn by seed, the same here and in the book's page.

The page's interview.mjs follows the same steps in the same order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from halfbits.course.interview.bank.question import LEVELS, Question

# The levels an interview draws from; where there are two, the first opens it.
MIX = {
    "screening": ("screening",),
    "onsite": ("screening", "onsite"),
    "staff": ("onsite", "staff"),
}
MASK = 0xFFFFFFFF


def random_numbers(seed: int) -> Callable[[int], int]:
    """Mulberry32: a function of n that gives a whole number from 0 to n - 1."""
    state = seed & MASK

    def below(n: int) -> int:
        nonlocal state
        state = (state + 0x6D2B79F5) & MASK
        x = ((state ^ state >> 15) * (state | 1)) & MASK
        x ^= (x + (x ^ x >> 7) * (x | 61)) & MASK
        return (x ^ x >> 14) % n

    return below


def shuffled(questions: Sequence[Question], seed: int) -> list[Question]:
    """The questions in an order that follows from the seed (Fisher and Yates)."""
    below, result = random_numbers(seed), list(questions)
    for last in range(len(result) - 1, 0, -1):
        other = below(last + 1)
        result[last], result[other] = result[other], result[last]
    return result


def draw(questions: Sequence[Question], minutes: int, level: str, seed: int) -> list[Question]:
    """Questions that fit into the minutes, in the order to ask them; their topics are spread.

    Each next one is of the wanted level if one is left, then of the topic with the fewest minutes
    so far, then of the rarest kind. The first may be of the level below. A question waits until
    those of the same level that it builds on are drawn.
    """
    pool = shuffled([question for question in questions if question.level in MIX[level]], seed)
    needed = {question.slug for question in pool if question.level == level}
    drawn: list[Question] = []
    by_topic: Counter[str] = Counter()
    by_kind: Counter[str] = Counter()
    left = minutes
    while True:
        done = {question.slug for question in drawn}
        wanted = level if drawn else MIX[level][0]
        ready = [
            question
            for question in pool
            if question.slug not in done
            and question.minutes <= left
            and all(name in done or name not in needed for name in question.prerequisites)
        ]
        if not ready:
            return in_order(drawn)
        chosen = min(ready, key=lambda q: (q.level != wanted, by_topic[q.topic], by_kind[q.kind]))
        drawn.append(chosen)
        by_topic[chosen.topic] += chosen.minutes
        by_kind[chosen.kind] += 1
        left -= chosen.minutes


def in_order(drawn: Sequence[Question]) -> list[Question]:
    """Easy levels first, and no question before one that it builds on."""
    ranks = list(LEVELS)
    waiting = sorted(drawn, key=lambda question: ranks.index(question.level))
    result: list[Question] = []
    while waiting:
        names = {question.slug for question in waiting}
        free = [question for question in waiting if names.isdisjoint(question.prerequisites)]
        following = (free or waiting)[0]
        waiting.remove(following)
        result.append(following)
    return result
