"""What `corrected` and `integer_matmul` must do, one claim a check."""

import torch

from halfbits.course.checks import calls, cases, expect, hardened, task, tolerance
from halfbits.course.checks.cases import each

# Rows of x, rows of w, and codes of a row.
SHAPES = {"square": (6, 6, 6), "square result": (4, 4, 9), "one by one": (1, 1, 5)}
SHAPES |= {"tall": (150, 3, 16), "wide": (2, 140, 7)}

again = calls.Calls("integer_matmul", lambda seed: operands(seed, 3, 4, 6))
corrected_again = calls.Calls("corrected", lambda seed: terms(*codes(seed, 3, 4, 6)))


def whole(seed, low, high, *shape):
    """int32 numbers from `low` to `high`."""
    return torch.randint(low, high + 1, shape, generator=cases.generator(seed)).int()


def codes(seed, m, n, k):
    """Codes uint8 [m, k] and int8 [n, k], and their zero points, one for each row."""
    x, w = whole(seed, 0, 255, m, k), whole(seed + 1, -128, 127, n, k)
    zeros = whole(seed + 2, 0, 255, m), whole(seed + 3, -128, 127, n)
    return x.to(torch.uint8), w.to(torch.int8), *zeros


def centered(x, w, x_zero, w_zero):
    """The product of the centered codes, int64 [m, n]."""
    return (x.long() - x_zero[:, None]) @ (w.long() - w_zero[:, None]).T


def operands(seed, m, n, k):
    """The arguments of `integer_matmul`: codes, and a scale and a zero point for each row."""
    x, w, *zeros = codes(seed, m, n, k)
    return x, w, cases.normal(seed, m).abs() + 0.01, cases.normal(seed + 8, n).abs() + 0.01, *zeros


def terms(x, w, x_zero, w_zero):
    """The arguments of `corrected`."""
    product, sums = (x.long() @ w.long().T).int(), (part.long().sum(1).int() for part in (x, w))
    return product, *sums, x.shape[1], x_zero, w_zero


def right_correction(answer, x, w, x_zero, w_zero):
    """`corrected` gives the product of the centered codes, in int32."""
    got = answer.corrected(*terms(x, w, x_zero, w_zero))
    expect.same(got, centered(x, w, x_zero, w_zero).int())


def right_product(answer, x, w, x_scale, w_scale, x_zero, w_zero):
    """`integer_matmul` gives the product of what the codes stand for."""
    got = answer.integer_matmul(x, w, x_scale, w_scale, x_zero, w_zero)
    want = centered(x, w, x_zero, w_zero) * x_scale.double()[:, None] * w_scale.double()
    expect.array(got, torch.float32, want.shape)
    # A conversion to float32 and two products round once each, by eps / 2.
    expect.close(got.double(), want, atol=2 * tolerance.eps() * want.abs())


@task("corrected")
def test_all_four_terms_are_there(answer, seed):
    """The result is the sum of (x - x_zero) * (w - w_zero), exactly, for zero points of any sign.

    (x - a)(w - b) = x w - a w - b x + a b: a zero point multiplies the sums of the *other* side's
    codes, and the last term occurs k times, with a plus.
    """
    for number, shape in enumerate(each(SHAPES)):
        x, w, x_zero, w_zero = codes(seed + number, *shape)
        for one, other in ((1, 1), (0, 1), (1, 0), (0, 0)):
            right_correction(answer, x, w, one * x_zero, other * w_zero)


@task("corrected")
def test_each_row_has_its_own_zero_point(answer, seed):
    """A zero point of x holds for its row of the result, one of w for its column.

    In a square result the two can be exchanged without an error.
    """
    x, w, x_zero, w_zero = codes(seed, 6, 6, 12)
    for place in (0, 3, 5):
        one, other = torch.zeros_like(x_zero), torch.zeros_like(w_zero)
        one[place], other[5 - place] = x_zero[place] + 1, w_zero[place] - 200
        right_correction(answer, x, w, one, other)


@task("integer_matmul")
def test_product_is_that_of_the_numbers(answer, seed):
    """The result is the product of scale * (code - zero point) of both sides, in float32.

    Each row of x has its scale, and each row of w.
    """
    for number, shape in enumerate(each(SHAPES)):
        right_product(answer, *operands(seed + number, *shape))


@task("integer_matmul")
def test_layout_in_memory_does_not_matter(answer, seed):
    """Codes that lie transposed, and any argument that is a strided view, are read like a copy.

    Weights are often the transpose of what a file holds, and scales a column of a table.
    """
    x, w, *others = operands(seed, 5, 6, 8)
    transposed = {"transposed codes": (x.T.contiguous().T, w.T.contiguous().T, *others)}
    for given in each(transposed | cases.one_a_view(x, w, *others)):
        right_product(answer, *given)


@task("corrected")
def test_layout_of_the_terms_does_not_matter(answer, seed):
    """Any of the tensors may be a strided view; sums are often the column of a table."""
    drawn = codes(seed, 5, 5, 8)
    for given in each(cases.one_a_view(*terms(*drawn))):
        expect.same(answer.corrected(*given), centered(*drawn).int())


@task("integer_matmul")
def test_large_codes_do_not_wrap_around(answer, seed):
    """Codes at both ends of their types give the product that they stand for.

    A product of int8 tensors is int8 again, and 100 * 100 is 16 there; 200 in uint8 is -56 in int8.
    """
    ends = {"255": 255, "0": 0, "128": 128}
    for value in each(ends):
        for w_value in (-128, 127):
            x, w, *others = operands(seed, 3, 2, 40)
            right_product(answer, x.fill_(value), w.fill_(w_value), *others)


@task("integer_matmul")
@hardened
def test_long_rows_are_summed_exactly(answer, seed):
    """Rows of 8192 codes whose large terms cancel give the small number that is left.

    The four terms are hundreds of millions each: rounded to float32, they leave noise.
    """
    *_, x_scale, w_scale, x_zero, w_zero = operands(seed, 3, 4, 1)
    x_zero = 100 + x_zero % 100  # so that codes beside it are codes, too
    x = (x_zero[:, None] + whole(seed + 2, -1, 1, 3, 8192)).to(torch.uint8)
    w = whole(seed + 3, 90, 127, 4, 8192).to(torch.int8)  # of one sign, so that sums grow
    right_product(answer, x, w, x_scale, w_scale, x_zero, w_zero)
