"""What a function must do that runs a model under autocast."""

from __future__ import annotations

import itertools
from contextlib import nullcontext
from typing import Any

import torch
from torch import nn

from halfbits.course.checks import cases, doubles, expect, hardened, spies, tolerance
from halfbits.course.checks.cases import each
from halfbits.course.checks.inference import Inference


class Autocast(Inference):
    """An `Inference` (model, x, dtype=torch.bfloat16) that runs a float32 model under autocast."""

    variants = ((), (torch.float16,))

    def __init__(self, task: str) -> None:
        super().__init__(task, torch.Tensor.bfloat16, torch.float32, torch.bfloat16)

    def test_computes_in_bfloat16_unless_told_otherwise(self, answer: Any) -> None:
        """The model runs under autocast, in bfloat16 by default and in `dtype` if given.

        A Linear that comes last returns that dtype; autocast has to be on while the model runs.
        """
        for given, dtype in (((), torch.bfloat16), *(((low,), low) for low in cases.LOW)):
            model = spies.Probe()
            got = self.call(answer, model, torch.zeros(2, 8), *given)
            expect.dtype(got, dtype)
            seen = {"autocast": model.seen["autocast"], "dtype": model.seen["autocast dtype"]}
            expect.equal(seen, {"autocast": True, "dtype": dtype}, of="what the model saw")

    def test_lets_autocast_do_the_casting(self, answer: Any) -> None:
        """The model gets x and its float32 weights as they are.

        Autocast chooses a dtype for each operation; casting by hand takes that choice away.
        """
        model = spies.Probe()
        self.call(answer, model, torch.zeros(2, 8))
        seen = {key: model.seen[key] for key in ("input", "weight")}
        want = dict.fromkeys(seen, torch.float32)
        expect.equal(seen, want, of="what the model saw")

    def test_returns_the_raw_output(self, answer: Any) -> None:
        """The model's own output comes back: float32 where autocast leaves float32, or a dict.

        float32 + bfloat16 is float32: the output's dtype and kind are the model's affair.
        """
        expect.dtype(self.call(answer, doubles.Residual(), torch.zeros(2, 8)), torch.float32)
        got = self.call(answer, doubles.TwoOutputs(), torch.zeros(2, 8))
        expect.true(isinstance(got, dict), expected="the model's dict", got=got)

    def test_agrees_with_the_model(self, answer: Any, seed: int) -> None:
        """The numbers are the model's, with an error of 16 bits and not of 32.

        A 16-bit product stays close to the float32 one; no rounding error at all means that
        nothing was computed in 16 bits.
        """
        model, x = cases.linear(seed, 8, 16, bias=False), cases.normal(seed + 1, 32, 8)
        exact = x.double() @ model.weight.detach().double().T
        size = x.double().abs() @ model.weight.detach().double().abs().T
        transposed = x.t().contiguous().t()
        for dtype, given in itertools.product(cases.LOW, (x, transposed)):
            got, eps = self.call(answer, model, given, dtype), tolerance.eps(dtype)
            # Two operand roundings, eight products, eight sums and a store, eps * size each.
            expect.close(got, exact.to(dtype), atol=19 * eps * size)
            # The operands alone move 512 sums by about u; all within u / 64 is not chance.
            worst = float((got.double() - exact).abs().max())
            expect.true(worst > eps / 400, expected=f"an error above {eps / 400:.1e}", got=worst)

    def test_leaves_autocast_as_it_was(self, answer: Any) -> None:
        """The autocast state is put back: off, or what an outer region had set.

        Whoever calls next must not find another precision.
        """
        outer = torch.autocast("cpu", dtype=torch.float16)
        regions: dict[str, Any] = {"in no region": nullcontext(), "in autocast(float16)": outer}
        for region in each(regions):
            with region:
                before = precision_state()
                got = self.call(answer, nn.Linear(8, 4), torch.zeros(2, 8))
                expect.equal(precision_state(), before, of="the state after")
            expect.dtype(got, torch.bfloat16, why="the default dtype holds in any region")

    @hardened
    def test_lets_the_models_error_through(self, answer: Any) -> None:
        """The model's own exception is passed on, with autocast and grad mode as before.

        An error is not a state: what was switched on has to be off again.
        """
        before = precision_state()
        for error in (LookupError("this model fails"), KeyboardInterrupt()):
            model = doubles.Broken(error)
            expect.raises(type(error), lambda: self.call(answer, model, torch.zeros(2, 8)))  # noqa: B023
            expect.equal(precision_state(), before, of="the state after")


def precision_state() -> dict[str, object]:
    """What autocast and gradients are set to now."""
    return {
        "autocast": torch.is_autocast_enabled("cpu"),
        "dtype": torch.get_autocast_dtype("cpu"),
        "gradients": torch.is_grad_enabled(),
    }
