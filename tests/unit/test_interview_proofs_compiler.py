"""When `torch.compile` compiles again or cuts a graph, as the interview bank says."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor
from torch._dynamo.exc import Unsupported, UserError


@pytest.fixture
def graphs() -> Iterator[list[int]]:
    """How many operations each graph has that `torch.compile` hands to its backend."""
    torch._dynamo.reset()
    yield []
    torch._dynamo.reset()


def compiled(graphs: list[int], function: Callable[..., Any], **options: Any) -> Callable[..., Any]:
    def backend(graph: torch.fx.GraphModule, _: list[Tensor]) -> Callable[..., Any]:
        graphs.append(len(graph.graph.nodes))
        return graph.forward

    return torch.compile(function, backend=backend, **options)


def test_a_second_shape_is_compiled_for_all_and_another_type_once_more(graphs: list[int]) -> None:
    double = compiled(graphs, lambda x: torch.relu(2 * x + 1).sum())
    counts = []
    for x in (*(torch.ones(rows, 4) for rows in (3, 5, 7, 9)), torch.ones(9, 4).double()):
        double(x)
        counts.append(len(graphs))
    assert counts == [1, 2, 2, 2, 3]


def test_fixed_shapes_are_given_up_after_eight(graphs: list[int]) -> None:
    fixed = compiled(graphs, lambda x: torch.relu(2 * x + 1).sum(), dynamic=False)
    for rows in range(2, 14):
        assert fixed(torch.ones(rows, 4)) == 12 * rows
    assert len(graphs) == 8


def test_a_number_that_python_asks_for_breaks_the_graph(graphs: list[int]) -> None:
    def branch(x: Tensor) -> Tensor:
        y = 2 * x
        if y.sum().item() > 0:
            y = y + 1
        return 3 * y

    compiled(graphs, branch)(torch.ones(4))
    assert len(graphs) == 2
    with pytest.raises((Unsupported, UserError)):
        compiled(graphs, branch, fullgraph=True)(torch.ones(4))


def test_a_traced_model_keeps_the_branch_that_it_took_and_a_scripted_one_keeps_both() -> None:
    def halved(x: Tensor) -> Tensor:
        if bool(x.sum() > 0):
            return x / 2
        return -x

    up, down = torch.ones(3), -torch.ones(3)
    with warnings.catch_warnings():  # that a branch is frozen, and that both are deprecated
        warnings.simplefilter("ignore")
        traced, scripted = torch.jit.trace(halved, up), torch.jit.script(halved)
    assert torch.equal(traced(down), down / 2)  # wrong
    assert torch.equal(scripted(down), -down) and torch.equal(scripted(up), up / 2)
