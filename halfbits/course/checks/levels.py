"""What a quantizer must do that scales each group and takes the nearest of a few levels.

NF4, FP4 and any other codebook are such level formats: value = levels[code] * scale.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from halfbits.course.checks import Suite, cases, expect, hardened, tolerance
from halfbits.course.checks.cases import each
from halfbits.course.checks.quantizers import several
from halfbits.course.checks.values import as_float64


class LevelGroups(Suite):
    """A function (w) of a float matrix [out, in] that returns codes and scales.

    Codes are uint8 [out, in], places in `levels`, which ascend; the scale is float32
    [out, in / group]: the largest |w| of each group of neighbors over the largest |level|. A group
    has room for all levels.
    """

    def __init__(self, task: str, levels: tuple[float, ...], group: int) -> None:
        super().__init__(task)
        self.levels, self.group = np.array(levels), group
        self.top = float(abs(self.levels).max())

    def coded(self, answer: Any, w: Tensor) -> tuple[np.ndarray, np.ndarray]:
        """Codes [out, in] as whole numbers and scales [out, in / group, 1], types checked."""
        codes, scale = several(self.call(answer, w), "codes, scale")
        expect.array(codes, torch.uint8, w.shape, of="codes")
        shape = (w.shape[0], w.shape[1] // self.group)
        expect.array(scale, torch.float32, shape, of="scale")
        expect.within(codes, 0, len(self.levels) - 1, of="codes")
        expect.positive(scale, of="scale")
        return as_float64(codes).astype(int), as_float64(scale)[..., None]

    def grouped(self, w: Tensor) -> np.ndarray:
        """`w` in float64 as [out, in / group, group]."""
        return as_float64(w).reshape(w.shape[0], -1, self.group)

    def matrices(self, seed: int) -> dict[str, Tensor]:
        """Tall, wide and square matrices of whole groups, contiguous and not."""
        shapes = {"tall": (self.group + 6, 1), "wide": (3, 12), "one group": (1, 1)}
        shapes |= {"square": (self.group, 1), "several groups a row": (40, 2)}
        drawn = {
            name: cases.normal(seed + i, rows, groups * self.group)
            for i, (name, (rows, groups)) in enumerate(shapes.items())
        }
        drawn["a transposed view"] = cases.normal(seed + 9, 2 * self.group, 5).t()
        drawn["a strided view"] = cases.normal(seed + 10, 9, 4 * self.group)[::2, ::2]
        return drawn

    def beside_midpoints(self) -> Tensor:
        """Two groups that reach the last level: just below all midpoints of levels, just above."""
        middle, near = (self.levels[1:] + self.levels[:-1]) / 2, 32 * tolerance.eps() * self.top
        rows = [np.resize([self.top, *(middle + side)], self.group) for side in (-near, near)]
        return torch.tensor(np.array(rows)).float()

    def test_scale_is_amax_over_the_largest_level(self, answer: Any, seed: int) -> None:
        """Each group of neighbors in a row has the scale that maps its largest |w| to a last level.

        Groups run along a row and never into the next one; no group has a floor such as 1e-4.
        """
        sizes = cases.rows_of_sizes(seed, 2 * self.group, (1e-30, 1e-12, 1e-5, 1.0, 50.0, 1e12))
        for w in each(self.matrices(seed) | {"rows from 1e-30 to 1e12": sizes}):
            want = abs(self.grouped(w)).max(-1, keepdims=True) / self.top
            _, scale = self.coded(answer, w)
            expect.close(scale, want, atol=tolerance.eps() * want, of="scale")

    def test_takes_the_nearest_level(self, answer: Any, seed: int) -> None:
        """No other level lies nearer to w / scale than the one whose code is stored.

        The levels are not evenly spaced: neither rounding nor truncation finds the nearest.
        """
        for w in each(self.matrices(seed) | {"numbers beside midpoints": self.beside_midpoints()}):
            codes, scale = self.coded(answer, w)
            quotient = self.grouped(w) / scale
            chosen = abs(self.levels[codes].reshape(quotient.shape) - quotient)
            nearest = abs(self.levels - quotient[..., None]).min(-1)
            # The quotient is rounded once, and a midpoint between two levels once.
            room = 2 * tolerance.eps() * self.top
            expect.at_most(chosen, nearest + room, of="distance to the level")

    def test_levels_come_back_exactly(self, answer: Any, seed: int) -> None:
        """A group that holds the levels themselves, times a power of two, gets their codes.

        Every level is reachable, the last and the first too.
        """
        order = torch.randperm(len(self.levels), generator=cases.generator(seed)).numpy()
        row = torch.tensor(np.resize(self.levels[order], self.group)).float()
        for size in each(cases.named(1.0, 2.0**-9, 2.0**20)):
            codes, scale = self.coded(answer, row.repeat(3, 2) * size)
            got = self.levels[codes].reshape(3, 2, -1) * scale
            want = as_float64(row.repeat(3, 2) * size).reshape(got.shape)
            expect.close(got, want, atol=2 * tolerance.eps() * self.top * size, of="values")

    def test_loud_group_hurts_no_other(self, answer: Any, seed: int) -> None:
        """Multiplying one group by 1000 changes neither scale nor codes of the others.

        A group has its own scale, so an outlier stays at home, at the end of a row as well.
        """
        w = cases.normal(seed, 3, 4 * self.group)
        calm_codes, calm_scale = self.coded(answer, w)
        for row, place in ((0, 0), (0, 3), (1, 0), (2, 2)):
            loud = w.clone()
            loud[row, place * self.group : (place + 1) * self.group] *= 1000
            codes, scale = self.coded(answer, loud)
            others = np.ones(scale.shape[:2], dtype=bool)
            others[row, place] = False
            codes, calm = (c.reshape(3, 4, -1)[others] for c in (codes, calm_codes))
            expect.same(scale[others], calm_scale[others], of="the other groups' scale")
            expect.same(codes, calm, of="the other groups' codes")

    def test_zero_group_gives_zeros(self, answer: Any, seed: int) -> None:
        """A group of zeros is the level nearest to 0, its scale above 0; the others are as before.

        amax is 0 there, and 0 / 0 is NaN.
        """
        w = cases.normal(seed, 2, 3 * self.group)
        before, before_scale = self.coded(answer, w)
        w[1, self.group : 2 * self.group] = 0
        after, scale = self.coded(answer, w)
        others = np.delete(scale.reshape(6, 1), 4, 0)
        expect.same(others, np.delete(before_scale.reshape(6, 1), 4, 0), of="the others' scale")
        after, before = (np.delete(c.reshape(6, -1), 4, 0) for c in (after, before))
        expect.same(after, before, of="the others' codes")
        nearest = int(abs(self.levels).argmin())
        for case in each({"one group of zeros": w, "all zeros": torch.zeros_like(w)}):
            codes, _ = self.coded(answer, case)
            zero = as_float64(case) == 0
            same = abs(self.levels[codes[zero]]) == abs(self.levels[nearest])
            expect.true(same.all(), expected=f"code {nearest}", got=sorted({*codes[zero].tolist()}))

    @hardened
    def test_denormal_groups_stay_finite(self, answer: Any, seed: int) -> None:
        """Groups so small that their scale leaves the normal range still get a usable one.

        It may not be 0, and is at most the smallest normal number, 2**-126.
        """
        ramp = torch.linspace(-1, 1, self.group).double()
        sizes = torch.tensor([cases.SMALLEST, 60 * cases.SMALLEST, 1e-40, 1e-38]).double()
        w = torch.cat([(ramp * sizes[:, None]).float(), cases.normal(seed, 1, self.group)])
        codes, scale = self.coded(answer, w)
        back = self.levels[codes].reshape(scale.shape[0], 1, -1) * scale
        # Half of the widest gap, and the rounding of a scale to a denormal number.
        room = max(np.diff(self.levels)) / 2 * scale + self.top * cases.SMALLEST
        expect.at_most(abs(back - self.grouped(w)), room, of="error of the values")
        want = abs(self.grouped(w)).max(-1, keepdims=True) / self.top
        limit = np.maximum(want * (1 + tolerance.eps()), 2.0**-126)
        expect.at_most(scale, limit, of="scale")

    @hardened
    def test_huge_values_do_not_overflow(self, answer: Any, seed: int) -> None:
        """Weights near the float32 maximum (3.4e38) are coded like any others.

        A product before the division would be infinite.
        """
        w = cases.normal(seed, 4, 2 * self.group)
        (codes, _), (got, scale) = self.coded(answer, w), self.coded(answer, w * 2.0**125)
        expect.same(got, codes, of="codes")
        want = abs(self.grouped(w * 2.0**125)).max(-1, keepdims=True) / self.top
        expect.close(scale, want, atol=tolerance.eps() * want, of="scale")

    def test_half_precision_is_computed_in_float32(self, answer: Any, seed: int) -> None:
        """float16 and bfloat16 weights give the codes and scales of their float32 copies.

        w / scale loses digits in 16 bits: convert to float32 first.
        """
        for w in each(cases.low_precision(cases.normal(seed, 64, 16 * self.group))):
            (codes, scale), want = self.coded(answer, w), self.coded(answer, w.float())
            expect.same(scale, want[1], of="scale")
            expect.same(codes, want[0], of="codes")

    def test_is_left_untouched_without_a_graph(self, answer: Any, seed: int) -> None:
        """w keeps its bits, in any layout; the results carry no gradient history.

        A scale with a graph keeps the float weights alive.
        """
        for w in each(self.matrices(seed)):
            parameter = nn.Parameter(w)
            with expect.untouched(parameter):
                results = several(self.call(answer, parameter), "codes, scale")
            expect.no_graph(*results)
