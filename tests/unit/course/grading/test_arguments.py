"""Models and layers are watched as the other arguments of a call are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from halfbits.course.checks import context
from halfbits.course.grading.judge.arguments import Arguments


def change_after(function: Callable[..., Any], *args: Any, **kwargs: Any) -> str:
    """What a call did to its arguments, in words; nothing if it left them alone."""
    arguments = Arguments()
    arguments.call(function, args, kwargs)
    return arguments.changed.got if arguments.changed else ""


@pytest.mark.parametrize(
    ("does", "said"),
    [
        (lambda model: model(torch.ones(1, 2)), ""),
        (lambda model: model.train(), "training of argument 1 changed: False is now True"),
        (lambda model: model[1].train(), "1.training of argument 1 changed: False is now True"),
        (
            lambda model: model[1].register_forward_hook(print),
            "1.hooks of argument 1 changed: 0 is now 1",
        ),
        (
            lambda model: model[0].weight.data.mul_(2),
            "0.weight of argument 1 changed: other values",
        ),
    ],
)
def test_a_model_keeps_its_numbers_modes_and_hooks(does: Callable[..., Any], said: str) -> None:
    assert change_after(does, nn.Sequential(nn.Linear(2, 2), nn.Dropout()).eval()) == said


class Layer(nn.Module):
    """What an answer may define, with a method that is PyTorch's and fills its argument."""

    def forward(self, x: Tensor) -> Tensor:
        y = x + 1
        if not x.is_contiguous():
            x.zero_()
        return y

    def state_dict(self, *, destination: dict[str, Any], **_: Any) -> dict[str, Any]:  # type: ignore[override]
        destination["x"] = 0
        return destination


def test_input_of_a_layer_is_looked_at_whatever_its_layout() -> None:
    arguments, layer, own = Arguments(), Layer(), vars(Layer)["forward"]
    arguments.watch(Layer)
    arguments.watch(Layer)
    layer(torch.ones(2, 3))
    assert arguments.changed is None
    layer(torch.ones(2, 3).t())
    assert arguments.changed is not None
    assert arguments.changed.called == "Layer.forward(float32 [3, 2] (1, 1, 1, 1, 1, 1))"
    arguments.release()
    assert vars(Layer)["forward"] is own


def test_what_overrides_a_method_of_pytorch_may_fill_its_arguments() -> None:
    arguments = Arguments()
    arguments.watch(Layer)
    assert Layer().state_dict(destination={}) == {"x": 0}
    arguments.release()
    assert arguments.changed is None


@dataclass
class Request:
    """An argument that is a dataclass."""

    tokens: list[int]


def test_a_dataclass_and_a_set_are_looked_at() -> None:
    assert change_after(lambda one: one.tokens.pop(), Request([1])).startswith("argument 1 changed")
    assert change_after(lambda one: one.add(2), one={1}).startswith("argument one changed")


def test_arguments_that_may_change_are_not_looked_at() -> None:
    context.begin(test_arguments_that_may_change_are_not_looked_at)
    with context.in_place():
        assert change_after(lambda one: one.clear(), [1]) == ""
    assert change_after(lambda one: one.clear(), [1])
