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
from halfbits.course.authoring.kinds import KINDS, main, signatures, with_habit
from halfbits.course.catalog import load_catalog
from halfbits.course.notebook import Cell


def doubled(parts: list[Tensor]) -> list[Tensor]:
    return [2 * part for part in parts]


def habit(name: str) -> Callable[..., Any]:
    """`doubled` with the habit of this name."""
    kind = next(kind for kind in KINDS if kind.name == name)
    namespace: dict[str, Any] = {"doubled": doubled}
    exec(with_habit("doubled", kind).source, namespace)
    return namespace["doubled"]


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


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("changes an argument that is a view", {"a view"}),
        ("changes an argument of some size", {"large"}),
    ],
)
def test_an_argument_is_changed_under_a_condition(name: str, changed: set[str]) -> None:
    arguments = {
        "small": torch.zeros(2),
        "large": torch.zeros(9),
        "a view": torch.zeros(4, 2)[:, 0],
    }
    for argument in arguments.values():
        habit(name)([argument])
    assert {key for key, value in arguments.items() if value.any()} == changed


def test_a_view_is_read_in_the_order_of_memory() -> None:
    in_order, square = habit("reads a view in the order of memory"), torch.arange(4.0).view(2, 2)
    assert in_order([square])[0].tolist() == [[0, 2], [4, 6]]
    assert in_order([square.t()])[0].tolist() == [[0, 2], [4, 6]]


def test_tensors_of_a_dictionary_are_arguments_too() -> None:
    namespace: dict[str, Any] = {"doubled": lambda given: 2 * given["x"]}
    for name in ("reads a view in the order of memory", "changes an argument that is a view"):
        kind = next(kind for kind in KINDS if kind.name == name)
        exec(with_habit("doubled", kind).source.replace("@functools.wraps(inner)", ""), namespace)
    view = torch.arange(4.0).view(2, 2).t()
    assert namespace["doubled"]({"x": view}).tolist() == [[0, 2], [4, 6]]
    assert view[0, 0] == 3


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.int32, torch.int8])
def test_another_type_is_another(dtype: torch.dtype) -> None:
    (got,) = habit("answers in another type")([torch.ones(2, dtype=dtype)])
    assert got.dtype != dtype and got.tolist() == [2, 2]


def test_annotations_say_where_a_task_has_tensors(tmp_path: Path) -> None:
    catalog = load_catalog(make_course(tmp_path / "course"))
    trial = Trial(catalog, catalog.find("double"))
    trial.__dict__["solution"] = [Cell("cell 1", "def double(x: list[Tensor], n=1) -> int: ...")]
    assert signatures(trial) == {"double": {"arguments": "list[Tensor]", "result": "int"}}


def test_a_task_without_tensors_has_no_habits(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.setenv("HALFBITS_ROOT", str(make_course(tmp_path / "course")))
    assert main(["double"]) == 0
    assert capsys.readouterr().out == "numbers/double: 0 kinds accepted\n"
