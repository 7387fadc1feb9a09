"""What `stochastic_round` must do, one claim a check."""

import torch

from halfbits.course.checks import calls, cases, expect, hardened
from halfbits.course.checks.cases import each

TASK = "stochastic_round"
GRID = torch.arange(2**16).float() / 2**16  # every u
STEP = 2**16  # the bits of a float32 between two bfloat16 numbers

again = calls.Calls(
    "stochastic_round", lambda seed: (cases.normal(seed, 3, 8), uniform(seed + 1, 3, 8))
)


def numbers(seed, count=40):
    """Normal float32 numbers of any size and sign."""
    sizes = 10.0 ** torch.randint(-30, 36, (count,), generator=cases.generator(seed + 1))
    return cases.normal(seed, count) * sizes


def uniform(seed, *shape):
    """float32 multiples of 2**-16 from 0 to 1, 1 excluded."""
    return torch.randint(2**16, shape, generator=cases.generator(seed)) / 2**16


def exact(x, u):
    """The neighbor that the odds choose, by the numbers' distances in float64."""
    bits = x.view(torch.int32)
    ends = [bits - bits % STEP, bits - bits % STEP + STEP]
    toward, away = (end.view(torch.float32).double() for end in ends)
    p = (x.double() - toward) / (away - toward)  # both signs cancel
    p = torch.where(away.isfinite(), p, (bits % STEP) / STEP)
    return torch.where(u < p, away, toward).bfloat16()


def right(answer, x, u):
    """The result is the neighbor that the odds choose, zeros with their signs."""
    got, want = answer.stochastic_round(x, u), exact(x, u)
    expect.same(got, want)
    expect.same(got.signbit(), want.signbit(), of="the sign")


def test_goes_away_from_zero_with_the_odds_of_the_distance(answer, seed):
    """Where u < p the result is the neighbor away from zero, elsewhere the one toward zero.

    p is the way from `toward` to x as a share of the way to `away`, for either sign. To add u to
    the lower bits and cut them off has the same odds, but goes up where u is at least 1 - p.
    """
    for name in each({"one draw": 0, "another": 1, "a third": 2}):
        x = numbers(seed + name)
        right(answer, x, uniform(seed + 7 + name, *x.shape))


def test_shape_and_layout_do_not_matter(answer, seed):
    """Matrices, three axes and views: each entry is rounded with its own u.

    A weight is a matrix, and its gradient may come transposed.
    """
    shaped = {
        f"shape {s}": (numbers(seed, 24).view(s), uniform(seed + 1, *s))
        for s in ((2, 3, 4), (24, 1))
    }
    x, u = numbers(seed + 2, 24).view(4, 6), uniform(seed + 3, 6, 4)
    views = {
        "transposed x": (x.T, u),
        "transposed u": (x, u.T),
        "strided": (x[:, ::2], u.T[:, 1::2]),
    }
    for one, odds in each({**shaped, **views}):
        right(answer, one, odds)


def test_average_over_all_draws_is_the_number(answer, seed):
    """The mean of the results for every u is x itself, exactly.

    Rounding to the nearest is off on average by as much as it is off once.
    """
    for x in each(cases.named(*(cases.normal(seed, 5) * 3).tolist())):
        several = torch.full_like(GRID, x)
        got = answer.stochastic_round(several, GRID)
        expect.array(got, torch.bfloat16, GRID.shape)
        expect.close(got.double().mean(), several[0].double(), atol=0, of="mean")


def test_odds_are_met_at_both_ends(answer, seed):
    """With u just below p the result is `away`, with u = p it is `toward`; exact numbers stay.

    What bfloat16 holds has p = 0, and u < 0 is never true: with u <= p a zero would now and then
    become the smallest number that there is. One draw of 65,536 too many is a bias in every step.
    """
    x = torch.cat([numbers(seed), numbers(seed + 1).bfloat16(), torch.tensor([0.0, -0.0, -2.0])])
    p = (x.view(torch.int32) % STEP) / STEP
    for u in each({"u = p": p, "just below": (p - 2.0**-16).clamp(min=0), "0": p * 0}):
        right(answer, x, u)


def test_carry_reaches_the_next_power_of_two(answer, seed):
    """Just below a power of two `away` is that power, whose spacing is twice as large.

    p is measured with the spacing below it, which is where x lies.
    """
    powers = 2.0 ** torch.arange(-20.0, 20.0, 3)
    for part in (2.0**-10, 2.0**-12, 2.0**-20):
        x = torch.cat([powers * (1 - part), -powers * (1 - part)])
        for u in (0.0, 0.3, 0.9):
            right(answer, x, torch.full_like(x, u))


@hardened
def test_ends_of_the_format_are_rounded_like_the_rest(answer, seed):
    """Subnormal numbers have the same odds; beyond the largest number `away` is infinity.

    bfloat16 is the upper half of float32 in all of its range.
    """
    small = torch.randint(1, 1 << 23, (40,), generator=cases.generator(seed)).int()
    large = torch.randint(0x7F7F0001, 0x7F800000, (20,), generator=cases.generator(seed)).int()
    x = torch.cat([small, large, torch.tensor([0x7F800000]).int()]).view(torch.float32)
    for signed in each({"positive": x, "negative": -x}):
        right(answer, signed, uniform(seed + 3, *x.shape))


@hardened
def test_nan_stays_nan(answer, seed):
    """Every NaN comes back as NaN, whatever u is.

    With one added to its upper half, a NaN whose fraction is full turns into minus zero.
    """
    x = torch.tensor([0x7FFFFFFF, 0x7F800001, 0x7FC00000, -1], dtype=torch.int32)
    for u in (0.0, 0.5):
        got = answer.stochastic_round(x.view(torch.float32), torch.full((4,), u))
        expect.true(got.isnan().all(), expected="NaN everywhere", got=got.tolist())


@hardened
def test_single_number_and_none_are_shapes_too(answer, seed):
    """A scalar gives a scalar, and no numbers give none."""
    for x in each({"a scalar": numbers(seed)[3], "no numbers": numbers(seed)[:0]}):
        right(answer, x, uniform(seed + 1, *x.shape))
