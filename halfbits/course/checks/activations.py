"""What every affine quantizer of activations must do: one scale and one zero point a tensor."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from halfbits.course.checks import Suite, cases, expect, hardened, tolerance
from halfbits.course.checks.cases import each
from halfbits.course.checks.quantizers import Coded, several
from halfbits.course.checks.values import as_float64, describe


class AffineTensor(Suite):
    """Affine uint8 codes of a float tensor, with one scale and one zero point from 0 to 255."""

    top = 255

    def coded(self, answer: Any, x: Tensor) -> Coded:
        """Codes, scale and zero point, once their types are right."""
        names = "codes, scale, zero_point"
        codes, scale, zero_point = several(self.call(answer, x), names)
        why = "one unsigned byte a value, in the shape of x"
        expect.array(codes, torch.uint8, x.shape, of="codes", why=why)
        single = all(getattr(value, "shape", ()) == () for value in (scale, zero_point))
        got = f"scale {describe(scale)}, zero_point {describe(zero_point)}"
        expected, why = "one scale and one zero_point", "activations are quantized per tensor here"
        expect.true(single, expected=expected, got=got, why=why)
        expect.positive(float(scale), of="scale", why="a finite scale above 0 divides the codes")
        zero = float(zero_point)
        why = "0.0 is exact only if its code is a whole number that a byte can hold"
        right = zero.is_integer() and 0 <= zero <= self.top
        expect.true(right, expected="zero_point from 0 to 255", got=zero_point, why=why)
        return Coded(as_float64(codes), float(scale), int(zero))

    def half_a_step(self, answer: Any, x: Tensor) -> Coded:
        """The result for `x`, once no value is off by more than half a step."""
        got = self.coded(answer, x)
        limit = tolerance.half_step(self.top, roundings=3)
        expect.at_most(got.steps_off(x), limit, "steps", of="largest error")
        return got

    def test_gives_uint8_codes_one_scale_one_zero_point(self, answer: Any, seed: int) -> None:
        """Codes are uint8 in the shape of x; scale and zero_point are single numbers.

        x is about (codes - zero_point) * scale.
        """
        shapes = {"a vector": (7,), "a matrix": (4, 9), "three axes": (2, 3, 5), "one number": ()}
        for shape in each(shapes):
            self.coded(answer, cases.normal(seed, *shape))

    def test_error_is_at_most_half_a_step(self, answer: Any, seed: int) -> None:
        """|(codes - zero_point) * scale - x| is at most scale / 2, at the ends too.

        No value of x lies outside the range, so nothing is clipped; and random values cannot all
        lie on 256 levels, so the error is not zero. The quotient is rounded, and the zero point
        added to what comes out: 1.5 steps above 0.0 are the code zero_point + 2.
        """
        for x in each(cases.matrices(seed)):
            self.half_a_step(answer, x)
        shifts = {f"x around {shift:g}": shift for shift in (0.0, 0.7, -2.0, 5.0)}
        for shift in each(shifts):
            x = cases.normal(seed, 60, 50) + shift
            rms = math.sqrt((self.half_a_step(answer, x).steps_off(x) ** 2).mean())
            expect.within(rms, *tolerance.rounding_rms(x.numel()), "steps", of="rms error")
        # Steps of 4 and the zero point 191, however they are computed; every tie rule takes 2.
        for x in each({"halves of a step": torch.tensor([-765.0, 6.0, 14.0, 255.0])}):
            expect.same(self.coded(answer, x).codes, np.array([0.0, 193, 195, 255]), of="codes")

    def test_zero_is_exact(self, answer: Any, seed: int) -> None:
        """0.0 gets the code zero_point, so it comes back as exactly 0.0.

        ReLU outputs and padding are full of zeros: an error there repeats everywhere.
        """
        for number in range(20):
            x = cases.normal(seed + number, 50) + (number - 10) / 4
            x[7] = 0.0
            got = self.coded(answer, x)
            expect.same(got.codes[7], float(got.zero_point), of="the code of x[7] = 0.0")

    def test_one_sided_ranges_use_all_codes(self, answer: Any, seed: int) -> None:
        """All-positive x has zero_point 0, all-negative x has 255; the far end gets the last code.

        Codes that nothing can reach are bits thrown away.
        """
        x = cases.normal(seed, 200).abs() + 2
        for case, zero_point in each({"all positive": (x, 0), "all negative": (-x, 255)}):
            got, far = self.coded(answer, case), 255 - zero_point
            expect.same(got.zero_point, zero_point, of="zero_point")
            codes = f"codes from {got.codes.min():g} to {got.codes.max():g}"
            expect.true(far in got.codes, expected=f"code {far} for the far end", got=codes)

    def test_constants_come_back(self, answer: Any, seed: int) -> None:
        """A constant input, positive, negative or zero, comes back within half a step.

        max - min is 0: without 0 in the range the scale is 0 and the codes are noise.
        """
        size = 1 + float(cases.normal(seed, 1).abs())
        for constant in (size, -size, 1e-12, -3e4, 0.0):
            x = torch.full((3, 4), constant)
            for case in each({f"all {constant:g}": x}):
                got = self.half_a_step(answer, case)
        expect.same(got.codes, np.full((3, 4), float(got.zero_point)), of="codes of zeros")

    @hardened
    def test_extreme_ranges_stay_finite(self, answer: Any, seed: int) -> None:
        """Values at both ends of float32, and denormal ones, give finite scales and right codes.

        high - low overflows float32, and high / 255 underflows to 0.
        """
        sizes = (3.3e38, 60 * cases.SMALLEST, cases.SMALLEST)
        x = cases.normal(seed, 64)
        for case in each({f"|x| up to {size:.2g}": cases.reaching(x, size) for size in sizes}):
            self.half_a_step(answer, case)

    def test_half_precision_is_computed_in_float32(self, answer: Any, seed: int) -> None:
        """A bfloat16 or float16 x gives the result of its float32 copy.

        255 steps need more digits than 16 bits carry: convert to float32 first.
        """
        for x in each(cases.low_precision(cases.normal(seed, 400))):
            want, got = self.coded(answer, x.float()), self.coded(answer, x)
            expect.same(got.codes, want.codes, of="codes")
            expect.same(got.scale, want.scale, of="scale")
            expect.same(got.zero_point, want.zero_point, of="zero_point")

    def test_input_is_left_untouched_without_a_graph(self, answer: Any, seed: int) -> None:
        """x keeps its bits, views are accepted, and nothing returned carries a graph.

        Inference keeps no history.
        """
        for x in each(cases.matrices(seed)):
            x = x.detach().requires_grad_()
            with expect.untouched(x):
                results = several(self.call(answer, x), "codes, scale, zero_point")
            expect.no_graph(*results)
