"""What `nvfp4_scales` and `nvfp4_block` must do, one claim a check."""

import math

import torch

from halfbits.course.checks import calls, cases, expect, hardened, quantizers, task, tolerance
from halfbits.course.checks.cases import each
from halfbits.quantize import FP4_LEVELS

LEVELS = torch.tensor(FP4_LEVELS, dtype=torch.float64)
E4M3 = torch.float8_e4m3fn
again = calls.Calls("nvfp4_scales", lambda seed: (cases.normal(seed, 6, 16) * (1 + seed % 7),))
block_again = calls.Calls("nvfp4_block", lambda seed: (cases.normal(seed, 6, 16),))


def tensors(seed):
    """Blocks of like size, of sizes that differ by up to 2**10, small, large, of both signs."""
    x, sizes = cases.normal(seed, 30, 16), torch.linspace(-6, 4, 30).exp2()[:, None]
    unit = x / x.abs().max()
    smallest = torch.zeros(2, 16)
    smallest[0, 3], smallest[1, 5] = 6 * 448, 6 * 1.5 * 2.0**-10  # nearer to 2**-9 than to 0
    return {
        "blocks of like size": x,
        "blocks of sizes from 1/64 to 16": x * sizes,
        "all signs turned round": -x,
        "one block": x[:1],
        "as many blocks as numbers in one": x[:16],
        "many blocks": cases.normal(seed + 1, 400, 16),
        "numbers up to 2**-40": unit * 2.0**-40,
        "numbers up to 2**40": unit * 2.0**40,
        "a block with the smallest scale": smallest,
        "every other block of a tensor": x[::2],
    }


def scales(answer, x):
    """The answer's two scales, once their types and shapes are right."""
    got = quantizers.several(answer.nvfp4_scales(x), "tensor_scale, block_scale")
    expect.array(got[0], torch.float32, [], of="tensor_scale")
    expect.array(got[1], E4M3, [len(x)], of="block_scale")
    return got


@task("nvfp4_scales")
def test_tensor_scale_puts_the_largest_block_at_448(answer, seed):
    """tensor_scale = amax / (6 * 448) over the whole tensor.

    The largest number of all, divided by both scales, is then 6: both formats are used to the end.
    """
    for x in each(tensors(seed)):
        want = (x.double().abs().max() / (6 * 448)).float()
        # Up to three roundings: two divisions, or a product and a division.
        room = 3 * tolerance.eps() * want
        expect.close(scales(answer, x)[0], want, atol=room, of="tensor_scale")


@task("nvfp4_scales")
def test_block_scale_is_the_nearest_e4m3_number(answer, seed):
    """block_scale = block_amax / 6 / tensor_scale, rounded to E4M3, for each block by itself.

    It is measured in units of the tensor scale; without that division small tensors have scale 0.
    """
    for x in each(tensors(seed)):
        tensor_scale, got = scales(answer, x)
        wish = x.double().abs().amax(1) / 6 / tensor_scale.double()
        # The nearest, but for quotients so near to a tie that float32 cannot tell.
        spacing = torch.exp2(torch.log2(wish).floor().clamp(min=-6) - 3)
        room = spacing / 2 + 4 * tolerance.eps() * wish
        expect.close(got.double(), wish, atol=room, of="block_scale")


@task("nvfp4_scales")
@hardened
def test_block_scale_near_a_tie_goes_to_the_nearer_number(answer, seed):
    """Just below a tie of E4M3 the lower number is stored, just above it the upper one.

    A detour through a 16-bit type takes what is near for the tie itself.
    """
    size, near = (
        2.0 ** (seed % 20 - 10),
        2.0**-14,
    )  # more than float32's roundings, less than half's
    for number in each(cases.named(1.0, 1.125, 1.875, 13.0, 240.0, 0.25)):
        step = 2.0 ** math.floor(math.log2(number)) / 8
        for side, want in ((1 - near, number), (1 + near, number + step)):
            x = torch.zeros(2, 16)
            x[0, 3], x[1, 5] = -6 * 448.0, 6 * (number + step / 2) * side
            got = scales(answer, x * size)[1]
            expect.same(got[1].float(), torch.tensor(want), of="block_scale")


@task("nvfp4_scales")
def test_largest_block_scale_is_448_and_no_nan(answer, seed):
    """The block with the largest number has the scale 448, whatever that number is.

    A rounding can give 448.00003; some casts make NaN of what does not fit, and one NaN scale
    takes its block with it.
    """
    for number in range(20):
        x = cases.normal(seed + number, 5, 16)
        _, got = scales(answer, x)
        row = x.abs().amax(1).argmax()
        expect.same(got[row].float(), torch.tensor(448.0), of="the largest block_scale")


@task("nvfp4_scales")
@hardened
def test_zeros_give_a_usable_tensor_scale(answer, seed):
    """A tensor of zeros has a finite tensor_scale above 0, and block scales 0, not NaN.

    0 / 0 is NaN, and experts that were never used are all zero.
    """
    for rows in (1, 3):
        tensor_scale, got = scales(answer, torch.zeros(rows, 16))
        expect.positive(tensor_scale, of="tensor_scale")
        expect.same(got.float(), torch.zeros(rows), of="block_scale")


@task("nvfp4_block")
def test_values_are_levels_times_the_stored_scale(answer, seed):
    """Each result is the nearest level to x / scale, times scale = block_scale * tensor_scale.

    The stored block scale, that is: a reader knows no other. Dividing by the unrounded one makes
    codes for a scale that nobody has.
    """
    for x in each(tensors(seed)):
        tensor_scale, block_scale = scales(answer, x)
        options = (block_scale.double() * tensor_scale.double())[:, None, None] * LEVELS
        got = answer.nvfp4_block(x)
        expect.like(got, x, of="result")
        # Few roundings of float32 each: of the scale, of the quotient, of the product.
        room = 4 * tolerance.eps() * (x.abs() + got.abs()).double()
        from_a_level = (got.double()[..., None] - options).abs().amin(2)
        expect.at_most(from_a_level, room, of="distance of the result from a level times the scale")
        nearest = (x.double()[..., None] - options).abs().amin(2)
        expect.at_most((got - x).double().abs(), nearest + room, of="error of the result")


@task("nvfp4_block")
def test_block_too_small_for_a_scale_becomes_zero(answer, seed):
    """A block whose scale rounds to 0, or of zeros, is 0 and not NaN; the others are as before.

    x / 0 is infinite and 0 / 0 is NaN; either one spreads through the whole layer.
    """
    large = torch.zeros(2, 16)
    large[0, 0], large[1] = 2.0**30, 5.0  # 5 is too small there
    expect.same(answer.nvfp4_block(large)[1], torch.zeros(16), of="the small block beside 2**30")
    x = cases.normal(seed, 6, 16)
    x[1], x[4] = 0, x[4] * 1e-7
    for case in each({"a block of zeros, one of tiny numbers": x, "all zeros": torch.zeros(2, 16)}):
        got = answer.nvfp4_block(case)
        rows = case.abs().amax(1) < 1e-5
        expect.same(got[rows], torch.zeros(int(rows.sum()), 16), of="the small blocks' result")
        if not rows.all():
            want = answer.nvfp4_block(case[~rows])
            room = 4 * tolerance.eps() * want.abs()
            expect.close(got[~rows], want, atol=room, of="the other blocks' result")
