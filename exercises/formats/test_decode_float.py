"""What `decode_float` must do, one claim a check; every format of the specification is tried."""

import math
import numbers
import random

from halfbits import formats
from halfbits.course.checks import expect, hardened
from halfbits.course.checks.cases import each

TASK = "decode_float"
# Exponent bits, mantissa bits, ends, and the name in the library's table of formats.
FORMATS = {
    "float16": (5, 10, "ieee", "fp16"),
    "bfloat16": (8, 7, "ieee", "bf16"),
    "FP8 E5M2": (5, 2, "ieee", "fp8_e5m2"),
    "FP8 E4M3": (4, 3, "fn", "fp8_e4m3fn"),
    "FP6 E3M2": (3, 2, "finite", "fp6_e3m2"),
    "FP6 E2M3": (2, 3, "finite", "fp6_e2m3"),
    "FP4 E2M1": (2, 1, "finite", "fp4_e2m1"),
}


def exact(answer, code, form):
    """The answer's value of `code` is the one that the library gives."""
    exponent, mantissa, ends, name = form
    got, want = answer.decode_float(code, exponent, mantissa, ends), formats.decode(code, name)
    expect.true(isinstance(got, numbers.Real), expected="a float", got=got)
    said = f"the value of {code:0{1 + exponent + mantissa}b},"
    expect.true(got == want, expected=float(want), got=got, of=said)


def draw(seed, form, *fields):
    """Up to 60 codes of either sign with exponent fields among `fields`, all fractions likely."""
    exponent, mantissa, *_ = form
    some = random.Random(seed)
    parts = [(some.choice(fields), some.getrandbits(mantissa)) for _ in range(60)]
    codes = {field << mantissa | fraction for field, fraction in parts}
    return sorted(codes | {code | 1 << exponent + mantissa for code in codes})


def by_the_rules(code, exponent, mantissa, ends):
    """The value by the table of the specification."""
    sign, last = -1.0 if code >> exponent + mantissa & 1 else 1.0, 2**exponent - 1
    e, m = code >> mantissa & last, code & 2**mantissa - 1
    if e == last and ends == "ieee":
        return math.nan if m else sign * math.inf
    if e == last and ends == "fn" and m == 2**mantissa - 1:
        return math.nan
    return sign * 2.0 ** (max(e, 1) - 2 ** (exponent - 1) + 1) * ((e > 0) + m / 2**mantissa)


def test_normal_numbers_have_a_hidden_one(answer, seed):
    """With E from 1 to the one before the last: (-1)^sign 2^(E - bias) (1 + M / 2^m).

    The first 1 of a normal number is not stored, and the bias depends on the exponent's width.
    """
    for form in each(FORMATS):
        for code in draw(seed, form, *range(1, 2 ** form[0] - 1)):
            exact(answer, code, form)


def test_subnormal_numbers_have_none(answer, seed):
    """With E = 0: (-1)^sign 2^(1 - bias) M / 2^m, the steps of the smallest normal numbers.

    There is no hidden 1, and the exponent is 1 - bias, not -bias: so the values close up to 0.
    """
    for form in each(FORMATS):
        for code in draw(seed, form, 0):
            exact(answer, code, form)


@hardened
def test_zero_keeps_its_sign(answer, seed):
    """The code 0 is 0.0, and the sign bit alone is -0.0.

    1 / -0.0 is -inf: kernels and comparisons of bits tell the two zeros apart.
    """
    for exponent, mantissa, ends, _ in each(FORMATS):
        for code, sign in ((0, 1.0), (1 << exponent + mantissa, -1.0)):
            got = answer.decode_float(code, exponent, mantissa, ends)
            right = got == 0 and math.copysign(1.0, got) == sign
            expect.true(right, expected=sign * 0.0, got=got)


def test_ieee_formats_end_in_infinity_and_nan(answer, seed):
    """With "ieee" and E all ones, M = 0 is an infinity with its sign; all other M are NaN.

    An overflow has to be told from a number, and inf - inf from both.
    """
    for exponent, mantissa, ends, _ in each({k: f for k, f in FORMATS.items() if f[2] == "ieee"}):
        top, sign = (2**exponent - 1) << mantissa, 1 << exponent + mantissa
        for code, want in ((top, math.inf), (top | sign, -math.inf)):
            expect.equal(answer.decode_float(code, exponent, mantissa, ends), want)
        for fraction in {1, 2 ** (mantissa - 1), 2**mantissa - 1}:
            for code in (top | fraction, top | fraction | sign):
                got = answer.decode_float(code, exponent, mantissa, ends)
                expect.true(math.isnan(got), expected="nan", got=got)


def test_ends_like_ieee_unless_told_otherwise(answer, seed):
    """Without `ends` the format ends as with "ieee": in an infinity and NaN.

    Most formats do; a caller who says nothing means them.
    """
    for exponent, mantissa, *_ in each(FORMATS):
        top = (2**exponent - 1) << mantissa
        expect.equal(answer.decode_float(top, exponent, mantissa), math.inf)
        got = answer.decode_float(top | 1, exponent, mantissa)
        expect.true(math.isnan(got), expected="nan", got=got)


def test_e4m3_has_one_nan_and_no_infinity(answer, seed):
    """With "fn" only E and M all ones are NaN; the code before is a number, 448 in E4M3.

    Giving up the whole last exponent, as IEEE does, would end E4M3 at 240.
    """
    for form in each({"FP8 E4M3": FORMATS["FP8 E4M3"]}):
        for code in [code for code in draw(seed, form, 15) if code & 0x7F != 0x7F] + [0x7E, 0xFE]:
            exact(answer, code, form)
        for code in (0x7F, 0xFF):
            got = answer.decode_float(code, 4, 3, "fn")
            expect.true(math.isnan(got), expected="nan", got=got)


def test_fp6_and_fp4_spend_every_code_on_a_number(answer, seed):
    """With "finite" the last exponent is like any other: FP4 ends at 6, E3M2 at 28, E2M3 at 7.5.

    With 16 codes no one can be spared for NaN; the scale of the block carries it.
    """
    for form in each({name: form for name, form in FORMATS.items() if form[2] == "finite"}):
        last = 2 ** form[0] - 1
        for code in [*draw(seed, form, last), 2 ** (form[0] + form[1]) - 1]:
            exact(answer, code, form)


def test_widths_and_ends_are_arguments(answer, seed):
    """Formats that are in no list, such as (4, 4, "fn") and (3, 3, "ieee"), follow the rules too.

    The bias and the last codes come from the widths: a table of known formats ends with the table.
    """
    widths = {(4, 4), (5, 2), (3, 3), (2, 2), (6, 9), (8, 3)}
    for (exponent, mantissa), ends in each(
        {f"{pair}, {ends}": (pair, ends) for pair in widths for ends in ("ieee", "fn", "finite")}
    ):
        last = 2 ** (exponent + mantissa) - 1
        for code in [*draw(seed, (exponent, mantissa), *range(2**exponent)), last - 1, last]:
            want = by_the_rules(code, exponent, mantissa, ends)
            got = answer.decode_float(code, exponent, mantissa, ends)
            right = math.isnan(got) if math.isnan(want) else got == want
            expect.true(right, expected=want, got=got)
