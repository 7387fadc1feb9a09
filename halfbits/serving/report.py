"""What a load test says: time to first token, time per output token, and goodput."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Served:
    """A request's arrival and the times at which its tokens came, in seconds, ascending.

    A request that failed has no times. `tokens` is how many came, where several may come at once.
    """

    arrival: float
    times: Sequence[float]
    tokens: int = 0

    @property
    def count(self) -> int:
        """Tokens of the answer."""
        return self.tokens or len(self.times)

    @property
    def ttft(self) -> float:
        """Seconds from arrival to the first token; NaN without one."""
        return self.times[0] - self.arrival if self.times else math.nan

    @property
    def tpot(self) -> float:
        """(last time - first) / (tokens - 1) in seconds; NaN with fewer than two tokens."""
        if self.count < 2:
            return math.nan
        return (self.times[-1] - self.times[0]) / (self.count - 1)

    def is_good(self, ttft_limit: float, tpot_limit: float) -> bool:
        """Whether it was served within both limits; a single token has only the first."""
        return self.ttft <= ttft_limit and not self.tpot > tpot_limit


def percentile(values: Sequence[float], percent: int) -> float:
    """The smallest value with at least `percent` % of the values at or below it; NaN of none."""
    place = -(-percent * len(values) // 100)
    return sorted(values)[place - 1] if values else math.nan


def load_report(
    served: Sequence[Served],
    ttft_limit: float,
    tpot_limit: float,
    percents: Sequence[int] = (50, 99),
) -> dict[str, float]:
    """Percentiles of TTFT and TPOT in seconds, tokens and good requests a second, share of good.

    Keys: ttft_p50, ..., tpot_p99, tokens_per_second, goodput, attainment. The span of both rates
    goes from the first arrival to the last token; without a token they are 0. Zhong et al. 2024,
    DistServe: https://arxiv.org/abs/2401.09670.
    """
    report: dict[str, float] = {}
    for name in ("ttft", "tpot"):
        known = [v for v in (getattr(one, name) for one in served) if not math.isnan(v)]
        report |= {f"{name}_p{p}": percentile(known, p) for p in percents}
    ends = [one.times[-1] for one in served if one.times]
    span = max(ends) - min(one.arrival for one in served) if ends else math.inf
    good = sum(one.is_good(ttft_limit, tpot_limit) for one in served)
    return report | {
        "tokens_per_second": sum(one.count for one in served) / span,
        "goodput": good / span,
        "attainment": good / len(served) if served else math.nan,
    }
