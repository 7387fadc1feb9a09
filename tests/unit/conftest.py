"""For the unit tests: each ends the processes that it started."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from processes import command_of, left_since, soon

from halfbits.course.grading.process import descendants


@pytest.fixture(autouse=True)
def nothing_is_left_running() -> Iterator[None]:
    """Fail a test whose processes outlive it, and end them: the next one counts its own."""
    before = set(descendants.of(os.getpid()))
    yield
    if soon(lambda: not left_since(before)):
        return
    left = {pid: command_of(pid) for pid in left_since(before)}
    descendants.kill(left)
    pytest.fail(f"processes were left running: {left}")
