"""What `quantize_tokens` must do once it is mended, one claim a check."""

import torch

from halfbits.course.checks import calls, cases, expect, hardened, quantizers, tolerance
from halfbits.course.checks.cases import each

TASK = "quantize_tokens"
TYPES = cases.named(torch.bfloat16, torch.float16, torch.float32)
again = calls.Calls("quantize_tokens", lambda seed: (tokens(seed, 1.0 + 7 * (seed % 2), n=9),))


def coded(answer, x):
    """Codes and scales, once their types and shapes are right."""
    codes, scale = quantizers.several(answer.quantize_tokens(x), "codes, scale")
    expect.array(codes, torch.int8, x.shape, of="codes")
    expect.array(scale, torch.float32, (len(x), 1), of="scale")
    return codes, scale


def right(answer, x):
    """Each token has the scale amax / 127, and codes within half a step."""
    codes, scale = coded(answer, x)
    want = x.double().abs().amax(1, keepdim=True) / 127
    # One rounding of the quotient, one of a reciprocal 1 / 127.
    expect.close(scale.double(), want, atol=tolerance.eps() * want, of="scale")
    steps = x.double() / scale.double()
    expect.at_most((codes - steps).abs(), tolerance.half_step(127), "steps", of="largest error")


def tokens(seed, size, n=48, count=6):
    """Tokens whose largest number is `size`, and whose smallest is a tenth of it or more."""
    drawn = cases.normal(seed, count, n)
    largest = drawn.abs().amax(1, keepdim=True)
    return drawn.sign() * (drawn.abs() / largest).clamp(min=0.1) * size


def test_quiet_tokens_have_their_own_scale(answer, seed):
    """Tokens of 0.1 down to 0.0001 use all codes up to 127, in every type.

    eps is the spacing above 1, a relative size: as a smallest scale it flattens quiet tokens.
    """
    for dtype in each(TYPES):
        for size in (0.1, 0.02, 0.001):
            right(answer, tokens(seed, size).to(dtype))
        level = cases.normal(seed, 4, 30).sign() * 1.1e-4  # rounds to no less than 0.0001
        right(answer, level.to(dtype))


def test_scale_has_the_digits_of_float32(answer, seed):
    """The scale is amax / 127 divided in float32, and the codes are within half a step of it.

    A scale or a quotient that is rounded to 16 bits is off by more than the rounding of a code.
    """
    for dtype in each(TYPES):
        for size in (1.0 + seed % 3, 30.0, 900.0):
            right(answer, tokens(seed, size).to(dtype))
            right(answer, tokens(seed + 1, size, n=400).to(dtype))


def test_each_token_has_its_own_scale(answer, seed):
    """A loud token changes no other, in every shape and layout of x.

    Tokens of one batch belong to different users.
    """
    shapes = {"six tokens": (6, 48), "more tokens than numbers": (40, 6), "as many": (16, 16)}
    for count, n in each(shapes | {"one number each": (5, 1), "many": (140, 150)}):
        size = torch.tensor([1.0, 800.0, 0.01, 5.0, 0.1]).repeat(28)[:count, None]
        for dtype in TYPES.values():
            x = tokens(seed, size, n, count).to(dtype)
            for part in (x, x[1::2], x[:, ::3], x.T.contiguous().T):
                right(answer, part)


def test_token_of_zeros_is_no_nan(answer, seed):
    """A token of zeros has codes 0 and a finite positive scale; the others are as before.

    That is what the smallest scale was for.
    """
    for dtype in each(TYPES):
        x = tokens(seed, 1.0).to(dtype)
        x[2] = 0
        codes, scale = coded(answer, x)
        expect.same(codes[2], torch.zeros_like(codes[2]), of="codes of zeros")
        expect.positive(scale, of="scale")
        others, want = [0, 1, 3, 4, 5], coded(answer, x[[0, 1, 3, 4, 5]])
        expect.same(scale[others], want[1], of="scale of the others")
        expect.same(codes[others], want[0], of="codes of the others")
        right(answer, x[others])


@hardened
def test_largest_numbers_of_a_type_do_not_overflow(answer, seed):
    """Tokens that reach the largest number of their type use all codes up to 127.

    x * 127 is beyond the type: divide first.
    """
    for dtype in each(TYPES):
        right(answer, tokens(seed, 0.999 * torch.finfo(dtype).max).to(dtype))


@hardened
def test_empty_batch_gives_no_codes(answer):
    """No tokens give codes [0, n] and scales [0, 1].

    The last batch of a queue may be empty.
    """
    for dtype in each(TYPES):
        coded(answer, torch.zeros(0, 8, dtype=dtype))
