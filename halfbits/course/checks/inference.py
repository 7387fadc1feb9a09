"""What functions must do that run a model, or turn its logits into probabilities."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from halfbits.course.checks import Suite, cases, doubles, expect, hardened, spies, tolerance
from halfbits.course.checks.cases import each


class Inference(Suite):
    """A function (model, x) that runs a model and returns something made of its output.

    `stored` is the dtype of the model's weights, `computed` that of its matmuls, and `made` turns
    the model's output into what the function has to return. `variants` are further arguments.
    """

    variants: tuple[tuple[Any, ...], ...] = ((),)

    def __init__(
        self,
        task: str,
        made: Callable[[Tensor], Tensor],
        stored: torch.dtype = torch.float32,
        computed: torch.dtype = torch.float16,
    ) -> None:
        super().__init__(task)
        self.made, self.stored, self.computed = made, stored, computed

    def model(self, *layers: nn.Module) -> nn.Module:
        """A model of these layers as the function expects it."""
        return nn.Sequential(*layers).to(self.stored).eval()

    def test_takes_token_ids(self, answer: Any, seed: int) -> None:
        """A model whose input is integers gets them as they are: ids [2, 3] give [2, 3, classes].

        Token ids are indices: cast to a float, those beyond 2048 or 256 are other ids.
        """
        model = self.model(nn.Embedding(5000, 4), nn.Linear(4, 2))
        for dtype in each(cases.named(torch.int64, torch.int32)):
            ids = torch.tensor([[0, 4999, 2049], [1, 2, 3]], dtype=dtype)
            with torch.no_grad():
                want = self.made(model(ids))
            # Four products and a bias, in whatever order: six roundings of numbers below about 8.
            atol = 48 * tolerance.eps(self.computed)
            expect.close(self.call(answer, model, ids), want, atol=atol)

    def test_builds_no_graph(self, answer: Any, seed: int) -> None:
        """Nothing is recorded for a backward pass, though parameters and x require gradients.

        A recorded graph keeps every activation in memory.
        """
        model, inside = self.model(nn.Linear(4, 3)), list[bool]()
        model.register_forward_hook(lambda layer, given, out: inside.append(out.requires_grad))
        for more in self.variants:
            expect.no_graph(self.call(answer, model, torch.ones(2, 4, requires_grad=True), *more))
        recorded = any(inside)
        expect.true(not recorded, expected="no graph while the model runs", got="one is recorded")

    def test_leaves_model_and_input_as_they_were(self, answer: Any, seed: int) -> None:
        """Neither x nor the model changes: no value, dtype, requires_grad or training flag.

        The model is the caller's: a function that runs it leaves no trace.
        """
        for mode in each({"in training": True, "in eval mode": False, "mixed flags": None}):
            model = self.model(nn.Linear(4, 3), nn.ReLU(), nn.Sequential(nn.Linear(3, 3)))
            model.train(mode is not False)
            if mode is None:
                next(model.children()).eval()
            for x in (cases.normal(seed, 2, 4), cases.normal(seed, 4, 40).t(), torch.zeros(0, 4)):
                for more in self.variants:
                    with expect.untouched(model, x):
                        self.call(answer, model, x, *more)


class HalfInference(Inference):
    """An `Inference` of a float16 model: it takes any floating x, and casts it to float16."""

    def __init__(self, task: str, made: Callable[[Tensor], Tensor]) -> None:
        super().__init__(task, made, stored=torch.float16, computed=torch.float16)

    def test_casts_floats_and_leaves_integers(self, answer: Any) -> None:
        """The model gets float16 for a floating x, and integers and booleans as they are.

        Token ids beyond 2048 are not float16 numbers, and an Embedding wants integers.
        """
        wanted = dict.fromkeys(cases.FLOATS, torch.float16)
        wanted |= {dtype: dtype for dtype in (*cases.INTEGERS, torch.bool)}
        for given, want in wanted.items():
            model = spies.Probe(4, 3).half().eval()
            self.call(answer, model, torch.ones(2, 4).to(given))
            expect.equal(f"it received {model.seen.get('input')}", f"it received {want}")

    @hardened
    def test_takes_empty_batched_and_strided_inputs(self, answer: Any, seed: int) -> None:
        """An empty batch, a batch of sequences, one vector and a transposed view are inputs.

        Only the dtype changes on the way to the model.
        """
        more = {"zeros": torch.zeros(2, 4), "subnormal numbers": torch.full((1, 4), 2.0**-24)}
        for x in each(more | cases.leading_shapes(seed, 4)):
            got, want = self.call(answer, doubles.scaled(1), x), self.made(x.half())
            expect.close(got, want, atol=tolerance.softmax() * want.abs())


class Probabilities(Suite):
    """A function (model16, x) that returns the float32 softmax of the logits over classes."""

    def test_rows_are_float32_distributions(self, answer: Any, seed: int) -> None:
        """Probabilities are float32 in [0, 1], and rows sum to 1 within n * eps.

        Each row is a distribution over the classes: a probability lies between 0 and 1.
        """
        n = 1000
        got = self.call(answer, nn.Linear(8, n).half().eval(), 4 * cases.normal(seed, 5, 8))
        expect.close(got, torch.full((5, n), 0.5), atol=0.5)
        # n probabilities, each off by a few float32 roundings of itself.
        total = got.double().sum(-1)
        expect.close(total, torch.ones(5).double(), atol=n * tolerance.eps(), of="sum(-1)")

    def test_softmax_runs_in_float32(self, answer: Any) -> None:
        """A probability of 1.5e-8 survives, which float16 flushes to zero.

        float16 ends near 6e-8.
        """
        x = torch.tensor([[0.0, -12.0, -17.0, -18.0]])
        want = x.double().softmax(-1).float()
        expect.close(self.call(answer, doubles.scaled(1), x), want, atol=tolerance.softmax() * want)

    def test_survives_large_logits(self, answer: Any) -> None:
        """Logits near 60000 give a distribution: no NaN, no overflow.

        exp(100) overflows float32: subtract the largest logit first.
        """
        x = torch.tensor([[60000.0, 0.0, -60000.0, 60000.0], [100.0, 100.0, 100.0, 100.0]])
        want = torch.tensor([[0.5, 0.0, 0.0, 0.5], [0.25, 0.25, 0.25, 0.25]])
        expect.close(self.call(answer, doubles.scaled(1), x), want, atol=tolerance.softmax())

    def test_normalizes_the_last_dimension(self, answer: Any, seed: int) -> None:
        """Softmax runs over the classes, also for sequences and an empty batch.

        Logits are [..., classes]: each row is a distribution over the last dimension.
        """
        for shape in ((4, 4), (2, 3, 4), (4,), (0, 4)):
            x = cases.normal(seed, *shape)
            want = x.half().double().softmax(-1).float()
            expect.close(self.call(answer, doubles.scaled(1), x), want, atol=tolerance.softmax())
