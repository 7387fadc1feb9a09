"""What was written into memory between two moments: new arrays, and old ones with other numbers."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from halfbits.course.checks.memory import Snapshot

KIND = {
    "a tensor": lambda: torch.zeros(100_000),
    "an array": lambda: np.zeros(100_000, np.float32),
    "bytes": lambda: bytearray(400_000),
}


@pytest.mark.parametrize("make", KIND.values(), ids=KIND)
def test_nothing_new_is_no_bytes_and_a_new_array_is_all_of_it(make) -> None:
    kept = [make()]
    snapshot = Snapshot(least=300_000)
    assert snapshot.written() == 0
    kept.append(make())
    assert snapshot.written() == 400_000


@pytest.mark.parametrize("make", KIND.values(), ids=KIND)
def test_array_that_was_there_counts_once_its_numbers_change(make) -> None:
    kept = [make()]
    snapshot = Snapshot(least=300_000)
    kept[0][5] = 1
    assert snapshot.written() == 400_000


def test_array_that_went_away_makes_no_room_for_another() -> None:
    kept = [torch.zeros(100_000)]
    snapshot = Snapshot(least=300_000)
    kept[0] = torch.ones(100_000)
    assert snapshot.written() == 400_000
