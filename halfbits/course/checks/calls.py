"""What every function must do that is called more than once: each call is on its own."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from torch import Tensor, nn

from halfbits.course.checks import Suite, expect
from halfbits.course.checks.overwriting import (
    copied,
    is_fixed,
    made_at,
    overwrite,
    spoil,
    tensors,
)
from halfbits.course.checks.values import as_float64, describe

Draw = Callable[[int], tuple[Any, ...]]
Room = Callable[[Any], float]
DRAWS = 5  # of arguments, until the result of one differs from that of the first


class Calls(Suite):
    """A function whose arguments `draw(seed)` makes: of the same shapes for each seed.

    They may be tensors of any framework, arrays, lists, dictionaries, models and objects.
    `through(task, *arguments)` calls it, where that is not `task(*arguments)`. Two results are the
    same if they differ by `room` of the largest number: the same numbers in another place may be
    summed in another order, while those of another call are far off.
    """

    def __init__(
        self, task: str, draw: Draw, through: Callable[..., Any] | None = None, room: float = 0.05
    ) -> None:
        super().__init__(task)
        self.draw, self.through, self.room = draw, through, room
        self.kept: list[Any] = []  # so that no later argument takes the place of an earlier one

    def result(self, answer: Any, arguments: tuple[Any, ...]) -> Any:
        """What the function gives for these arguments."""
        self.kept.append(arguments)
        return self.given(answer, arguments)

    def given(self, answer: Any, arguments: tuple[Any, ...]) -> Any:
        """The same, of arguments that are gone afterwards."""
        if self.through is None:
            return self.call(answer, *arguments)
        return self.through(getattr(answer, self.task), *arguments)

    def test_reads_its_arguments_at_every_call(self, answer: Any, seed: int) -> None:
        """The same tensors with other numbers in them give another result: none is remembered.

        A place in memory is used again for other numbers, so neither it nor an `id` names a result.
        """
        first = self.draw(seed)
        before = plain(self.result(answer, first))
        second, want = self._another(answer, seed, before)
        elsewhere = self.result(answer, copy.deepcopy(first))
        self.demand(elsewhere, before, "the result for the same numbers in another place")
        for place, value in enumerate(first):
            if is_fixed(value):
                self._demand_new(answer, first, second, place)
        if not all(map(is_fixed, first)):
            self.result(answer, first)  # the last call, should one result be remembered at a time
            first = overwrite(first, second)
            self.demand(self.result(answer, first), want, "the result of the second call")

    def test_gives_a_result_that_is_the_callers(self, answer: Any, seed: int) -> None:
        """A result is the caller's: no later call changes it, and changing it changes no later one.

        A buffer that every call fills anew changes the results that were handed out before.
        """
        got = self.result(answer, self.draw(seed))
        before = copy.deepcopy(plain(got))
        self.result(answer, self.draw(seed + 1))
        self.demand(got, before, "the first result, after a second call")
        spoil(got)
        written = copy.deepcopy(plain(got))
        again = self.result(answer, self.draw(seed))
        self.demand(got, written, "what was written into the first result, after a third call")
        self.demand(again, before, "the same call's result, after the first was written to")

    def _demand_new(
        self, answer: Any, first: tuple[Any, ...], second: tuple[Any, ...], place: int
    ) -> None:
        """A tensor that cannot be changed goes, and another at its place has a result of its own.

        Nothing can be seen where this argument alone makes no difference.
        """
        before = plain(self.result(answer, first))
        want = self.result(answer, (*first[:place], second[place], *first[place + 1 :]))
        if self._alike(before, want):
            return
        arguments = [*first]
        arguments[place] = copied(first[place])
        address = id(arguments[place])
        self.given(answer, tuple(arguments))
        arguments[place] = None
        arguments[place] = made_at(address, second[place])
        if arguments[place] is not None:
            got = self.given(answer, tuple(arguments))
            self.demand(got, want, "the result for a tensor at the place of one that is gone")

    def _another(self, answer: Any, seed: int, before: Any) -> tuple[tuple[Any, ...], Any]:
        """Arguments with another result than `before`, and that result: chance may make two alike.

        They are copies, in a place of their own.
        """
        for number in range(1, DRAWS + 1):
            second = self.draw(seed + number)
            want = self.result(answer, copy.deepcopy(second))
            if not self._alike(before, want):
                return second, want
        got = "the same result for other arguments"
        expect.true(False, expected="another result", got=got)
        raise AssertionError("unreachable")

    def _alike(self, got: Any, want: Any) -> bool:
        try:
            self.demand(got, want, "")
        except expect.CheckFailed:
            return False
        return True

    def demand(self, got: Any, want: Any, of: str, room: Room | None = None) -> None:
        """`got` is `want`, part by part and within `room(part)`, else within `self.room` of it."""
        if isinstance(want, nn.Module):
            self.demand(tensors(got), tensors(want), of, room)
        elif isinstance(want, Mapping):
            expect.equal(_keys(got), [*want], of=f"the keys of {of}")
            for key, value in want.items():
                self.demand(got[key], value, f"{key} of {of}", room)
        elif isinstance(want, (list, tuple)):
            expect.equal(_length(got), len(want), of=f"the length of {of}")
            for part, value in zip(got, want, strict=True):
                self.demand(part, value, of, room)
        elif isinstance(want, (int, float, complex)) or hasattr(want, "shape"):
            expect.close(got, want, atol=(room or self._share)(want), of=of)
        else:
            expect.equal(got, want, of=of)

    def _share(self, want: Any) -> float:
        """`room` of the largest finite number."""
        size = np.nan_to_num(np.abs(as_float64(want)), posinf=0.0)
        return float(self.room * size.max(initial=0.0))


def _keys(value: Any) -> list[Any] | str:
    return [*value] if isinstance(value, Mapping) else describe(value)


def _length(value: Any) -> int | str:
    return len(value) if isinstance(value, (list, tuple)) else describe(value)


def plain(value: Any) -> Any:
    """`value` with every tensor in it out of its graph, so that it can be copied."""
    if isinstance(value, Tensor):
        return value.detach()
    if isinstance(value, Mapping):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    return value
