"""What `mixed_product` must do, one claim a check."""

import torch

from halfbits.course.checks import calls, cases, expect, formulas, hardened, tolerance
from halfbits.course.checks.cases import each

TASK = "mixed_product"
# Tokens, inputs, outputs.
SHAPES = {"wide": (6, 136, 12), "many tokens": (136, 16, 5), "square": (24, 24, 24)}
SHAPES |= {"one token": (1, 40, 12), "a tall w": (6, 20, 136)}
THRESHOLD = 6.0
again = calls.Calls("mixed_product", lambda seed: (*layer(seed, 4, 12, 5), 2.0))


def layer(seed, tokens, inputs, outputs):
    """x without a number beyond 4, and w."""
    x = cases.normal(seed, tokens, inputs).clamp(-4, 4)
    return x, cases.normal(seed + 1, outputs, inputs) * 0.3


def right(answer, x, w, threshold=THRESHOLD):
    """Floats for the loud columns, the int8 product for the rest."""
    loud = (x.abs() >= threshold).any(0)
    a, b = x.double() * ~loud, w.double() * ~loud
    (a_codes, a_scale), (b_codes, b_scale) = (formulas.symmetric(part, 1, 127) for part in (a, b))
    want = (x.double() - a) @ w.double().T + a_codes @ b_codes.T * a_scale * b_scale.T
    # A quotient next to a half may round to either code: one such code in each factor.
    room = a_scale * b.abs().amax(1) + b_scale.T * a.abs().amax(1, keepdim=True)
    room = 1.01 * room + tolerance.linear(x, w)
    expect.close(answer.mixed_product(x, w, threshold), want.float(), atol=room)


def test_loud_columns_hurt_no_other(answer, seed):
    """With some columns 100 times louder, the others keep their int8 accuracy.

    If they stay in the maximum of the token, or of the row, its step is theirs.
    """
    for shape in each(SHAPES):
        x, w = layer(seed, *shape)
        columns = [seed % 16, (seed + 5) % 16]
        x[:, columns] = x[:, columns].sign() * (600 + 50 * x[:, columns].abs())
        w[:, columns] *= 100
        right(answer, x, w)


def test_one_loud_token_is_enough(answer, seed):
    """A column is an outlier for all tokens as soon as one of them reaches the threshold.

    Positive or negative, and exactly at the threshold too.
    """
    for shape in each(SHAPES):
        for value in (6.0, -6.0, 900.0, -900.0):
            x, w = layer(seed, *shape)
            x[seed % len(x), 3] = value
            w[:, 3] *= 100
            right(answer, x, w)


def test_without_outliers_it_is_the_int8_product(answer, seed):
    """Below the threshold everything is int8, and it is the threshold that was passed.

    Each token and each row has its own scale.
    """
    for shape in each(SHAPES):
        x, w = layer(seed, *shape)
        x *= torch.linspace(0.01, 1, shape[0]).view(-1, 1)
        w *= torch.linspace(0.1, 10, shape[2]).view(-1, 1)
        for threshold in (THRESHOLD, 1.0, 0.25):
            right(answer, x, w, threshold)


def test_rest_is_really_in_8_bits(answer, seed):
    """The integer part has the errors of int8: it is not the exact product.

    Everything in floats would be exact, and no faster.
    """
    for tokens in each({"20 tokens": 20, "one token": 1}):
        x, w = layer(seed, tokens, 90, 30)
        exact = x.double() @ w.double().T
        error = (answer.mixed_product(x, w, THRESHOLD).double() - exact).norm() / exact.norm()
        expect.within(float(error), 0.002, 0.05, of="relative error")


def test_all_columns_or_none_left_are_fine(answer, seed):
    """Only outlier columns, and tokens or rows that have only zeros left, give finite numbers.

    The maximum of nothing does not exist, and 0 / 0 is NaN.
    """
    for shape in each(SHAPES):
        x, w = layer(seed, *shape)
        right(answer, x, w, 0.0)
        x[-1], w[3] = 0, 0
        right(answer, x, w)


@hardened
def test_quiet_tokens_and_views_are_multiplied_too(answer, seed):
    """Tokens of 1e-12 and 1e-20 have int8 accuracy, 1e-42 is finite; views give what copies give.

    A floor such as 1e-8 under the scales makes quiet tokens 0; amax / 127 of 1e-42 is nearly 0.
    """
    x, w = layer(seed, 6, 24, 5)
    right(answer, x.t().contiguous().t(), torch.cat([w, w], 1)[:, 24:])
    x[1], x[2], x[4] = x[1] * 1e-42, x[2] * 1e-12, x[4] * 1e-20
    # Half a step in each factor, 1 / 254 of the largest number, as often as there are inputs.
    room = x.abs().amax(1, keepdim=True) * w.abs().amax(1) * 24 / 100
    expect.close(answer.mixed_product(x, w, THRESHOLD), x @ w.T, atol=room + 1e-40)
