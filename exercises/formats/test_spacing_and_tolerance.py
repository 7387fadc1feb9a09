"""What `spacing` and `is_close` must do, one claim a check."""

import itertools
import math

import torch

from halfbits.course.checks import calls, cases, expect, hardened, task
from halfbits.course.checks.cases import each

DTYPES = cases.named(torch.float16, torch.bfloat16, torch.float32)
INTEGERS = {2: torch.int16, 4: torch.int32}  # of as many bytes

again = calls.Calls("spacing", lambda seed: (neighbors(seed, torch.float16, 9)[0], torch.float16))
close_again = calls.Calls("is_close", lambda seed: some_close(seed))


def neighbors(seed, dtype, count=60):
    """Finite positive numbers of `dtype` of any size, and the next larger ones, float64."""
    whole, info = INTEGERS[dtype.itemsize], torch.finfo(dtype)
    last = int(torch.tensor(info.max, dtype=dtype).view(whole))
    first = int(torch.tensor(info.smallest_normal, dtype=dtype).view(whole))
    bits = torch.randint(first, last, (count,), generator=cases.generator(seed)).to(whole)
    return bits.view(dtype).double(), (bits + 1).view(dtype).double()


def some_close(seed):
    """The arguments of a comparison: nine numbers, each close or not."""
    low, high = neighbors(seed, torch.float16, 9)
    far = torch.randint(2, (9,), generator=cases.generator(seed)) * 8.0
    return low + far * (high - low), low, torch.float16, 2


def gives(answer, x, dtype, want):
    """`spacing` of x and of -x is `want`: a power of two, but for the rounding of a power."""
    for signed in (x, -x):
        expect.close(answer.spacing(signed, dtype), want, atol=4 * 2.0**-52 * want)


def judged(answer, got, want, dtype, roundings, verdict):
    """`is_close` gives `verdict` for each of the numbers."""
    result = answer.is_close(got, want, dtype, roundings)
    expect.array(result, torch.bool, want.shape)
    expect.true((result == verdict).all(), expected=f"{verdict} everywhere", got=result.tolist())


@task("spacing")
def test_is_the_distance_between_neighbors(answer, seed):
    """For a number of the format the distance to the next larger one, and the same in between.

    eps is that distance at 1 alone. It grows a power of two at a time; eps * x would go on growing.
    """
    for dtype in each(DTYPES):
        low, high = neighbors(seed, dtype)
        for part in (0, 0.001, 0.5, 0.999):
            gives(answer, low + part * (high - low), dtype, high - low)


@task("spacing")
def test_doubles_at_a_power_of_two(answer, seed):
    """A power of two has the wider spacing above it, and what lies just below it the narrower one.

    Rounded to the format first, a number just below would become the power itself, and so does
    the logarithm of the float64 number next to it, when it is rounded.
    """
    powers = torch.tensor([2.0**n for n in range(-13, 15)], dtype=torch.float64)
    nearest = torch.nextafter(powers, torch.zeros_like(powers))
    for dtype in each(DTYPES):
        wide = powers * torch.finfo(dtype).eps
        gives(answer, powers, dtype, wide)
        for below in (powers * (1 - 2.0**-30), nearest):
            gives(answer, below, dtype, wide / 2)


@task("spacing")
def test_shape_and_layout_do_not_matter(answer, seed):
    """A single number, no numbers, a matrix and its transpose have the spacing of each entry."""
    for dtype in each(DTYPES):
        low, high = (end.view(4, 15) for end in neighbors(seed, dtype))
        for part in (lambda x: x, lambda x: x.T, lambda x: x[:, ::2], lambda x: x[2, 3]):
            gives(answer, part(low), dtype, part(high) - part(low))
        gives(answer, low[:0], dtype, low[:0])


@task("is_close")
def test_results_may_have_any_shape_and_be_views(answer, seed):
    """A single number, none, a matrix, three axes; either argument may be a strided view."""
    for dtype in each(DTYPES):
        want, high = (end.view(3, 4) for end in neighbors(seed, dtype, 12))
        got = want + (high - want) * torch.tensor([0.0, 4.0, 0.0, 4.0])
        verdict = torch.tensor([True, False, True, False]).expand(3, 4)
        for one, other in (cases.one_a_view(got, want) | {"as they are": (got, want)}).values():
            judged(answer, one, other, dtype, 3, verdict)
        for part in (lambda x: x[0, 1], lambda x: x[:0], lambda x: x.view(2, 3, 2)):
            judged(answer, part(got), part(want), dtype, 3, part(verdict.contiguous()))


@task("spacing")
def test_does_not_shrink_to_zero(answer, seed):
    """At 0, and up to the smallest normal number, it is eps * smallest_normal.

    The logarithm of 0 is minus infinity, and a tolerance of 0 rejects every rounding.
    """
    for dtype in each(DTYPES):
        info = torch.finfo(dtype)
        part = torch.tensor([0.0, 0.001, 0.3, 0.5, 0.999, 1.0, 1.5], dtype=torch.float64)
        least = torch.full_like(part, info.smallest_normal * info.eps)
        gives(answer, part * info.smallest_normal, dtype, least)


@task("is_close")
def test_room_grows_with_the_exact_result(answer, seed):
    """Half a spacing of `want` for each rounding: exactly that far off is close, any more is not.

    An absolute tolerance accepts anything small, and no large number that was rounded. All of
    these differences are exact in float64, so there is nothing to allow for.
    """
    for dtype in each(DTYPES):
        low, high = neighbors(seed, dtype, 12)
        for want, roundings in itertools.product((low, low + (high - low) / 4), (1, 2, 7)):
            room = roundings * (high - low) / 2
            for sign in (-1, 1):
                end = want + sign * room
                next_one = torch.nextafter(end, torch.full_like(end, sign * math.inf))
                judged(answer, end, want, dtype, roundings, True)
                for got in (want + sign * room * 1.01, next_one):
                    judged(answer, got, want, dtype, roundings, False)
                judged(answer, -want + sign * room, -want, dtype, roundings, True)


@task("is_close")
def test_wrong_result_does_not_widen_its_room(answer, seed):
    """The spacing is that of `want`: just below a power of two it is the narrower one.

    With the larger of the two spacings, a result that is far too large is close to everything.
    """
    powers = torch.tensor([2.0**-3, 1.0, 512.0], dtype=torch.float64)
    for dtype in each(DTYPES):
        step = powers * torch.finfo(dtype).eps / 2  # below a power
        judged(answer, powers + step, powers - step, dtype, 3, False)
        judged(answer, powers + step, powers - step, dtype, 4, True)


@task("is_close")
@hardened
def test_nan_is_close_to_nothing(answer, seed):
    """A NaN or an infinity as a result gives False, whatever is expected.

    Every comparison with NaN is false, so it has to be asked the right way round. An infinity is
    infinitely far off, unless its own spacing is the room.
    """
    for bad in each(cases.named(math.nan, math.inf, -math.inf)):
        want = torch.tensor([0.0, 1.0, -3.0, 60000.0], dtype=torch.float64)
        judged(answer, torch.full_like(want, bad), want, torch.float16, 3, False)
