"""What `nf4_quantize` and `double_quantize` must do, one claim a check.

What is true of every codebook of levels is claimed in halfbits/course/checks/levels.py.
"""

import torch

from halfbits.course.checks import (
    calls,
    cases,
    expect,
    hardened,
    layouts,
    levels,
    quantizers,
    tolerance,
)
from halfbits.course.checks.cases import each
from halfbits.quantize import NF4_LEVELS

TASK = "double_quantize"
nf4 = levels.LevelGroups("nf4_quantize", NF4_LEVELS, 64)
nf4_again = calls.Calls("nf4_quantize", lambda seed: (cases.sized(seed, 2, 128),))
double_again = layouts.AnyLayout(
    "double_quantize", lambda seed: (scales(seed, 2) * (1 + seed % 2),)
)
BLOCKS = {"one block": 1, "three blocks": 3, "20 blocks": 20}


def scales(seed, blocks):
    """Positive scales; each block has a spread of its own."""
    spread = 2.0 ** (torch.arange(blocks) % 5).view(-1, 1)
    return (1.0 + 0.01 * spread * cases.normal(seed, blocks, 256).clamp(-5, 5)).flatten()


def doubled(answer, scale):
    """Codes, steps and the offset, once their types and shapes are right."""
    return quantizers.arrays(
        answer.double_quantize(scale),
        codes=(torch.int8, scale.shape),
        step=(torch.float32, (len(scale) // 256,)),
        offset=(torch.float32, ()),
    )


def test_offset_is_the_mean(answer, seed):
    """offset is the mean of all scales, one number for the matrix.

    Symmetric codes of positive numbers would never be negative, and waste a bit.
    """
    for blocks in each(BLOCKS):
        scale = scales(seed, blocks)
        want = scale.double().mean()
        # A sum of n numbers in float32, in any order.
        room = len(scale) * tolerance.eps() * want
        expect.close(doubled(answer, scale)[2].double(), want, atol=room, of="offset")


def test_each_block_has_its_own_step(answer, seed):
    """step is the largest abs(scale - offset) of each 256 neighbors, divided by 127.

    So a block of equal scales is not coarse because of another one.
    """
    for blocks in each(BLOCKS):
        scale = scales(seed, blocks)
        _, step, offset = doubled(answer, scale)
        want = (scale - offset).double().view(-1, 256).abs().amax(1) / 127
        # The offset that is subtracted need not be rounded to float32 before.
        room = 2 * tolerance.eps() * (want + offset.double() / 127)
        expect.close(step.double(), want, atol=room, of="step")


def test_scales_come_back_within_half_a_step(answer, seed):
    """codes * step + offset is off by half a step at most, and the codes use both signs.

    int8 codes from -127 to 127, rounded to the nearest.
    """
    for blocks in each(BLOCKS):
        scale = scales(seed, blocks)
        codes, step, offset = doubled(answer, scale)
        expect.within(codes, -127, 127, of="codes")
        steps = ((scale - offset).double().view(-1, 256) / step.double()[:, None]).flatten()
        limit = tolerance.half_step(127, roundings=3) + tolerance.eps() * offset / step.amin()
        expect.at_most((codes - steps).abs(), limit, "steps", of="largest error")


def test_equal_scales_are_no_nan(answer):
    """Where all scales are equal, codes and steps are 0, and the offset is the scale.

    0 / 0 is NaN, and the cast of a NaN to int8 is anything.
    """
    for size in each(cases.named(1.0, 0.25)):
        codes, step, offset = doubled(answer, torch.full((512,), size))
        expect.same(codes, torch.zeros(512, dtype=torch.int8), of="codes")
        expect.same(step, torch.zeros(2), of="step")
        expect.same(offset, torch.tensor(size), of="offset")


@hardened
def test_scales_of_any_size_come_back(answer, seed):
    """Scales around 1e-12 and 1e12 have their mean and their steps like any others.

    A floor such as 1e-8 under the steps makes all codes 0.
    """
    for size in each(cases.named(1e-12, 1e12)):
        scale = scales(seed, 3) * size
        codes, step, offset = doubled(answer, scale)
        back = codes.double().view(-1, 256) * step.double()[:, None] + offset.double()
        room = (0.51 * step.double()[:, None]).expand(-1, 256).flatten()
        expect.close(back.flatten(), scale.double(), atol=room, of="codes * step + offset")
