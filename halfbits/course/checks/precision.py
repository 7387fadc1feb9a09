"""What a report must say on the error of one matrix product in several formats."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from halfbits.course.checks import Suite, cases, expect, hardened, products
from halfbits.course.checks.cases import each

DTYPES = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}


class Report(Suite):
    """A function (a, b) that returns the largest absolute error of a @ b by format, as a dict."""

    def of(self, answer: Any, a: Tensor, b: Tensor) -> dict[str, float]:
        """The answer's report, which has to be a dict of three Python floats; a and b stay."""
        with expect.untouched(a, b):
            got = self.call(answer, a, b)
        kinds = {key: type(value).__name__ for key, value in got.items()} if got else got
        why = "the report goes into a table or a JSON file, with three columns"
        expect.equal(kinds, dict.fromkeys(DTYPES, "float"), why=why)
        return got

    def test_measures_against_a_float64_reference(self, answer: Any, seed: int) -> None:
        """precision_report gives the largest absolute error against the product in float64.

        The reference is float64, from the inputs as given; float32 has an error too.
        """
        whole = cases.normal(seed, 40, 1), cases.normal(seed + 1, 1, 40)
        # What a view leaves out is larger: read in the order of memory, it has larger errors.
        wide = cases.normal(seed, 40, 2), cases.normal(seed + 1, 1, 40, 2)
        wide[0][:, 0] *= 100
        wide[1][..., 1] *= 100
        parts = wide[0][:, 1:], wide[1].flatten(1)[:, ::2]
        for a, b in each({"two vectors": whole, "strided views": parts}):
            got, exact = self.of(answer, a, b), a.double() @ b.double()
            for name, dtype in DTYPES.items():
                # One product an entry: nothing is summed, so each error is known.
                product = (a.to(dtype).double() @ b.to(dtype).double()).to(dtype).double()
                want = (product - exact).abs().max().item()
                expect.close(got[name], want, atol=1e-6 * want, of=name)

    def test_keeps_float64_inputs_in_the_reference(self, answer: Any) -> None:
        """precision_report's reference uses a and b as given: a float64 input is not rounded first.

        float32 rounds 1 + 2**-30 to 1, and the report has to say so in 'fp32'.
        """
        one = torch.ones(1, 1).double()
        for a, b in ((one + 2.0**-30, one), (one, one + 2.0**-30)):
            expect.same(self.of(answer, a, b)["fp32"], 2.0**-30, of="fp32")

    def test_takes_the_largest_error_of_all_entries(self, answer: Any) -> None:
        """precision_report takes the maximum of |error|, wherever it is and whatever its sign.

        In 'bf16' one entry in three is off by 2**-10; a mean or a signed error hides it.
        """
        for sign, row in ((1.0, 1), (-1.0, 1), (1.0, 0), (-1.0, 2)):
            a = torch.ones(3, 1)
            a[row] = sign * (1 + 2.0**-10)
            expect.same(self.of(answer, a, torch.ones(1, 2))["bf16"], 2.0**-10, of="bf16")

    def test_shows_overflow_as_inf(self, answer: Any) -> None:
        """precision_report says inf where float16 overflows, and never NaN; the others stay finite.

        inf - inf is NaN, and a NaN in a report compares as false with everything.
        """
        big = products.overflowing()
        cancel = torch.tensor([[1e5, 1e5]]), torch.tensor([[1.0], [-1.0]])
        for a, b in each({"a sum of 720000": (big, big.T), "operands of 1e5 that cancel": cancel}):
            got = self.of(answer, a, b)
            expect.same(got["fp16"], math.inf, of="fp16")
            expect.true(max(got["fp32"], got["bf16"]) < math.inf, expected="finite", got=got)

    @hardened
    def test_of_exact_or_empty_products_is_zero(self, answer: Any) -> None:
        """precision_report is 0.0 where every format is exact, and for a product without entries.

        No entry is wrong, so the largest error is zero.
        """
        zeros, empty = (
            (torch.zeros(2, 3), torch.zeros(3, 2)),
            (torch.zeros(0, 3), torch.zeros(3, 2)),
        )
        small = torch.arange(4.0).reshape(2, 2), torch.eye(2).bfloat16()
        for a, b in each({"zeros": zeros, "small integers": small, "an empty batch [0, 3]": empty}):
            got = self.of(answer, a, b)
            expect.equal(got, dict.fromkeys(got, 0.0))
