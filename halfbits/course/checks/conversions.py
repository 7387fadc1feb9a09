"""What a function must do that converts a model to 16 bits."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from halfbits.course.checks import cases, doubles, expect, tolerance
from halfbits.course.checks.cases import each
from halfbits.course.checks.own_numbers import OwnNumbers, other_values, run


def tensor_of(module: nn.Module, name: str) -> Tensor:
    """The parameter or buffer `name` of a module, in its state_dict or not; it has to be there."""
    found = dict(module.named_parameters(remove_duplicate=False)) | dict(module.named_buffers())
    expect.true(name in found, expected=f"a tensor {name}", got=f"{name} is missing")
    return found[name]


class Conversion(OwnNumbers):
    """A function that takes a float32 model and returns a copy in 16 bits, its norms excepted."""

    def test_keeps_tied_weights_tied(self, answer: Any) -> None:
        """A head that shares the embedding's parameter still shares it, with each other only.

        Untied weights are stored twice and drift apart.
        """
        got: Any = self.of(answer, doubles.TinyLM())
        tied = got.head.weight is got.embedding.weight
        expect.true(tied, expected="head.weight is embedding.weight", got="two parameters")
        expect.dtype(got.head.weight, self.low, of="head.weight", why="they are matmul weights")

    def test_returns_eval_mode(self, answer: Any) -> None:
        """The new model and all its parts are in eval mode, whatever the source's modes.

        In training mode dropout and BatchNorm give other answers at every call.
        """
        calm, mixed = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.5)).eval(), doubles.mixed_modes(1)
        nested = nn.Sequential(nn.Linear(4, 4), nn.Sequential(nn.Dropout(0.5), nn.Linear(4, 2)))
        for model in each({"in eval mode": calm, "in training": nested, "mixed flags": mixed}):
            flags = [part.training for part in self.of(answer, model).modules()]
            got = f"training flags {flags}"
            expect.true(not any(flags), expected="all training flags False", got=got)

    def test_leaves_the_source_untouched(self, answer: Any) -> None:
        """The source keeps its values, dtypes, modes and hooks, and shares no memory with the copy.

        The caller goes on with the float32 model.
        """
        models = (doubles.TinyLM().train(), doubles.ConvNet().eval(), doubles.Block())
        for source in (*models, doubles.mixed_modes(2), nn.Linear(3, 2)):
            with expect.untouched(source):
                got = self.of(answer, source)
                with torch.no_grad():
                    for tensor in [*got.parameters(), *got.buffers()]:
                        tensor.copy_(other_values(tensor))

    def test_keeps_the_structure(self, answer: Any) -> None:
        """The new model has the source's class and the same names in its state_dict.

        A checkpoint of it has to load into the same class.
        """
        for source in (doubles.TinyLM(), doubles.ConvNet(), doubles.Block()):
            got = self.of(answer, source)
            expect.equal(list(got.state_dict()), list(source.state_dict()))
            expect.equal(type(got).__name__, type(source).__name__)

    def test_language_model_agrees_with_the_source(self, answer: Any, seed: int) -> None:
        """The converted language model's logits differ from float32 by 16-bit rounding, no more.

        A conversion keeps the model's answers.
        """
        source, ids = doubles.TinyLM().eval(), torch.tensor([[0, 5, 31], [7, 7, 2]])
        with torch.no_grad():
            source.embedding.weight.copy_(cases.normal(seed, 32, 16))
            source.norm.weight.copy_(cases.normal(seed + 1, 16))
            hidden, exact = source.norm(source.embedding(ids)), source(ids)
        got = run(self.of(answer, source), ids, self.seam)
        table, u = source.embedding.weight.detach().double(), tolerance.eps(self.low) / 2
        # A table rounded by u moves each entry, the mean and the deviation by at most u * amax, so
        # the normalized entries by 2 u r and 2 r u r with r = amax / deviation >= 1: 4 u r^2.
        deviation = table[ids].std(-1, correction=0, keepdim=True)
        moved = 4 * u * (table[ids].abs().amax(-1, keepdim=True) / deviation) ** 2
        rough = (moved * source.norm.weight.detach().double().abs()) @ table.abs().T
        # Then a store, a rounded weight, 16 products, 15 sums and a store: 34 roundings of 2u.
        atol = 34 * 2 * u * hidden.double().abs() @ table.abs().T + rough
        expect.close(got, exact.to(self.low), atol=atol, of="the new model's logits")

    def test_conv_net_agrees_with_the_source(self, answer: Any, seed: int) -> None:
        """The converted conv net's logits differ from float32 by 16-bit rounding and no more.

        A conversion keeps the model's answers.
        """
        source, x = doubles.ConvNet().eval(), cases.normal(seed, 2, 3, 2, 2)
        got = run(self.of(answer, source), x.to(self.low), self.seam)
        modules: Any = source
        conv, norm, _, _, linear = modules
        u = tolerance.eps(self.low) / 2
        size = nn.functional.conv2d(x.abs(), conv.weight.abs(), conv.bias.abs())
        # 3 products, 2 sums, a bias, a store and two rounded operands: 9 roundings of 2u.
        hidden = norm(conv(x)).abs()
        error = 18 * u * size * (norm.weight / norm.running_var.sqrt())[0] + u * hidden
        # 16 products, sums, a bias, a store and two rounded operands: 20 roundings of 2u.
        w, hidden = linear.weight.abs().T, hidden.flatten(1)
        room = error.flatten(1) @ w + 40 * u * (hidden @ w + linear.bias.abs()) + 2.0**-24
        want = source(x).detach().to(self.low)
        expect.close(got, want, atol=room.detach(), of="the new model's logits")
