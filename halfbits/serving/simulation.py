"""A server as a loop over steps: who joins, who runs, who gives its blocks back, who is done.

Continuous batching decides anew before every step (Yu et al. 2022, Orca); chunks of prompts beside
rows that decode, under a budget of tokens, are those of Sarathi-Serve (Agrawal et al. 2024).
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from halfbits.serving.block_pool import BlockPool
from halfbits.serving.policy import Policy
from halfbits.serving.report import Served
from halfbits.serving.request import Request
from halfbits.serving.step import Step


@dataclass(frozen=True)
class Done:
    """One step that was done: its start and duration in seconds, and what was there then."""

    start: float
    seconds: float
    step: Step
    rows: int
    waiting: int
    held: int


@dataclass
class Run:
    """A simulation's result: the requests in their order, and the steps.

    `reused` tokens were found in the cache at admissions, `lost` ones left it in the `preempted`
    preemptions. All tokens of the steps + reused - lost = those of all requests, less the last of
    each answer, which is not read again.
    """

    served: list[Served] = field(default_factory=list)
    steps: list[Done] = field(default_factory=list)
    preempted: int = 0
    reused: int = 0
    lost: int = 0


@dataclass(eq=False)
class _Row:
    """`computed` tokens have their keys and values in the cache, where there is `room` for so many.

    `todo` are to be read before the next token comes: 1 while it decodes, 0 when it is done.
    """

    number: int
    request: Request
    todo: int
    computed: int = 0
    room: int = 0
    times: list[float] = field(default_factory=list)


def simulate(
    requests: Sequence[Request],
    seconds: Callable[[Step], float],
    policy: Policy,
    pool: BlockPool,
) -> Run:
    """Serve all requests, in the order of their arrival; `seconds` says how long a step takes.

    Every request has a finite time: raises ValueError for one that does not fit an empty pool, and
    for a chunk that cannot hold a token of each row.
    """
    _check(requests, policy, pool)
    return _Server(requests, policy, pool).run(seconds)


class _Server:
    def __init__(self, requests: Sequence[Request], policy: Policy, pool: BlockPool) -> None:
        self._rows = [_Row(i, request, request.prompt) for i, request in enumerate(requests)]
        self._waiting = deque(sorted(self._rows, key=lambda row: row.request.arrival))
        self._arrivals = [row.request.arrival for row in self._waiting]
        self._running: list[_Row] = []
        self._policy, self._pool, self._result = policy, pool, Run()
        self._now, self._finished = 0.0, 0

    def run(self, seconds: Callable[[Step], float]) -> Run:
        """Steps until nobody waits or runs."""
        while self._waiting or self._running:
            if not self._running:
                self._now = max(self._now, self._waiting[0].request.arrival)
            self._make_room()
            self._admit()
            self._step(seconds)
        self._result.served = [Served(row.request.arrival, row.times) for row in self._rows]
        return self._result

    def _admit(self) -> None:
        if self._policy.is_static and self._running:
            return
        while len(self._running) < self._policy.slots and self._has_arrived():
            row = self._waiting[0]
            found = self._pool.admit(row.number, row.request, self._room(row), self._spare)
            if found is None:
                return
            row.computed, row.todo = found, row.todo - found
            row.room = self._pool.room(row.number)
            self._result.reused += found
            self._running.append(self._waiting.popleft())

    def _has_arrived(self) -> bool:
        return bool(self._waiting) and self._waiting[0].request.arrival <= self._now

    def _room(self, row: _Row) -> int:
        whole = self._policy.reserve or self._policy.is_static
        return _most(row.request) if whole else row.request.prompt + len(row.times)

    @property
    def _spare(self) -> int:
        """Blocks that stay free at an admission; none while nothing runs."""
        is_needed = self._running and not (self._policy.is_static or self._policy.reserve)
        return int(self._policy.watermark * self._pool.blocks) if is_needed else 0

    def _count_waiting(self) -> int:
        arrived = bisect_right(self._arrivals, self._now)
        return arrived - self._finished - len(self._running)

    def _step(self, seconds: Callable[[Step], float]) -> None:
        parts = list(self._parts())
        step = Step.of((new, row.computed, new == row.todo) for row, new in parts)
        took = seconds(step)
        counts = len(self._running), self._count_waiting(), self._pool.held
        self._result.steps.append(Done(self._now, took, step, *counts))
        self._now += took
        for row, new in parts:
            self._advance(row, new)
        self._retire()

    def _parts(self) -> Iterator[tuple[_Row, int]]:
        """Each row with the tokens that it reads in this step; those that decode come first."""
        left = self._policy.chunk or sum(row.todo for row in self._running)
        for row in sorted(self._running, key=lambda row: row.todo > 1):
            new = min(row.todo, left)
            if new:
                left -= new
                yield row, new

    def _make_room(self) -> None:
        """A block for each row that needs one; the last arrived gives way where there is none."""
        place = 0
        while place < len(self._running):
            row = self._running[place]
            if row.computed + row.todo <= row.room or self._grow(row):
                place += 1
            else:
                self._preempt(self._running.pop())

    def _grow(self, row: _Row) -> bool:
        is_given = self._pool.grow(row.number, row.computed + row.todo)
        row.room = self._pool.room(row.number)
        return is_given

    def _preempt(self, row: _Row) -> None:
        """Its blocks are given back; prompt and answer so far will be read again as one prompt."""
        self._pool.release(row.number)
        self._result.lost += row.computed
        self._result.preempted += 1
        row.computed, row.todo = 0, row.computed + row.todo
        self._waiting.appendleft(row)

    def _advance(self, row: _Row, new: int) -> None:
        row.computed, row.todo = row.computed + new, row.todo - new
        if not row.todo:
            if not row.times:
                self._pool.share(row.number, row.request)
            row.times.append(self._now)
            row.todo = int(len(row.times) < row.request.answer)

    def _retire(self) -> None:
        """Give back the blocks of who is done: each at once, or a static batch together."""
        if self._policy.is_static and any(row.todo for row in self._running):
            return
        for row in self._running:
            if not row.todo:
                self._pool.release(row.number)
                self._finished += 1
        self._running = [row for row in self._running if row.todo]


def _most(request: Request) -> int:
    """Tokens in the cache at the end: the last one of an answer is not read again."""
    return request.prompt + request.answer - 1


def _check(requests: Sequence[Request], policy: Policy, pool: BlockPool) -> None:
    if policy.slots < 1 or (policy.chunk is not None and policy.chunk < policy.slots):
        raise ValueError(f"{policy}: needs a slot, and a chunk of at least a token for each slot")
    for request in requests:
        if pool.needed(_most(request)) > pool.blocks:
            raise ValueError(
                f"{request} needs {pool.needed(_most(request))} blocks; there are {pool.blocks}"
            )
