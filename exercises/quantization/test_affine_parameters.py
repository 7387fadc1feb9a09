"""What `affine_parameters` must do, one claim a check."""

import numbers
import random

from halfbits.course.checks import expect, hardened, quantizers
from halfbits.course.checks.cases import each

TASK = "affine_parameters"
CODES = {
    "unsigned bytes": (0, 255),
    "signed bytes": (-128, 127),
    "signed bytes without -128": (-127, 127),
    "unsigned 4 bits": (0, 15),
    "signed 4 bits": (-8, 7),
}


def parameters(answer, low, high, codes):
    """The answer's scale and zero point, once they are a number above 0 and a code."""
    got = quantizers.several(answer.affine_parameters(low, high, *codes), "scale, zero_point")
    scale, zero_point = got
    expect.positive(scale, of="scale")
    whole = isinstance(zero_point, numbers.Integral) and codes[0] <= zero_point <= codes[1]
    expected = f"an int from {codes[0]} to {codes[1]}"
    expect.true(whole, expected=expected, got=repr(zero_point), of="zero_point")
    return scale, zero_point


def right(answer, low, high, codes):
    """The scale is the stretched range over the steps; the zero point is the nearest code."""
    scale, zero_point = parameters(answer, low, high, codes)
    low, high = min(low, 0.0), max(high, 0.0)
    want = (high - low) / (codes[1] - codes[0])
    # Two or three roundings of float64, each of at most 2**-53 of the number.
    expect.close(scale, want, atol=4 * 2.0**-52 * want, of="scale")
    # The quotient is below 256 and rounds a few times: far below a millionth of a step.
    expect.close(zero_point, codes[0] - low / want, atol=0.5 + 1e-6, of="zero_point")


def drawn(seed, count=20):
    """Pairs (a, b) from 0.01 to 100, in no order."""
    some = random.Random(seed)
    return [(10 ** some.uniform(-2, 2), 10 ** some.uniform(-2, 2)) for _ in range(count)]


def test_range_on_both_sides_of_zero(answer, seed):
    """scale = (high - low) / (last - first), and 0.0 gets the nearest code to its place.

    As many steps as there are codes, minus one; the first code is not always 0.
    """
    for codes in each(CODES):
        for a, b in drawn(seed):
            right(answer, -a, b, codes)


@hardened
def test_tiny_and_huge_ranges_are_like_any_other(answer, seed):
    """Ranges from 1e-30 to 1e30 long follow the rule: no smallest scale, no float32 on the way.

    A floor such as 1e-8 turns small activations into one code; float32 ends at 3.4e38.
    """
    for codes in each(CODES):
        for size in each({f"values near {size:g}": size for size in (1e-30, 1e-12, 1e12, 1e30)}):
            for a, b in drawn(seed, 5):
                for low, high in ((-a, b), (a, b), (-a, -b)):
                    right(answer, min(low, high) * size, max(low, high) * size, codes)


@hardened
def test_zero_point_near_a_tie_is_the_nearer_code(answer, seed):
    """Four millionths of a step beyond halfway the zero point is the nearer code.

    Python's floats have 16 digits; in float32 the quotient is off by more than that.
    """
    some = random.Random(seed)
    for codes in each(CODES):
        steps = codes[1] - codes[0]
        for _ in range(20):
            size, below = some.uniform(0.1, 10), some.randrange(steps // 2, steps) + 0.5
            for near in (-4e-6, 4e-6):
                place = below + near
                right(answer, -place * size, (steps - place) * size, codes)


def test_range_above_zero_is_stretched_down_to_it(answer, seed):
    """With low above 0, the range runs from 0 to high, and the zero point is the first code.

    Otherwise no code stands for 0.0, and every padded place comes back as something else.
    """
    for codes in each(CODES):
        for a, b in drawn(seed):
            right(answer, a, a + b, codes)


def test_range_below_zero_is_stretched_up_to_it(answer, seed):
    """With high below 0, the range runs from low to 0, and the zero point is the last code.

    The other side needs the same care.
    """
    for codes in each(CODES):
        for a, b in drawn(seed):
            right(answer, -a - b, -a, codes)


def test_a_single_value_still_has_a_range(answer, seed):
    """low = high gives the range from 0 to that value, on either side.

    A constant channel is common, and the distance from low to high is 0 there.
    """
    for codes in each(CODES):
        for a, _ in drawn(seed, 5):
            right(answer, a, a, codes)
            right(answer, -a, -a, codes)


def test_an_end_at_zero_is_the_first_or_last_code(answer, seed):
    """A range that starts or ends at 0 needs no stretching; 0.0 gets the first or last code.

    The output of a ReLU is such a range.
    """
    for codes in each(CODES):
        for a, _ in drawn(seed, 5):
            right(answer, 0.0, a, codes)
            right(answer, -a, 0.0, codes)


def test_nothing_but_zeros_gives_a_usable_scale(answer, seed):
    """low = high = 0 gives a finite scale above 0 and a zero point among the codes.

    A scale of 0 would be divided by; a pruned channel holds nothing but zeros.
    """
    for codes in each(CODES):
        parameters(answer, 0.0, 0.0, codes)
