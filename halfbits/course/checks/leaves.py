"""What a function must leave as it was that runs a model of its caller's, however it ends."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from halfbits.course.checks import Suite, cases, doubles, expect, hardened
from halfbits.course.checks.cases import each

MODES = {"in training": True, "in eval mode": False, "mixed flags": None}


class Leaves(Suite):
    """A function of a model and an input; `arguments(model, x)` are those that it is called with.

    x is float32 [5, 8]. Each model is a float32 nn.Sequential of Linear layers at two depths, a
    norm and a dropout, which pickle can copy.
    """

    def __init__(
        self,
        task: str,
        arguments: Callable[[nn.Module, Tensor], tuple[Any, ...]] = lambda *both: both,
    ) -> None:
        super().__init__(task)
        self.arguments = arguments

    def run(self, answer: Any, model: nn.Module, x: Tensor) -> Any:
        """What the function gives for this model and this input."""
        return self.call(answer, *self.arguments(model, x))

    def test_leaves_each_part_of_the_model_alone(self, answer: Any, seed: int) -> None:
        """The model keeps its numbers, types and hooks, and each of its parts keeps its mode.

        Modes that are set for the whole model, and put back for the whole, are lost where the parts
        differ; a layer that is replaced for a while must come back as well.
        """
        x = cases.normal(seed, 5, 8)
        for mode in each(MODES):
            model = _model(seed, mode)
            with expect.untouched(model, x):
                self.run(answer, model, x)

    def test_leaves_the_callers_settings(self, answer: Any, seed: int) -> None:
        """Gradient mode, autocast, default dtype and hooks of all modules stay the caller's own.

        Whoever calls without gradients goes on without them.
        """
        model, x = _model(seed, training=False), cases.normal(seed, 5, 8)
        for settings in each(_regions()):
            with settings:
                before = surroundings()
                self.run(answer, model, x)
                expect.equal(surroundings(), before, of="the settings after")

    @hardened
    def test_leaves_no_trace_of_an_error(self, answer: Any, seed: int) -> None:
        """What the model raises goes through, Ctrl-C too, and everything is as before the call.

        A notebook goes on after an error, with the same model.
        """
        x = cases.normal(seed, 5, 8)
        for error in (LookupError("this model fails"), KeyboardInterrupt()):
            for place in each({"at its beginning": 0, "inside": 1, "at its end": 4}):
                model, before = _model(seed, None), surroundings()
                model.insert(place, nn.Sequential(doubles.Broken(error)))
                with expect.untouched(model, x):
                    expect.raises(type(error), lambda: self.run(answer, model, x))  # noqa: B023
                expect.equal(surroundings(), before, of="the settings after")


def surroundings() -> dict[str, object]:
    """The settings that hold for all models: of gradients, of autocast, of types, and hooks."""
    module = nn.modules.module
    return {
        "gradients": torch.is_grad_enabled(),
        "autocast": torch.is_autocast_enabled("cpu"),
        "autocast's dtype": torch.get_autocast_dtype("cpu"),
        "default dtype": torch.get_default_dtype(),
        "hooks of all modules": len(module._global_forward_hooks)
        + len(module._global_forward_pre_hooks),
    }


def _model(seed: int, training: bool | None) -> nn.Sequential:
    """A model in one mode; in two modes for None: the norm and the inner dropout in eval mode."""
    inner = nn.Sequential(cases.linear(seed + 2, 8, 6), nn.Dropout(0.5))
    norm, last = nn.LayerNorm(6), cases.linear(seed + 4, 6, 4)
    model = nn.Sequential(cases.linear(seed, 8, 8), nn.ReLU(), inner, norm, last)
    model.train(training is not False)
    if training is None:
        norm.eval()
        inner[1].eval()
    return model


def _regions() -> dict[str, contextlib.AbstractContextManager[Any]]:
    return {
        "with gradients": torch.enable_grad(),
        "without gradients": torch.no_grad(),
        "in autocast": torch.autocast("cpu", dtype=torch.bfloat16),
        "float64 as default dtype": _default_dtype(torch.float64),
    }


@contextlib.contextmanager
def _default_dtype(dtype: torch.dtype) -> Iterator[None]:
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def failing_later(function: Callable[[Any], Any], kind: type[BaseException]) -> Any:
    """`function`, but for its second call and all later ones, which raise `kind`."""
    calls = itertools.count()

    def run(x: Any) -> Any:
        if next(calls):
            raise kind
        return function(x)

    return run
