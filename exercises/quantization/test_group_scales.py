"""What `group_scales` must do, one claim a check."""

import torch

from halfbits.course.checks import cases, expect, layouts, quantizers, tolerance
from halfbits.course.checks.cases import each

TASK = "group_scales"
# Rows, columns, group size. The number of weights is a multiple of it in the first two tails, too.
WHOLE = cases.grouped((8, 64, 16), (3, 12, 4), (5, 32, 32), (4, 6, 1))
TAILS = cases.grouped((8, 40, 32), (4, 6, 4), (3, 5, 2), (2, 5, 8))
again = layouts.AnyLayout("group_scales", lambda seed: (cases.sized(seed, 6, 20), 8))


def coded(answer, w, size):
    """The answer's codes and scales, once their types and shapes are right."""
    form = torch.float32, (len(w), -(-w.shape[1] // size))
    got = answer.group_scales(w, size)
    return quantizers.arrays(got, codes=(torch.int8, w.shape), scale=form)


def only_changed(answer, w, other, size, row, column):
    """The codes and scales of `other`: those of w, but for the group of this weight."""
    (codes, scale), (got, got_scale) = coded(answer, w, size), coded(answer, other, size)
    same = torch.ones_like(scale, dtype=torch.bool)
    same[row, column // size] = False
    expect.same(got_scale[same], scale[same], of="the other groups' scales")
    same = same.repeat_interleave(size, 1)[:, : w.shape[1]]
    expect.same(got[same], codes[same], of="the other groups' codes")
    return got, got_scale


def right(answer, w, size):
    """Each group of each row has the scale amax / 7, and codes within half a step."""
    codes, scale = coded(answer, w, size)
    want = torch.stack([part.abs().amax(1) / 7 for part in w.double().split(size, 1)], 1)
    # One rounding of the quotient, one of a reciprocal 1 / 7.
    expect.close(scale.double(), want, atol=tolerance.eps() * want, of="scale")
    steps = w.double() / scale.double().repeat_interleave(size, 1)[:, : w.shape[1]]
    expect.at_most((codes - steps).abs(), tolerance.half_step(7), "steps", of="largest error")


def test_each_group_has_its_own_scale(answer, seed):
    """scale = amax / 7 over each group of neighboring columns, codes within half a step of it.

    15 levels, from -7 to 7, are laid over what the group really holds.
    """
    for rows, columns, size in each(WHOLE):
        right(answer, cases.normal(seed, rows, columns), size)


def test_every_shape_has_its_groups(answer, seed):
    """Tall, wide, square, tiny and large matrices, and numbers of many sizes, follow the rule.

    What a matrix looks like decides nothing but the number of groups.
    """
    for w in each(cases.matrices(seed)):
        for size in (4, 32):
            right(answer, w, size)


def test_groups_never_cross_rows(answer, seed):
    """Where the width is no multiple of the group size, each row ends with a shorter group.

    A reshape of all weights at once lets a group begin in one row and end in the next; the
    kernel looks for that scale in its own row.
    """
    for rows, columns, size in each(TAILS):
        right(answer, cases.normal(seed, rows, columns), size)


def test_loud_weight_hurts_only_its_group(answer, seed):
    """Multiplying one weight by 100 changes neither scales nor codes of the other groups.

    That is all that groups are for.
    """
    for rows, columns, size in each(WHOLE | TAILS):
        w = cases.normal(seed, rows, columns)
        loud, row, column = w.clone(), seed % rows, seed % columns
        loud[row, column] *= 100
        only_changed(answer, w, loud, size, row, column)


def test_rounds_half_to_even(answer, seed):
    """A weight halfway between two codes gets the even one: 0.5 gives 0, 1.5 and 2.5 give 2.

    Halves are exact here, since the largest weight of each group is 7.
    """
    ties = torch.tensor([[0.5, 1.5, 7.0, -2.5], [7.0, 3.5, -4.5, -0.5], [6.5, -7.0, 5.5, -1.5]])
    even = torch.tensor([[0, 2, 7, -2], [7, 4, -4, 0], [6, -7, 6, -2]], dtype=torch.int8)
    order = cases.shuffled(seed, 3)
    for size in each(cases.named(1.0, 15.0, 49.0)):
        codes, scale = coded(answer, size * ties[order].repeat(1, 2), 4)
        if bool((scale == size).all()):  # a scale that is a rounding off has no ties
            expect.same(codes, even[order].repeat(1, 2), of="codes")


def test_group_of_zeros_gives_zeros(answer, seed):
    """A group of zeros has codes 0 and a finite positive scale; its neighbors are as before.

    amax / 7 is 0 there, and 0 / 0 is NaN; the cast of a NaN to int8 is anything.
    """
    for rows, columns, size in each(WHOLE | TAILS):
        w = cases.normal(seed, rows, columns)
        calm, row = w.clone(), seed % rows
        calm[row, :size] = 0
        codes, scale = only_changed(answer, w, calm, size, row, 0)
        expect.positive(scale, of="scale")
        group = codes[row, :size]
        expect.same(group, torch.zeros_like(group), of="codes of the group of zeros")
