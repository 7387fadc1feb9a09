"""What every symmetric quantizer of weights must do, whatever its bits.

The adapters demand the kinds, dtypes and shapes of what a quantizer returns and give it as float64;
the suites hold the claims that are the same for all quantizers of a kind.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from halfbits.course.checks import Suite, cases, expect, hardened, tolerance
from halfbits.course.checks.cases import each
from halfbits.course.checks.values import as_float64, describe


class Coded(NamedTuple):
    """What a quantizer returned, in float64: codes, scale, zero point (0 where there is none)."""

    codes: np.ndarray
    scale: Any
    zero_point: int = 0

    def steps_off(self, x: Tensor) -> np.ndarray:
        """|x / scale - (codes - zero_point)|: the error of each value in steps."""
        with np.errstate(all="ignore"):
            return abs((self.codes - self.zero_point) - as_float64(x) / self.scale)


def several(result: Any, names: str) -> Any:
    """`result`, which has to be a tuple or list of what `names` lists: "codes, scale"."""
    many = isinstance(result, (tuple, list))
    right = many and len(result) == len(names.split(","))
    got = f"{len(result)} values" if many else type(result).__name__
    expect.true(right, expected=f"({names})", got=got, why="all of them are needed to come back")
    return result


def arrays(result: Any, **wanted: Any) -> Any:
    """`result`, once its parts have the dtypes and shapes that `wanted` gives by their names.

    (torch.int8, (4, 8)), or an array that is such a one.
    """
    several(result, ", ".join(wanted))
    for part, (name, form) in zip(result, wanted.items(), strict=True):
        expect.array(
            part, *(form if isinstance(form, tuple) else (form.dtype, form.shape)), of=name
        )
    return result


class SymmetricRows(Suite):
    """Symmetric codes of a float matrix w [out, in], one float32 scale [out] or [out, 1] a row.

    `bits` 8: int8 codes from -127 to 127. The smallest scale is 2**-126, so that rows of zeros and
    denormal rows keep a usable one.
    """

    def __init__(self, task: str, bits: int = 8) -> None:
        super().__init__(task)
        self.top = 2 ** (bits - 1) - 1

    def coded(self, answer: Any, w: Tensor) -> Coded:
        """The codes and the scale as a column, once their types are right."""
        codes, scale = several(self.call(answer, w), "codes, scale")
        why = "one signed byte a weight, in the weight's shape"
        expect.array(codes, torch.int8, w.shape, of="codes", why=why)
        expect.dtype(scale, torch.float32, of="scale", why="scales are few: keep them in float32")
        expect.true(
            tuple(scale.shape) in ((len(w),), (len(w), 1)),
            expected=f"scale [{len(w)}] or [{len(w)}, 1]: one for each output channel (row)",
            got=describe(scale),
            why="a row of w makes one output, so a row shares one scale",
        )
        return Coded(as_float64(codes), as_float64(scale).reshape(-1, 1))

    def half_a_step(self, answer: Any, w: Tensor, **said: Any) -> Coded:
        """The codes and scale of `w`, once no value is off by more than half a step."""
        got = self.coded(answer, w)
        expect.positive(got.scale, of="scale", **said)
        limit = tolerance.half_step(self.top)
        expect.at_most(got.steps_off(w), limit, "steps", of="largest error", **said)
        return got

    def test_gives_int8_codes_and_float32_scales(self, answer: Any, seed: int) -> None:
        """Codes are int8 in the shape of w; scales are float32, one for each row.

        The layer needs both to get the weights back.
        """
        for w in each(cases.matrices(seed)):
            self.coded(answer, w)

    def test_scale_is_amax_over_the_largest_code(self, answer: Any, seed: int) -> None:
        """scale = amax / 127 for each row, whatever its numbers and the shape of w.

        The largest |w| of a row maps to the last code: no other divisor, no floor such as 1e-8.
        """
        sizes = cases.rows_of_sizes(seed, 40, (1e-30, 1e-12, 1e-3, 1.0, 50.0, 1e12))
        for w in each(cases.matrices(seed) | {"rows from 1e-30 to 1e12": sizes}):
            want = w.double().abs().amax(1, keepdim=True) / self.top
            # One rounding of the quotient, one of the reciprocal 1 / top.
            room = tolerance.eps() * want
            expect.close(self.coded(answer, w).scale, want, atol=room, of="scale")

    def test_error_is_at_most_half_a_step(self, answer: Any, seed: int) -> None:
        """|codes * scale - w| is at most scale / 2, and is the rounding error, not zero.

        Rounding to the nearest code is never off by more than half a step, in a matrix of any
        shape, and these bits cannot hold random weights without an error.
        """
        for w in each(cases.matrices(seed)):
            self.half_a_step(answer, w)
        w = cases.normal(seed, 24, 500)
        rms = math.sqrt((self.coded(answer, w).steps_off(w) ** 2).mean())
        expect.within(rms, *tolerance.rounding_rms(w.numel()), "steps", of="rms error")

    def test_outlier_channel_hurts_no_other(self, answer: Any, seed: int) -> None:
        """Multiplying one row by 1000 changes neither scale nor codes of the other rows.

        Per output channel: each row has its own scale, so an outlier stays at home.
        """
        for name, w in cases.matrices(seed).items():
            for row in each({f"{name}, row {row} times 1000": row for row in {0, len(w) - 1}}):
                loud = w.clone()
                loud[row] *= 1000
                calm, got = self.coded(answer, w), self.coded(answer, loud)
                others = np.arange(len(w)) != row
                expect.same(got.scale[others], calm.scale[others], of="the other rows' scale")
                expect.same(got.codes[others], calm.codes[others], of="the other rows' codes")

    def test_zero_row_gives_zeros(self, answer: Any, seed: int) -> None:
        """An all-zero row gives zero codes and a finite positive scale; other rows are as before.

        amax / 127 is 0 there, and 0 / 0 is NaN; pruned and padded channels are all zero in real
        models.
        """
        w = cases.normal(seed, 4, 9)
        w[2] = 0
        for case in each({"row 2 all zeros": w, "all zeros": torch.zeros(3, 5)}):
            got, amax = self.half_a_step(answer, case), as_float64(case.abs().amax(1, True))
            codes, zero = got.codes, amax[:, 0] == 0
            expect.same(codes[zero], np.zeros_like(codes[zero]), of="codes of the row of zeros")
            want = amax[~zero] / self.top
            room = tolerance.eps() * want
            expect.close(got.scale[~zero], want, atol=room, of="the other rows' scale")

    @hardened
    def test_denormal_rows_stay_finite(self, answer: Any, seed: int) -> None:
        """Rows so small that amax / 127 leaves the normal range still get a usable scale.

        amax / 127 underflows to 0 although amax is not 0: a floor at 2**-126 cures both.
        """
        for w in each({"rows near 1e-45 to 1e-38": cases.denormal_rows(seed)}):
            self.half_a_step(answer, w)

    @hardened
    def test_huge_values_do_not_overflow(self, answer: Any, seed: int) -> None:
        """Weights near the float32 maximum (3.4e38) quantize like any others.

        w * 127 is beyond float32: divide first.
        """
        for w in each({"w up to 3.3e38": cases.reaching(cases.normal(seed, 4, 64), 3.3e38)}):
            self.half_a_step(answer, w)

    @hardened
    def test_layout_in_memory_does_not_matter(self, answer: Any, seed: int) -> None:
        """Transposed, strided and offset views give the codes of their contiguous copies.

        A view is the same matrix, stored another way.
        """
        for view in each(cases.views(cases.normal(seed, 12, 20))):
            want, got = self.coded(answer, view.contiguous()), self.coded(answer, view)
            expect.same(got.scale, want.scale, of="scale")
            expect.same(got.codes, want.codes, of="codes")

    def test_half_precision_is_computed_in_float32(self, answer: Any, seed: int) -> None:
        """float16 and bfloat16 weights give the codes and scales of their float32 copies.

        amax / 127 and w / scale lose digits in 16 bits: convert to float32 first.
        """
        for w in each(cases.low_precision(cases.normal(seed, 8, 300))):
            want, got = self.coded(answer, w.float()), self.coded(answer, w)
            expect.same(got.scale, want.scale, of="scale")
            expect.same(got.codes, want.codes, of="codes")

    def test_is_left_untouched_without_a_graph(self, answer: Any, seed: int) -> None:
        """w keeps its bits, in any layout; the results carry no gradient history.

        A scale with a graph keeps the float weights alive.
        """
        for w in each(cases.matrices(seed)):
            parameter = nn.Parameter(w)
            with expect.untouched(parameter):
                results = several(self.call(answer, parameter), "codes, scale")
            expect.no_graph(*results)
