"""Work on one thread, which takes as long on every machine, however many cores it has."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def one_thread() -> Iterator[None]:
    """torch's number of threads is 1 in the block, and what it was afterwards.

    The products of a small model gain little from a second thread; where a core is busy, each of
    them waits for it.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
