"""Stops a cell or a check that runs too long, so that the others are still judged.

A timer raises `TimeUp` in the main thread. Where the system has none (Windows), or the code catches
everything or stays inside one operation, the grader's own limit on the whole answer remains.
"""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Iterator

AVAILABLE = hasattr(signal, "setitimer")
SHARE = 2 / 3  # of what is left is the most that one cell or check may take
LEAST = 0.05  # seconds


class TimeUp(BaseException):
    """The code ran for `seconds`, which is all that it had."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"still running after {seconds:.3g} s")
        self.seconds = seconds


def remaining(end: float) -> float:
    """The seconds that the next one may take, of those until `end` on the monotonic clock."""
    return max(LEAST, SHARE * (end - time.monotonic()))


@contextlib.contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Raise `TimeUp` in the block once it has run for `seconds`."""
    if not AVAILABLE:
        yield
        return

    def stop(number: int, frame: object) -> None:
        raise TimeUp(seconds)

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
