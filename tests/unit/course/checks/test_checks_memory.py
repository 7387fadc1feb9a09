"""The bytes of numbers are found wherever an object keeps them, and counted once."""

from __future__ import annotations

import array
import functools
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from halfbits.course.checks.memory import SLACK, held, namespace_of

N = 10_000
W = torch.randn(100, 100)


def closing_over(w: Tensor):
    return lambda: w


def with_default(w: Tensor):
    def inner(x=w):
        return x

    return inner


class Slots:
    __slots__ = ("w",)

    def __init__(self, w: Tensor) -> None:
        self.w = w


HIDDEN = {
    "a float32 tensor": lambda: W.clone(),
    "a float16 tensor": lambda: W.half(),
    "a part of a large tensor": lambda: W.clone()[:1],
    "rows in a tuple": lambda: tuple(row.clone() for row in W),
    "a numpy array": lambda: W.numpy().copy(),
    "an array of objects": lambda: np.array([W.clone(), None], dtype=object),
    "a list of numbers": lambda: W.tolist(),
    "a dictionary": lambda: {"w": {"w": W.half()}},
    "bytes": lambda: W.numpy().tobytes(),
    "an array of the standard library": lambda: array.array("f", W.flatten().tolist()),
    "a closure": lambda: closing_over(W.clone()),
    "a default argument": lambda: with_default(W.clone()),
    "a partial function": lambda: functools.partial(torch.add, W.clone()),
    "a bound method": lambda: W.clone().sum,
    "an attribute": lambda: SimpleNamespace(w=W.clone()),
    "a slot": lambda: Slots(W.clone()),
    "a module": lambda: nn.Sequential(nn.Linear(100, 100)),
    "a gradient": lambda: with_gradient(),
}


def with_gradient() -> Tensor:
    x = torch.zeros(1, requires_grad=True)
    x.grad = None
    holder = torch.zeros(100, 100, requires_grad=True)
    holder.sum().backward()
    return holder


@pytest.mark.parametrize("make", HIDDEN.values(), ids=HIDDEN.keys())
def test_a_copy_is_found(make) -> None:
    assert held([make()]) >= 2 * N


def test_an_ordinary_layer_holds_its_state_and_little_else() -> None:
    layer = nn.Linear(100, 50)
    own = 4 * (100 * 50 + 50)
    assert own <= held(layer) <= own + SLACK


def test_shared_memory_counts_once() -> None:
    w = torch.randn(100, 100)
    assert held([w, w.t(), w[3:], w.numpy()]) == held([w])


def test_the_table_of_a_class_counts_where_its_program_is_looked_at() -> None:
    program = {"__name__": "answer"}
    exec("class Layer:\n    seen = []\n    def of(self): pass", program)
    program["Layer"].seen.append(W.clone())
    assert namespace_of(program["Layer"]) is program
    assert held(program, module="answer") >= 4 * N
    assert held(program, module="another") < SLACK
