"""What `rms_norm` must do once it is mended, one claim a check."""

import torch

from halfbits.course.checks import calls, cases, expect, hardened, tolerance
from halfbits.course.checks.cases import each

TASK = "rms_norm"
TYPES = cases.named(*cases.LOW, torch.float32)
again = calls.Calls("rms_norm", lambda seed: (cases.normal(seed, 5, 16), torch.ones(16)))


def right(answer, x, gain, *eps):
    """The rule in float64, within two roundings to the type of x and those of float32."""
    wide = x.double()
    mean = wide.square().mean(-1, keepdim=True) + (eps[0] if eps else 1e-6)
    want = wide / mean.sqrt() * gain.double()
    # The sum of n squares, a division, two roots and two products in float32; then two stores.
    share = (x.shape[-1] + 8) * tolerance.eps() + tolerance.eps(x.dtype)
    tiny = torch.finfo(x.dtype).smallest_normal * tolerance.eps(x.dtype)
    got = answer.rms_norm(x, gain, *eps)
    expect.close(got, want.to(x.dtype), atol=share * want.abs() + tiny)


def tokens(seed, size, n=64, count=5):
    """Tokens of n numbers from size / 4 to size, with random signs."""
    drawn = cases.normal(seed, count, n)
    return drawn.sign() * (drawn.abs() / drawn.abs().amax()).clamp(min=0.25) * size


def test_large_tokens_are_no_zeros(answer, seed):
    """Tokens of 300, 6000 and 60000 are normalized like any others, in every type.

    Their squares are beyond float16, whose largest number is 65504; the norm of them is not. A
    result that is no 0, and only a little off, was rounded to 16 bits on the way.
    """
    for dtype in each(TYPES):
        for size in (300.0, 6e3, 6e4):
            right(answer, tokens(seed, size).to(dtype), torch.ones(64, dtype=dtype))
        level = torch.linspace(3.5e4, 6e4, 40).view(-1, 1) * cases.normal(seed, 40, 64).sign()
        right(answer, level.to(dtype), torch.ones(64, dtype=dtype))


def test_ordinary_tokens_keep_the_digits_of_their_type(answer, seed):
    """Tokens of about 1 are as exact as their type can store.

    A square, a mean or a root that is rounded to 16 bits costs digits in every layer.
    """
    for dtype in each(TYPES):
        for n in (64, 500):
            x = tokens(seed, 1 + seed % 4, n).to(dtype)
            right(answer, x, cases.normal(seed + 1, n).to(dtype))


def test_small_tokens_are_exact_too(answer, seed):
    """Tokens of 0.001 and below are divided by the root of their mean square and eps.

    Their squares are below the smallest float16, and eps is of their size there.
    """
    for dtype in each(TYPES):
        for size in (1e-2, 1e-3, 4e-4):
            right(answer, tokens(seed, size).to(dtype), torch.ones(64, dtype=dtype))
        right(answer, tokens(seed, 1.0).to(dtype), torch.ones(64, dtype=dtype), 0.25)


def test_each_token_has_its_own_mean(answer, seed):
    """A loud token changes no other: the mean is over the last axis, in every shape and layout.

    Tokens of one batch know nothing of each other.
    """
    shapes = {"five tokens": (5, 64), "more tokens than numbers": (40, 6), "as many": (16, 16)}
    for count, n in each(shapes | {"long tokens": (2, 300)}):
        loud = torch.tensor([1.0, 9e3, 20.0, 1e-2]).repeat(10)[:count, None]
        x, gain = tokens(seed, loud, n, count), cases.normal(seed + 1, n)
        for part in (x, x[1], x[:, None], x.T.contiguous().T):
            for dtype in cases.LOW:
                right(answer, part.to(dtype), gain)
        for given in each(cases.one_a_view(x, gain)):
            right(answer, *given)


def test_result_has_the_type_of_x_whatever_that_of_gain(answer, seed):
    """A float32 gain on a float16 x, or the reverse, gives the type of x; both keep their bits.

    The next layer expects the type that came in, and the residual stream goes on with the same x.
    A gain that is rounded to the type of x loses its digits, or becomes infinite.
    """
    for dtype in each(TYPES):
        for other in TYPES.values():
            x, gain = tokens(seed, 2.0).to(dtype), cases.normal(seed, 64).to(other)
            with expect.untouched(x, gain):
                right(answer, x, gain)
    for dtype in each(cases.named(*cases.LOW)):
        # The mean square is 4, and x / 2 exact in every type: only the gain has more digits.
        x = torch.tensor([[5.0, 1, 1, 1, 1, 1, 1, 1]], dtype=dtype)
        gain = torch.full((8,), 1 + 0.45 * tolerance.eps(dtype))
        gain[1] = 9e4
        expect.same(answer.rms_norm(x, gain), (x.double() / 2 * gain.double()).to(dtype))


@hardened
def test_token_that_is_broken_hurts_no_other(answer, seed):
    """A token with a NaN or an infinity is not finite, one of zeros is zeros, others are right.

    One request must not spoil the batch, and the mean must not hide that it is broken.
    """
    for dtype in each(TYPES):
        x, gain = tokens(seed, 2.0).to(dtype), torch.ones(64, dtype=dtype)
        for bad in (torch.nan, torch.inf):
            broken = x.clone()
            broken[1, seed % 64], broken[3] = bad, 0
            got = answer.rms_norm(broken, gain)
            expect.true(got[1].isnan().any(), expected="NaN", got=got[1], of="the broken token")
            expect.same(got[3], torch.zeros_like(x[3]), of="the token of zeros")
            others, alone = got[[0, 2, 4]], answer.rms_norm(x, gain)[[0, 2, 4]]
            room = tolerance.eps(dtype) * alone.double().abs()
            expect.close(others, alone, atol=room, of="the other tokens")


@hardened
def test_empty_batch_gives_an_empty_result(answer):
    """No tokens give no tokens, in their shape and type.

    The last batch of a queue may be empty.
    """
    for dtype in each(TYPES):
        for x in (torch.zeros(0, 8, dtype=dtype), torch.zeros(2, 0, 8, dtype=dtype)):
            expect.like(answer.rms_norm(x, torch.ones(8)), x)
