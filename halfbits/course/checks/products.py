"""What a matrix product must do whose operands are rounded to a dtype first."""

from __future__ import annotations

import itertools
import math
from typing import Any

import torch
from torch import Tensor

from halfbits.course.checks import Suite, cases, expect, hardened, tolerance
from halfbits.course.checks.cases import each, normal


def operands(seed: int, dtype: torch.dtype) -> dict[str, tuple[Tensor, Tensor]]:
    """Pairs [..., m, k] and [..., k, n] of all sizes and layouts whose product `dtype` can hold."""
    k = 64 if dtype == torch.float32 else 8
    a, b, tiny = normal(seed, 5, k), normal(seed + 1, k, 3), 2.0**-18
    loud = torch.ones(k)
    loud[0] = 100.0
    pairs = {
        "random operands": (a, b),
        "values near 2**-18": (a * tiny, b),
        "an outlier column": (a * loud, b),
        "float64 operands": (a.double() / 3, b.double() / 3),
        "a transposed view": (normal(seed + 2, k, 5).t(), b),
        "a second factor that is a view": (a, normal(seed + 6, 3, k).t()),
        "a batch": (normal(seed + 3, 2, 4, k), normal(seed + 4, 2, k, 3)),
        "one row, many columns": (a[:1], normal(seed + 5, k, 90)),
    }
    if dtype != torch.float16:
        pairs |= {"values near 1e-30": (a * 1e-30, b), "values near 1e15": (a * 1e15, b * 1e15)}
    return pairs


def overflowing() -> Tensor:
    """[1, 8], whose product with its transpose is 720000: exact in float32, beyond float16."""
    return torch.full((1, 8), 300.0)


class Product(Suite):
    """A function (a, b) or, with several dtypes, (a, b, dtype): a @ b computed in that dtype."""

    def __init__(self, task: str, *dtypes: torch.dtype) -> None:
        super().__init__(task)
        self.dtypes = dtypes

    def of(self, answer: Any, a: Tensor, b: Tensor, dtype: torch.dtype) -> Any:
        """The answer's product in `dtype`."""
        return self.call(answer, a, b, *((dtype,) if len(self.dtypes) > 1 else ()))

    def test_returns_its_dtype_for_every_input_dtype(self, answer: Any) -> None:
        """The result has the dtype that was asked for, whatever comes in, also mixed.

        The next layer expects this dtype.
        """
        sources = cases.FLOATS if len(self.dtypes) > 1 else (*cases.FLOATS, *cases.INTEGERS)
        for dtype, left, right in itertools.product(self.dtypes, sources, sources):
            got = self.of(answer, torch.ones(2, 3).to(left), torch.ones(3, 4).to(right), dtype)
            expect.same(got, torch.full((2, 4), 3.0).to(dtype))

    def test_stays_within_the_error_bound(self, answer: Any, seed: int) -> None:
        """It is the product of the rounded operands on tiny, huge, batched and strided inputs.

        After the operands are rounded, it is an ordinary product: the sum of k products has an
        error of at most (k + 1) * eps * |a| @ |b|.
        """
        for dtype in self.dtypes:
            for a, b in each(operands(seed, dtype)):
                low_a, low_b = a.to(dtype), b.to(dtype)
                want = (low_a.double() @ low_b.double()).to(dtype)
                atol = tolerance.product(low_a, low_b, dtype)
                expect.close(self.of(answer, a, b, dtype), want, atol=atol)

    @hardened
    def test_rounds_wider_operands_before_the_product(self, answer: Any) -> None:
        """Operands that hold more digits than the dtype are rounded first, then multiplied.

        In float64 the product of [1 + u, -1] and ones is u; of the rounded operands it is 0.
        """
        for dtype in self.dtypes:
            ones = torch.tensor([[1.0, -1.0]], dtype=torch.float64)
            tie = torch.tensor([[1 + tolerance.eps(dtype) / 2, -1.0]], dtype=torch.float64)
            for a, b in each({"1 + u in a": (tie, abs(ones.T)), "1 + u in b": (ones, abs(tie.T))}):
                expect.same(self.of(answer, a, b, dtype), torch.zeros(1, 1).to(dtype))

    @hardened
    def test_operands_beyond_the_dtype_are_infinite(self, answer: Any) -> None:
        """An operand halfway beyond the dtype's largest number is inf, one just below it is not.

        The tie at the end of the range goes to infinity, and nothing is clamped.
        """
        one = torch.ones(1, 1)
        for dtype in self.dtypes:
            end, last = cases.beyond(dtype), torch.finfo(dtype).max
            wide = torch.float64 if dtype == torch.float32 else torch.float32
            inside = torch.nextafter(end.to(wide), torch.zeros((), dtype=wide))
            for x, want in ((end.to(wide), math.inf), (inside, last), (-end.to(wide), -math.inf)):
                got = self.of(answer, x.view(1, 1), one.to(wide), dtype)
                expect.same(got, torch.tensor([[want]], dtype=torch.float64).to(dtype))

    @hardened
    def test_accepts_empty_and_all_zero_inputs(self, answer: Any) -> None:
        """The product of an empty batch is empty; of k = 0 or of zeros it is zero.

        A sum of nothing is zero.
        """
        for dtype in self.dtypes:
            for m, k, n in ((0, 3, 2), (2, 0, 3), (2, 3, 2)):
                got = self.of(answer, torch.zeros(m, k), torch.zeros(k, n), dtype)
                expect.same(got, torch.zeros(m, n).to(dtype))

    def test_leaves_its_inputs_as_they_were(self, answer: Any, seed: int) -> None:
        """a and b keep their bits and their dtypes, in every layout.

        The caller still owns what was passed in.
        """
        for dtype, source in itertools.product(self.dtypes, cases.FLOATS):
            for a, b in each(operands(seed, dtype)):
                a, b = a.to(source), b.to(source)
                with expect.untouched(a, b):
                    self.of(answer, a, b, dtype)
