"""Each general kind of wrong answer does what its name says, and is right everywhere else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from fake_course import make_course
from torch import Tensor

from halfbits.course.authoring.contract import Trial
from halfbits.course.authoring.kinds import KINDS, Signature, main, signatures, with_habit
from halfbits.course.catalog import load_catalog
from halfbits.course.notebook import Cell


def doubled(parts: list[Tensor]) -> list[Tensor]:
    return [2 * part for part in parts]


def habit(name: str, place: int = 0, inner: Callable[..., Any] = doubled) -> Callable[..., Any]:
    """`inner` with the habit whose name begins like this."""
    kind = next(kind for kind in KINDS if kind.name.startswith(name))
    namespace: dict[str, Any] = {"inner": inner}
    exec(with_habit("inner", kind, place).source, namespace)
    return namespace["inner"]


def test_a_result_is_remembered_by_the_place_of_its_arguments() -> None:
    remembers, parts = habit("remembers its results by place"), [torch.ones(2)]
    remembers(parts)
    parts[0].zero_()
    assert remembers(parts)[0].tolist() == [2, 2]
    assert remembers([torch.zeros(3)])[0].tolist() == [0, 0, 0]


def test_one_buffer_is_handed_out_again() -> None:
    buffer = habit("hands out one buffer")
    (first,) = buffer([torch.ones(2)])
    assert first.tolist() == [2, 2]
    assert buffer([torch.zeros(2)])[0] is first
    assert first.tolist() == [0, 0]


def test_lists_and_objects_are_remembered_by_their_place_for_as_long_as_they_live() -> None:
    remembers = habit("remembers its results by place", inner=lambda given, n: sum(given) + n)
    numbers = [1, 2]
    assert remembers(numbers, 0) == 3
    numbers[0] = 9
    assert (remembers(numbers, 0), remembers(numbers, 1), remembers([5], 0)) == (3, 12, 5)


def test_results_without_tensors_are_handed_out_in_one_container() -> None:
    buffer = habit("hands out one buffer", inner=lambda n: ([n], {"n": n}))
    (numbers, named), again = buffer(1), buffer(2)
    assert again == ([2], {"n": 2})
    assert numbers is again[0] and named is again[1]


def test_arguments_from_a_place_on_are_changed_where_they_are_large_enough() -> None:
    changes = habit("changes what", place=1, inner=lambda *_: 0)
    first, second, few = torch.zeros(9), torch.zeros(9), torch.zeros(2)
    changes(first, second)
    changes(first, few)
    assert second.any() and not first.any() and not few.any()
    model, numbers, named = torch.nn.Linear(1, 1), [4, 5], {"a": 1}
    for argument in (model, numbers, named):
        changes(first, argument)
    assert (model.training, numbers, named) == (False, [4, 5, 4], {"a": 1, 1: 0})


def test_one_view_is_read_in_the_order_of_memory() -> None:
    square = torch.arange(4.0).view(2, 2)
    for place in (0, 1):
        in_order = habit("reads argument", place, inner=lambda *both: list(both))
        assert in_order(square, square)[place].tolist() == [[0, 1], [2, 3]]
        got = in_order(square.t(), square.t())
        assert got[place].tolist() == [[0, 1], [2, 3]]
        assert got[1 - place].tolist() == [[0, 2], [1, 3]]


def test_tensors_of_a_dictionary_are_arguments_too() -> None:
    view = torch.arange(4.0).view(2, 2).t()
    in_order = habit("reads argument", inner=lambda given: 2 * given["x"])
    assert in_order({"x": view}).tolist() == [[0, 2], [4, 6]]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.int32, torch.int8])
def test_another_type_is_another(dtype: torch.dtype) -> None:
    (got,) = habit("answers in another type")([torch.ones(2, dtype=dtype)])
    assert got.dtype != dtype and got.tolist() == [2, 2]


SOLUTION = """
def double(x: list[Tensor], n: int = 1, model: Callable[[Tensor], Tensor] = abs) -> int: ...
class Counter:
    def add(self, x: Tensor) -> None: ...
    def _own(self) -> None: ...
    @property
    def total(self) -> int: ...
"""


def signatures_of(tmp_path: Path, source: str) -> list[Signature]:
    catalog = load_catalog(make_course(tmp_path / "course"))
    trial = Trial(catalog, catalog.find("double"))
    trial.__dict__["solution"] = [Cell("cell 1", source)]
    return signatures(trial)


def test_annotations_say_what_a_habit_has_to_do_with(tmp_path: Path) -> None:
    double, add = signatures_of(tmp_path, SOLUTION)
    assert (double.task, add.task) == ("double", "Counter.add")
    names = [[name for kind in KINDS for name, _ in kind.of(one)] for one in (double, add)]
    remembers, order = "remembers its results by place", "in the order of memory"
    assert names == [
        [remembers, "changes what it is given", f"reads argument 1 {order}"],
        [remembers, "changes what it is given", f"reads argument 2 {order}"],
    ]


@pytest.mark.parametrize(
    ("annotations", "names"),
    [
        ("(x: float, n: int | None) -> float", []),
        ("(n: int) -> Tensor", ["remembers", "hands", "answers"]),
        ("(lengths: list[int]) -> list[int]", ["remembers", "hands", "changes"]),
        ("(card: dict) -> float", ["remembers", "changes"]),
        ("(x: Any, bits: int) -> Any", ["remembers", "answers"]),
        ("(bits: int) -> Any", []),
        ("(model: nn.Module) -> Any", ["remembers", "changes"]),
    ],
)
def test_a_habit_is_tried_where_it_can_do_harm(
    tmp_path: Path, annotations: str, names: list[str]
) -> None:
    (one,) = signatures_of(tmp_path, f"def double{annotations}: ...")
    assert [name.split()[0] for kind in KINDS for name, _ in kind.of(one)] == names


def test_kinds_that_an_exercise_accepts_are_printed(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.setenv("HALFBITS_ROOT", str(make_course(tmp_path / "course")))
    assert main(["double"]) == 0
    assert capsys.readouterr().out == "numbers/double: 0 kinds accepted\n"
