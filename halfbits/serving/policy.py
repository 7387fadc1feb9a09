"""What a server's scheduler is told: slots, batching, chunks, and when a request is admitted."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Policy:
    """At most `slots` rows run in a step.

    `chunk` is the most tokens that a step reads, rows that decode first; None reads prompts whole.
    `is_static`: a batch takes who is there, nobody joins while it runs, and its blocks are given
    back together. `reserve`: a request is admitted only with room for its whole answer, otherwise
    with room for its prompt and a `watermark`, a share of all blocks, for the rows that run; when
    blocks run out all the same, the last arrived is preempted.
    """

    slots: int = 256
    chunk: int | None = None
    is_static: bool = False
    reserve: bool = False
    watermark: float = 0.01
