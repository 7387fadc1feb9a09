"""One step of a server: the tokens that it reads for all rows, and how long that takes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass

import numpy as np


@dataclass(frozen=True)
class Step:
    """What one step does, added up over its rows.

    `tokens` are read anew: one for a row that decodes, a prompt or a chunk of it for another.
    `answers` rows get a token, so the head computes that many rows of logits. `pairs` counts which
    token looks at which, `context` the tokens whose keys and values are read or written.
    """

    tokens: int = 0
    answers: int = 0
    pairs: int = 0
    context: int = 0

    @classmethod
    def of(cls, pieces: Iterable[tuple[int, int, bool]]) -> Step:
        """From (new tokens, tokens in the cache before, gets a token) of each row.

        `new` tokens after `seen` others look at new * seen + new (new + 1) / 2 pairs.
        """
        tokens = answers = pairs = context = 0
        for new, seen, is_answered in pieces:
            tokens += new
            answers += is_answered
            pairs += new * seen + new * (new + 1) // 2
            context += seen + new
        return cls(tokens, answers, pairs, context)


@dataclass(frozen=True)
class Linear:
    """seconds = fixed + token * tokens + answer * answers + pair * pairs: a step on a machine that
    was measured. All four are at least 0 and in seconds."""

    fixed: float
    token: float = 0
    answer: float = 0
    pair: float = 0

    def seconds(self, step: Step) -> float:
        """How long the step takes."""
        terms = self.token * step.tokens, self.answer * step.answers, self.pair * step.pairs
        return self.fixed + sum(terms)

    @classmethod
    def fit(cls, steps: Sequence[Step], seconds: Sequence[float]) -> Linear:
        """Least squares of relative errors; a term that would be negative is left out.

        Raises ValueError for fewer steps than four terms, or times that are not positive.
        """
        took = np.array(seconds, float)
        if len(steps) < 4 or not (took > 0).all():
            raise ValueError("a fit needs at least four steps, and times above 0 seconds")
        counts = np.array([astuple(step)[:3] for step in steps], float)
        terms = np.column_stack([np.ones(len(steps)), counts]) / took[:, None]
        return cls(*_not_negative(terms, np.ones(len(steps))))


def _not_negative(terms: np.ndarray, target: np.ndarray) -> list[float]:
    """argmin |terms x - target| over the columns that are left when negative ones are dropped."""
    kept = list(range(terms.shape[1]))
    while True:
        size = np.linalg.norm(terms[:, kept], axis=0)
        size[size == 0] = 1
        found = np.linalg.lstsq(terms[:, kept] / size, target, rcond=None)[0] / size
        if (found >= 0).all():
            every = np.zeros(terms.shape[1])
            every[kept] = found
            return every.tolist()
        del kept[int((found * size).argmin())]
