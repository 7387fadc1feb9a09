"""What `accumulate` must do, one claim a check; every result is compared bit for bit."""

import torch

from halfbits.course.checks import calls, cases, expect, hardened
from halfbits.course.checks.cases import each

TASK = "accumulate"
NARROW = cases.named(*cases.LOW)
again = calls.Calls("accumulate", lambda seed: (*sized(seed), torch.float16, 8))


def sized(seed):
    """Two vectors of positive numbers, sixteen times as large for an odd seed."""
    return cases.normal(seed, 2, 40).abs() * torch.tensor([[16.0 ** (seed % 2)], [1.0]])


def wanted(a, b, narrow, every):
    """The rule of the specification, step by step."""
    total, partial = torch.zeros(()), torch.zeros((), dtype=narrow)
    for number, product in enumerate(a * b, 1):
        partial = (partial.float() + product).to(narrow)
        if number % every == 0 or number == len(a):
            total, partial = total + partial.float(), torch.zeros((), dtype=narrow)
    return total


def right(answer, a, b, narrow, every):
    """The answer is that of the rule."""
    expect.same(answer.accumulate(a, b, narrow, every), wanted(a, b, narrow, every))


def drawn(seed, n) -> tuple[torch.Tensor, torch.Tensor]:
    """Two vectors of n numbers each whose products are mostly positive: sums that grow."""
    a = cases.normal(seed, 2, n)
    return a[0].abs(), a[1].abs() - 0.2


def test_sum_stops_growing_without_a_promotion(answer, seed):
    """Equal numbers, added in one stretch, stop at 2048 of them in float16, 256 in bfloat16.

    The sum is rounded after every addition: a float32 sum that is rounded once at the end goes on.
    """
    size = 2.0 ** (seed % 5)
    for narrow, n in each({"float16": (torch.float16, 2100), "bfloat16": (torch.bfloat16, 300)}):
        ones = torch.ones(n)
        stops = {torch.float16: 2048, torch.bfloat16: 256}[narrow] * size
        expect.same(answer.accumulate(ones, ones * size, narrow, n), torch.tensor(stops))


def test_promotion_lets_the_total_grow(answer, seed):
    """With a promotion every 100 products, thousands of ones all count.

    The partial sums stay small, and each must start again at 0; the total is a float32, must never
    be rounded to the narrow type, and gets the last stretch too, however short.
    """
    ones = torch.ones(2101 + 2 * (seed % 8))  # an odd number above 2048 is neither half type's
    for narrow in each(NARROW):
        got = answer.accumulate(ones, ones, narrow, 100)
        expect.same(got, torch.tensor(float(len(ones))))


def test_every_addition_is_rounded_in_order(answer, seed):
    """Random products give the sum of the rule, product after product, bit for bit.

    Another order, or a product rounded before it is added, gives other last bits.
    """
    for narrow in each(NARROW):
        for every in (1, 2, 16, 64):
            right(answer, *drawn(seed + every, 64), narrow, every)
        # Each small partial sum is half a spacing of the total, lost after the large one alone.
        sums = torch.tensor([8192.0] + [2.0**-11] * 100)
        for one in (sums, sums.flip(0)):
            right(answer, one, torch.ones(101), narrow, 1)
        right(answer, torch.full((4,), 1e-6), torch.ones(4), narrow, 4)  # denormal in float16
        # A product of 0 counts as one of the two.
        right(answer, torch.tensor([2048.0, 0.0, 1.0, 1.0]), torch.ones(4), narrow, 2)


@hardened
def test_each_step_has_the_type_of_the_rule(answer):
    """Products and the total are float32, neither wider nor narrower, where it shows in the result.

    A float64 product keeps digits that tip a tie over; a float64 total counts numbers that are
    half the spacing of a float32.
    """
    for narrow, tie in each({"float16": (torch.float16, -11), "bfloat16": (torch.bfloat16, -8)}):
        # 1 + a b is a tie of `narrow` and half a spacing of float32; a b has one digit more.
        small = 1 + 2.0 ** (-25 - tie)
        right(answer, torch.tensor([1.0, small]), torch.tensor([1.0, small * 2.0**tie]), narrow, 2)
        half = torch.tensor([2.0, 2.0**-23, 2.0**-23])
        right(answer, half, torch.ones(3), narrow, 1)


def test_last_stretch_may_be_shorter(answer, seed):
    """Where n is no multiple of `every`, the last products reach the total as well.

    Also where `every` is larger than n, which is a single stretch.
    """
    for narrow in each(NARROW):
        for n, every in ((50, 16), (17, 16), (5, 8), (1, 3), (700, 300)):
            right(answer, *drawn(seed + n, n), narrow, every)


@hardened
def test_overflow_becomes_infinite_in_float16_alone(answer, seed):
    """A partial sum beyond 65504 is infinite in float16 and stays a number in bfloat16.

    Neither is clamped: a promotion more often is the remedy, and it works.
    """
    for last in each({"16 more": 16.0, "just below 16 more": 15.99}):  # 65520 is the tie
        right(answer, torch.tensor([65504.0, last]), torch.ones(2), torch.float16, 2)
    a, b = torch.full((80,), 100.0), torch.full((80,), 10.0 + seed % 7)
    for narrow, every in each(
        {
            "one stretch": (torch.float16, 80),
            "8 each": (torch.float16, 8),
            "bfloat16": (torch.bfloat16, 80),
        }
    ):
        right(answer, a, b, narrow, every)


@hardened
def test_nothing_to_add_is_zero_and_inputs_are_left_alone(answer, seed):
    """n = 0 gives the float32 number 0; a and b keep their bits, as views too.

    An empty reduction is the neutral element; a column of a table is a vector like any other, and
    its last, shorter stretch counts.
    """
    expect.same(answer.accumulate(torch.ones(0), torch.ones(0), torch.float16, 4), torch.zeros(()))
    a, b = cases.normal(seed, 30, 2).unbind(1)
    with expect.untouched(a, b):
        right(answer, a, b, torch.bfloat16, 7)
