"""Requests: when each arrives, how long its prompt and its answer are, what prefix it shares."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

Length = Callable[[Random], int]


@dataclass(frozen=True)
class Request:
    """`arrival` in seconds; `prompt` and `answer` in tokens, each at least 1.

    The first `shared` tokens of the prompt are those of every request with the same `prefix`.
    Raises ValueError for a length or an arrival that no request can have.
    """

    arrival: float
    prompt: int
    answer: int
    prefix: str = ""
    shared: int = 0

    def __post_init__(self) -> None:
        if not (self.arrival >= 0 and self.prompt > 0 and self.answer > 0):
            raise ValueError(f"{self} has a negative arrival or an empty prompt or answer")
        if not 0 <= self.shared <= self.prompt:
            raise ValueError(f"{self} shares more tokens than its prompt has")


def fixed(tokens: int) -> Length:
    """Always `tokens`."""
    return lambda _: tokens


def exponential(mean: float, most: int) -> Length:
    """1 + an exponential draw of this mean, rounded down, and at most `most` tokens."""
    return lambda draw: min(most, 1 + int(draw.expovariate(1 / mean)))


def poisson(
    rate: float,
    count: int,
    prompt: Length,
    answer: Length,
    seed: int = 0,
    prefix: str = "",
    shared: int = 0,
) -> list[Request]:
    """`count` requests at `rate` a second: independent gaps, exponential with mean 1 / rate.

    With the same seed, another rate stretches the same gaps and leaves the lengths as they are.
    With `shared`, that many tokens of the common `prefix` stand before each prompt. Raises
    ValueError for a rate that is not positive.
    """
    if not rate > 0:
        raise ValueError(f"the rate is {rate}; it has to be above 0 requests a second")
    gaps, lengths, now, made = Random(seed), Random(f"lengths of {seed}"), 0.0, []
    for _ in range(count):
        now += gaps.expovariate(1) / rate
        own, length = prompt(lengths), answer(lengths)
        made.append(Request(now, shared + own, length, prefix, shared))
    return made
