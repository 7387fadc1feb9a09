"""What `int8_scores` and `int8_output` must do, one claim a check."""

import itertools

import torch

from halfbits.course.checks import calls, cases, expect, formulas, hardened, task, tolerance
from halfbits.course.checks.cases import each

# Queries, tokens, and the width of the summed or of the free axis.
SHAPES = {"more tokens": (7, 140, 32), "more channels": (5, 12, 136), "one query": (1, 33, 48)}
SHAPES |= {"as many tokens as channels": (30, 24, 24), "as many as queries": (12, 12, 40)}

scores_again = calls.Calls("int8_scores", lambda seed: (rows(seed, 4, 8), rows(seed + 1, 5, 8)))
output_again = calls.Calls(
    "int8_output", lambda seed: (weights(seed, 4, 6), rows(seed + 1, 3, 6).T.contiguous())
)


def clear(x, axis):
    """Whether no quotient x / scale is so near to a half that its code may be either."""
    quotient = 127 * x.double() / x.double().abs().amax(axis, keepdim=True)
    return bool((quotient - quotient.floor() - 0.5).abs().min() > 1e-4)


def drawn(seed, axis, make):
    """The first draw of `make(seed)` whose codes along `axis` hang on no rounding."""
    return next(x for x in map(make, itertools.count(1000 * seed)) if clear(x, axis))


def rows(seed, count, width):
    """Rows of sizes from 1/8 to 8."""
    sizes = 2.0 ** (torch.arange(count) % 7 - 3)
    return drawn(seed, 1, lambda s: cases.normal(s, count, width) * sizes[:, None])


def weights(seed, queries, tokens):
    """What a softmax puts out, stored with the tokens first."""
    return drawn(seed, 1, lambda s: torch.softmax(2 * cases.normal(s, tokens, queries), 0).T)


def wanted(a, b, axis):
    """codes @ codes times the scales in float64; `axis` of b is summed over."""
    (a_codes, a_scale), (b_codes, b_scale) = (
        formulas.symmetric(x, along, 127) for x, along in ((a, 1), (b, axis))
    )
    if axis == 1:
        return a_codes @ b_codes.T * a_scale * b_scale.T / a.shape[1] ** 0.5
    return a_codes @ b_codes * a_scale * b_scale


def right(got, want):
    """The exact sum, whose scales and root round eight times at most."""
    expect.close(got, want.float(), atol=8 * tolerance.eps() * want.abs())


@task("int8_scores")
def test_scores_are_exact_sums_times_the_scales_of_query_and_token(answer, seed):
    """Each score is an exact sum over codes, times the scale of its query and that of its token.

    A score within the rounding of its terms, not of itself, comes from numbers that were scaled
    before the sum; an int8 product wraps around.
    """
    for queries, tokens, d in each(SHAPES):
        q, k = rows(seed, queries, d), rows(seed + 1, tokens, d)
        right(answer.int8_scores(q, k), wanted(q, k, 1))


@task("int8_scores")
def test_layout_in_memory_does_not_matter(answer, seed):
    """Queries and keys that are transposed, or every other row of a cache, give the same scores.

    A cache is often stored with its tokens last.
    """
    q, k = rows(seed, 6, 16), rows(seed + 1, 9, 16)
    transposed, strided = (q.T.contiguous().T, k.T.contiguous().T), (q[::2], k[::2])
    for one in each({"transposed": transposed, "every other row": strided}):
        right(answer.int8_scores(*one), wanted(*one, 1))


@task("int8_scores")
def test_row_of_zeros_gives_scores_of_zero(answer, seed):
    """A padded token, all zeros, has scores of 0, and so has a query of zeros.

    amax is 0 there, and 0 / 0 is NaN.
    """
    q, k = rows(seed, 4, 64), rows(seed + 1, 20, 64)
    q[2], k[5], k[6] = 0, 0, 0
    right(answer.int8_scores(q, k), wanted(q, k, 1))


@task("int8_output")
def test_output_has_scales_of_query_and_channel(answer, seed):
    """Each output is an exact sum over codes, times the scale of its query and of its column of v.

    Tokens are summed over: a scale that differs between them cannot leave the sum.
    """
    for queries, tokens, width in each(SHAPES):
        p, v = weights(seed, queries, tokens), rows(seed + 1, width, tokens).T
        right(answer.int8_output(p, v), wanted(p, v, 0))


@task("int8_output")
def test_long_text_has_an_exact_sum(answer, seed):
    """The sum over a thousand tokens is exact, though int8 and int16 cannot hold it.

    127 * 127 * 1000 is 16 million, just within what float32 counts without a gap.
    """
    p = torch.full((2, 1000), 2.0**-10)
    p[1, ::2] /= 127
    v = rows(seed, 24, 1000).T
    for values in each({"all equal": torch.ones(1000, 3), "drawn": v}):
        right(answer.int8_output(p, values), wanted(p, values, 0))


@task("int8_output")
def test_dead_channel_gives_zeros(answer, seed):
    """A column of zeros in v gives outputs of 0.

    amax is 0 there, and 0 / 0 is NaN. A column of 1e-12 is no column of zeros, and has its scale.
    """
    p, v = weights(seed, 6, 40), rows(seed + 1, 16, 40).T.clone()
    v[:, [3, 9]] = 0
    v[:, 5] *= 2.0**-40
    right(answer.int8_output(p, v), wanted(p, v, 0))


@hardened
@task("int8_scores")
def test_faint_tokens_are_like_any_other(answer, seed):
    """A token of size 1e-12 has its own scale too: no smallest scale is put in.

    A floor such as 1e-8 rounds such a token to zeros.
    """
    q, k = rows(seed, 4, 64), rows(seed + 1, 20, 64)
    k[7:] *= 2.0**-40
    right(answer.int8_scores(q, k), wanted(q, k, 1))
