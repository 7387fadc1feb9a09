"""What a function must do that makes a model of another: its own numbers are what answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from halfbits.course.checks import Suite, cases, doubles, expect, tolerance
from halfbits.course.checks.memory import SLACK, held, namespace_of


def run(model: nn.Module, x: Tensor, why: str) -> Tensor:
    """model(x) without a graph; it has to run, and to leave x as it is."""
    try:
        with torch.no_grad(), expect.untouched(x):
            return model(x)
    except RuntimeError as error:
        got = f"RuntimeError: {error}"
        expect.true(False, expected="an output of the new model", got=got, why=why)
        raise


def other_values(tensor: Tensor) -> Tensor:
    """Numbers that differ from those of `tensor` nearly everywhere, of the same dtype."""
    return ~tensor if tensor.dtype == torch.bool else 3 - tensor


class OwnNumbers(Suite):
    """A function that takes a float32 model and returns another, whose inputs are of `dtype`.

    `through(task, model)` calls it, where that is not `task(model)`. The models are a TinyLM, a
    ConvNet and an nn.Sequential of Linear, LayerNorm and Linear.
    """

    seam = "the next matmul has 16-bit weights and refuses a float32 input"

    def __init__(
        self, task: str, dtype: torch.dtype, through: Callable[..., Any] | None = None
    ) -> None:
        super().__init__(task)
        self.low, self.through = dtype, through

    def of(self, answer: Any, model: nn.Module) -> nn.Module:
        """The converted model, which has to be a module."""
        got = self.call(answer, model) if self.through is None else self._through(answer, model)
        why = f"{self.task} returns the new model"
        expect.true(isinstance(got, nn.Module), expected="a module", got=got, why=why)
        return got

    def _through(self, answer: Any, model: nn.Module) -> Any:
        return self.through(getattr(answer, self.task), model)  # type: ignore[misc]

    def test_answers_with_its_own_numbers(self, answer: Any, seed: int) -> None:
        """Each floating tensor of the new model matters: other values give another output.

        What is converted has to be what answers, not a float32 model that is kept beside it.
        """
        # So many images that some reach past the ReLU, whatever the seed: with two, one model in a
        # thousand answers with its last bias alone.
        ids, images = torch.tensor([[0, 5, 31]]), cases.normal(seed, 64, 3, 2, 2).to(self.low)
        for source, x in ((doubles.TinyLM(), ids), (doubles.ConvNet(), images)):
            got = self.of(answer, source)
            before = run(got, x, self.seam)
            for name, tensor in [*got.named_parameters(), *got.named_buffers()]:
                if tensor.is_floating_point():
                    kept = tensor.detach().clone()
                    with torch.no_grad():
                        tensor.copy_(other_values(kept))
                        after = run(got, x, self.seam)
                        tensor.copy_(kept)
                    said = f"the output, {name} changed,"
                    other = not torch.equal(after, before)
                    expect.true(other, expected="another output", got="the same", of=said)

    def test_answers_with_numbers_that_are_loaded(self, answer: Any, seed: int) -> None:
        """With the state_dict of another converted model it gives that model's output.

        All that answers is in the checkpoint: nothing is kept beside it.
        """
        ids, image = torch.tensor([[0, 5, 31]]), cases.normal(seed, 2, 3, 2, 2).to(self.low)
        for make, x in ((doubles.TinyLM, ids), (doubles.ConvNet, image)):
            got, other = self.of(answer, make()), self.of(answer, make())
            want = run(other, x, self.seam)
            got.load_state_dict(other.state_dict())
            room = 4 * tolerance.eps(self.low) * want.abs().max()
            expect.close(run(got, x, self.seam), want, atol=room, of="the output")

    def test_keeps_no_copy_beside_its_numbers(self, answer: Any, seed: int) -> None:
        """The new model holds its own parameters and buffers, and no other copy in any form.

        A float32 model that hides in a list, an array or a closure is still in memory.
        """
        program = namespace_of(getattr(answer, self.task))
        source = nn.Sequential(nn.Linear(128, 128), nn.LayerNorm(128), nn.Linear(128, 64))
        before = held(program)
        got = self.of(answer, source)
        run(got, cases.normal(seed, 2, 128).to(self.low), self.seam)
        own = sum(t.numel() * t.element_size() for t in (*got.parameters(), *got.buffers()))
        holds = held(program, got, module=program.get("__name__", "")) - before
        expect.at_most(holds, own + SLACK, "bytes", of="all that the new model holds")
