"""What `to_bf16` must do, one claim a check."""

import numbers
import random

import numpy as np

from halfbits import formats
from halfbits.course.checks import expect, hardened
from halfbits.course.checks.cases import each

TASK = "to_bf16"
INFINITY = 0x7F800000
SIGN = 1 << 31


def value(bits):
    """The value of the bits of a float32, exact in float64."""
    return float(np.uint32(bits).view(np.float32))


def code(answer, bits):
    """The answer's code, once it is a whole number."""
    got = answer.to_bf16(bits)
    expect.true(isinstance(got, numbers.Integral), expected="an int", got=got)
    return got


def rounds(answer, *several):
    """The answer gives the code of the nearest bfloat16 for each of the float32 bits `several`."""
    for bits in each({f"{bits:#010x} = {value(bits):g}": bits for bits in several}):
        got, want = code(answer, bits), int(formats.encode(value(bits), "bf16"))
        expect.true(got == want, expected=f"{want:#06x}", got=f"{got:#06x}")


def drawn(seed, count=100):
    """Bits of finite normal float32 numbers of any size and sign."""
    some = random.Random(seed)
    return [
        some.getrandbits(1) << 31 | some.randrange(0x00800000, 0x7F7F0000) for _ in range(count)
    ]


def test_exact_numbers_keep_their_upper_half(answer, seed):
    """A number that bfloat16 holds, zeros and infinities included, is its upper half.

    Nothing is rounded where nothing is lost, and an infinity is no NaN.
    """
    exact = [bits & 0xFFFF0000 for bits in drawn(seed)]
    rounds(answer, 0, SIGN, INFINITY, SIGN | INFINITY, *exact)


def test_goes_to_the_nearer_neighbor(answer, seed):
    """A lower half below 0x8000 rounds down, one above it up, for either sign.

    Cutting the lower half off is off by up to a whole step, always toward zero.
    """
    upper = [bits & 0xFFFF0000 for bits in drawn(seed, 20)]
    near = [half | low for half in upper for low in (1, 0x7FFF, 0x8001, 0xFFFF)]
    rounds(answer, *near, *drawn(seed + 1))


def test_ties_go_to_the_even_neighbor(answer, seed):
    """A lower half of exactly 0x8000 goes to the neighbor whose last bit is 0.

    Always up, or always away from zero, would bias every sum of such numbers.
    """
    even = [bits & 0xFFFE0000 for bits in drawn(seed, 30)]
    rounds(answer, *(half | 0x8000 for half in even), *(half | 0x18000 for half in even))


def test_carry_raises_the_exponent_up_to_infinity(answer, seed):
    """A full fraction that rounds up becomes the next power of two; the largest becomes infinity.

    The carry into the exponent gives the next power of two, and from the last exponent infinity,
    as IEEE 754 rounds.
    """
    exponents = [random.Random(seed + i).randrange(1, 254) for i in range(20)]
    full = [exponent << 23 | 0x7FFFFF for exponent in exponents]
    ends = [0x7F7F7FFF, 0x7F7F8000, 0x7F7FFFFF]
    rounds(answer, *full, *(SIGN | bits for bits in full), *ends, *(SIGN | bits for bits in ends))


@hardened
def test_subnormal_numbers_are_rounded_like_others(answer, seed):
    """Where the exponent field is 0, the nearest neighbor and the even tie hold as well.

    bfloat16 has the exponents of float32, so it has subnormal numbers of its own; setting them
    to zero is what some chips do, not what rounding says.
    """
    some = random.Random(seed)
    ends = [1, 0x7FFF, 0x8000, 0x8001, 0x18000, 0x28000, 0x7F7FFF, 0x7F8000, 0x7FFFFF]
    several = [*ends, *(some.randrange(1, 0x800000) for _ in range(40))]
    rounds(answer, *several, *(SIGN | bits for bits in several))


def test_nan_stays_nan(answer, seed):
    """Every NaN has a NaN for its code: exponent all ones, and a fraction that is not 0.

    Cut off, 0x7F800001 is infinity; with 0x7FFF added, 0x7FFFFFFF is minus zero.
    """
    ends = [1, 0x7FFF, 0x8000, 0xFFFF, 0x3FFFFF, 0x400000, 0x7F8000, 0x7FFFFF]
    fractions = [*ends, *(random.Random(seed + i).randrange(1, 0x800000) for i in range(20))]
    every = [sign | INFINITY | fraction for fraction in fractions for sign in (0, SIGN)]
    for bits in each({f"{bits:#010x} = NaN": bits for bits in every}):
        got = code(answer, bits)
        right = 0 <= got <= 0xFFFF and got & 0x7FFF > INFINITY >> 16
        expect.true(right, expected="0x7f81 to 0x7fff or 0xff81 to 0xffff", got=f"{got:#06x}")
