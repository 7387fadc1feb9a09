"""What a report on two models must say where their logits are broken or nearly the same."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from halfbits.course.checks import cases, expect, hardened, loaders, tolerance
from halfbits.course.checks.cases import each
from halfbits.course.checks.doubles import Table
from halfbits.course.checks.labeled import batches, drawn, sqnr_and_kl

FLOATS = ("acc_fp32", "acc_quant", "delta", "agreement", "flip_rate", "sqnr_db", "kl")
KINDS = dict.fromkeys(FLOATS, float) | {"n": int}


def demand(
    got: dict[str, float], want: dict[str, float], atol: float = tolerance.FLOAT64_DIVISIONS
) -> None:
    """Each number of the report that `want` names lies within `atol` of it."""
    for key, value in want.items():
        expect.close(got[key], value, atol=atol, of=key)


class Comparison(loaders.Evaluation):
    """A function (fp32, quant, loader) that returns a dict with the keys and types of KINDS."""

    def report(self, answer: Any, fp32: Tensor, quant: Tensor, y: Tensor, size: int = 10) -> Any:
        """The report on two tables of logits, once it has the published keys and types."""
        got = self.call(answer, Table(fp32), Table(quant), batches(y, size))
        kinds = {key: type(value) for key, value in got.items()} if isinstance(got, dict) else got
        expect.equal(kinds, KINDS, why="the report is read by name, and written to JSON")
        return got

    def test_identical_models_differ_in_nothing(self, answer: Any, seed: int) -> None:
        """The same logits give agreement 1, delta 0, kl 0 and an infinite sqnr_db.

        No noise at all: the ratio is infinite, not an error and not NaN.
        """
        fp32, _, y = drawn(seed)
        model = Table(fp32)
        for other in each({"a copy": Table(fp32.clone()), "the same object": model}):
            got = self.call(answer, model, other, batches(y, 10))
            exact = {"delta": 0.0, "agreement": 1.0, "flip_rate": 0.0, "sqnr_db": math.inf}
            demand(got, exact, atol=0)
            demand(got, {"kl": 0.0}, atol=4 * tolerance.eps())  # log_softmax rounds a few times

    def test_accepts_half_precision_logits(self, answer: Any, seed: int) -> None:
        """float16 logits of either model are compared in float64, where squares do not overflow.

        A square beyond 65,504 is inf in float16, and its softmax has three digits.
        """
        fp32, quant, y = drawn(seed)
        fp32, quant, flat = 200 * fp32, 200 * quant, torch.ones(len(y), 5)
        for a, b in each({"the second": (fp32, quant.half()), "the first": (fp32.half(), quant)}):
            got, (sqnr, kl) = self.report(answer, a, b, y), sqnr_and_kl(a, b)
            demand(got, {"sqnr_db": sqnr}, tolerance.decibels(a.numel()))
            demand(got, {"kl": kl}, tolerance.divergence(a, b))
        for a, b in ((flat, flat.half()), (flat.half(), flat)):
            # ln(1 / 5) is no float16 number.
            demand(self.report(answer, a, b, y), {"kl": 0.0}, 4 * tolerance.eps())

    @hardened
    def test_sees_what_float32_does_not(self, answer: Any, seed: int) -> None:
        """float64 logits that differ in the tenth digit have a finite sqnr_db and a nonzero kl.

        Rounded to float32 they would be equal, and the report would call two models the same.
        """
        fp32, _, y = drawn(seed)
        fp32 = fp32.double()
        quant = fp32 * (1 + 1e-9 * cases.normal(seed + 5, *fp32.shape).double())
        got, (sqnr, _) = self.report(answer, fp32, quant, y), sqnr_and_kl(fp32, quant)
        # The difference of two float64 numbers of like size is off by 1e-16 of them, here of 1e-9.
        demand(got, {"sqnr_db": sqnr}, 1e-4)

    @hardened
    def test_of_a_silent_reference_is_minus_infinity(self, answer: Any, seed: int) -> None:
        """Where the first model's logits are all zero and the second's are not, sqnr_db is -inf.

        There is no signal at all; the logarithm of 0 raises in Python.
        """
        fp32, _, y = drawn(seed)
        demand(self.report(answer, torch.zeros_like(fp32), fp32, y), {"sqnr_db": -math.inf}, atol=0)

    @hardened
    def test_never_counts_nan_as_agreement(self, answer: Any, seed: int) -> None:
        """A row with a NaN in either model agrees with nothing; sqnr_db and kl show the NaN.

        argmax of a row with NaN is no prediction, and a broken model must not get a clean number.
        One infinite logit, an overflow, makes the noise infinite and sqnr_db -inf, not an error.
        """
        fp32, _, _ = drawn(seed, n=12)
        y, broken, overflow = fp32.argmax(1), fp32.clone(), fp32.clone()
        broken[4, y[4]], broken[9], y[9], overflow[7, 1] = math.nan, math.nan, 0, math.inf
        pairs = {"NaN in the second": (fp32, broken), "NaN in the first": (broken, fp32)}
        for a, b in each(pairs | {"NaN in both": (broken, broken)}):
            got = self.report(answer, a, b, y, size=5)
            demand(got, {"agreement": 10 / 12})
            expect.equal(str([got["sqnr_db"], got["kl"]]), "[nan, nan]", of="[sqnr_db, kl]")
        want = {"sqnr_db": -math.inf, "agreement": 1.0 - (y[7] != 1).item() / 12}
        demand(self.report(answer, fp32, overflow, y), want, atol=0)
