"""What `mx_block` must do, one claim a check."""

import torch

from halfbits import quantize
from halfbits.course.checks import calls, cases, expect, hardened, quantizers
from halfbits.course.checks.cases import each

TASK = "mx_block"
# Halfway between neighboring levels, and the level that it goes to.
TIES = {0.25: 0, 0.75: 1, 1.25: 1, 1.75: 2, 2.5: 2, 3.5: 4, 5.0: 4}
again = calls.Calls("mx_block", lambda seed: (cases.sized(seed, 6, 32),))


def quantized(answer, x):
    """The answer's exponents and values, once their types and shapes are right."""
    exponent, values = quantizers.several(answer.mx_block(x), "exponent, values")
    expect.array(exponent, torch.int32, [len(x)], of="exponent")
    expect.array(values, torch.float32, x.shape, of="values")
    return exponent, values


def blocks(seed, count=40):
    """Normal numbers, each block of its own size from 2**-20 to 2**20."""
    sizes = torch.linspace(-20, 20, count).exp2()
    return cases.normal(seed, count, 32) * sizes[:, None]


def with_largest(seed, *largest):
    """One block for each number of `largest`, which is its only one of that size."""
    x = cases.normal(seed, len(largest), 32).clamp(-4, 4) / 16 * torch.tensor(largest)[:, None]
    x[:, seed % 32] = torch.tensor(largest)
    return x


def right(answer, x):
    """The exponents and values are those of the standard's rule."""
    want = quantize.quantize_mxfp4(x)
    exponent, values = quantized(answer, x)
    expect.same(exponent, torch.log2(want.scale[:, 0]).round().int(), of="exponent")
    expect.same(values, want.dequantize(), of="values")


def test_exponent_is_the_floor_minus_two(answer, seed):
    """exponent = floor(log2(amax)) - 2 for each block, whatever its size.

    The largest quotient then lies from 4 up to 8. The block's scale is a power of two, not
    amax / 6.
    """
    x = blocks(seed)
    want = torch.log2(x.double().abs().amax(1)).floor().int() - 2
    expect.same(quantized(answer, x)[0], want, of="exponent")


def test_exponent_is_exact_at_powers_of_two(answer, seed):
    """amax = 2**k has the floor k, and the float32 number just below it k - 1.

    A float32 logarithm of the number below rounds to k: the scale is then twice too large.
    """
    for k in (-100, -31, -1, 0, 1, 20, 64, 100):
        power = torch.tensor(2.0**k)
        below = torch.nextafter(power, torch.tensor(0.0))
        cases_ = {f"amax = 2**{k}": (power, k), f"amax just below 2**{k}": (below, k - 1)}
        for amax, floor in each(cases_):
            exponent, _ = quantized(answer, with_largest(seed, amax.item()))
            expect.same(exponent, torch.tensor([floor - 2], dtype=torch.int32), of="exponent")


def test_values_are_the_nearest_levels(answer, seed):
    """Every value is the level next to x / 2**exponent, times 2**exponent.

    The levels are not evenly spaced: rounding to multiples of 0.5 gives values that no code has.
    """
    for count in each({"40 blocks": 40, "one block": 1, "300 blocks": 300, "a square": 32}):
        right(answer, blocks(seed, count))


def test_ties_go_to_the_even_code(answer, seed):
    """Halfway between two levels the one whose last bit is 0 is taken: 0, 1, 2 or 4.

    The division by a power of two is exact, so that ties in x are ties of the quotients.
    """
    k = seed % 20 - 10
    for tie, level in each({f"{tie:g} times the scale": (tie, TIES[tie]) for tie in TIES}):
        x = torch.full((1, 32), tie)
        x[0, 1::2] *= -1
        want = torch.full((1, 32), float(level)) * x.sign()
        x[0, 5], want[0, 5] = 4.0, 4.0
        expect.same(quantized(answer, x * 2.0**k)[1], want * 2.0**k, of=f"values, scale 2**{k},")


@hardened
def test_on_either_side_of_a_tie_the_nearer_level_is_taken(answer, seed):
    """The float32 numbers next to a tie go down and up, for either sign, at any scale.

    Half a spacing decides; a comparison with too few digits takes the neighbor for the tie.
    """
    size = 2.0 ** (seed % 20 - 10)
    for tie in TIES:
        for value in each(cases.around(tie)):
            x = torch.full((1, 32), value.item() * size)
            x[0, ::2] *= -1
            x[0, 5] = 4.0 * size
            right(answer, x)


def test_largest_numbers_are_clipped(answer, seed):
    """Quotients from 6 to 8 become 6, with their sign; those between 5 and 6 are 6 as well.

    That is the price of a scale that is rounded down; nothing wraps, and nothing is 8.
    """
    right(answer, with_largest(seed, 5.5, 6.5, 7.0, 7.99, -5.5, -6.5, -7.99, 0.9, -15.5))


def test_block_of_zeros_gives_zeros(answer, seed):
    """A block of zeros has values 0, beside other blocks that are as before.

    The logarithm of 0 is minus infinity, and 0 / 0 is NaN.
    """
    x = blocks(seed, 6)
    x[seed % 6] = 0
    want = quantize.quantize_mxfp4(x).dequantize()
    expect.same(quantized(answer, x)[1], want, of="values")


def test_blocks_know_nothing_of_each_other_and_x_is_left_alone(answer, seed):
    """A block alone, and a strided view, give what they give among others; x keeps its bits.

    One scale serves 32 numbers and no more.
    """
    x = blocks(seed, 8)
    views = {"every other block": x[::2], "a transposed view": cases.normal(seed, 32, 8).t()}
    for part in each({"one block": x[3:4]} | views):
        with expect.untouched(part):
            right(answer, part)
