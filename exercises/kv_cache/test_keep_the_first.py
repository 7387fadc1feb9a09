"""What `keep`, `attend` and `cache_positions` must do, one claim a check."""

import torch

from halfbits.course.checks import calls, cases, expect, hardened, layouts, task, tolerance
from halfbits.course.checks.cases import each

# Tokens so far, how many of the first stay, how many of the last.
LONG = cases.named((100, 4, 16), (21, 4, 16), (9, 1, 2), (1200, 9, 140), (6, 1, 1))
NO_FIRST = cases.named((50, 0, 8), (7, 0, 1))
# As many as fit, one less, as many as the window holds, fewer than stay of the first, one.
SHORT = cases.named(*((n, 4, 16) for n in (20, 19, 17, 16, 12, 2, 1)))
kept_again = calls.Calls("keep", lambda seed: (30, 2, 3 + seed % 5))
places_again = calls.Calls("cache_positions", lambda seed: (30, 2, 3 + seed % 5))
again = layouts.AnyLayout("attend", lambda seed: (*tokens(seed, 9), 1, 3))


def tokens(seed, n, loud=1.0):
    """q, k and v of n tokens; scores are about as large as `loud`."""
    return loud * cases.normal(seed, 16), *(cases.normal(seed + i, n, i) for i in (16, 8))


def wanted(n, first, window):
    """The places that stay."""
    return torch.tensor([i for i in range(n) if i < first or i >= n - window], dtype=torch.int64)


def right(answer, seed, n, first, window, loud=1.0):
    """The attention over the kept tokens alone."""
    (q, k, v), kept = tokens(seed, n, loud), wanted(n, first, window)
    weights = torch.softmax(k[kept].double() @ q.double() / 4, 0)
    # A score is off by some roundings of its size, its weight by twice that; then come n products.
    share = 8 * float((k[kept].abs() @ q.abs()).amax()) + len(kept)
    room = (share * tolerance.eps() + 64 * tolerance.softmax()) * (weights @ v[kept].double().abs())
    want = weights @ v[kept].double()
    expect.close(answer.attend(q, k, v, first, window), want.float(), atol=room)


@task("keep")
def test_first_and_last_tokens_stay(answer):
    """Of a long text the first and the last tokens stay, in ascending order.

    The oldest are not the least important: attention parks its weight on them.
    """
    for sizes in each(LONG | NO_FIRST):
        expect.same(answer.keep(*sizes), wanted(*sizes))


@task("keep")
def test_short_text_is_kept_whole_and_once(answer):
    """While the text fits, every token stays, and none twice.

    Both ends overlap there; a token that is kept twice has twice the weight.
    """
    for sizes in each(SHORT):
        expect.same(answer.keep(*sizes), torch.arange(sizes[0]))


@hardened
@task("keep")
def test_no_text_keeps_nothing(answer):
    """With no tokens so far the result is empty.

    A cache is asked before its first token as well.
    """
    expect.same(answer.keep(0, 4, 16), torch.arange(0))


@task("attend")
def test_dropped_tokens_take_no_part(answer, seed):
    """The attention is that over the kept tokens alone, whose weights add up to 1.

    A dropped token that still stands in the denominator makes all others too small.
    """
    for sizes in each(LONG | NO_FIRST | SHORT):
        right(answer, seed, *sizes)


@task("attend")
def test_loud_token_that_was_dropped_is_not_heard(answer, seed):
    """Changing the keys and values of dropped tokens changes nothing.

    Their memory has been given away.
    """
    for n, first, window in each(LONG):
        q, k, v = tokens(seed, n)
        before = answer.attend(q, k, v, first, window)
        k[first : n - window], v[first : n - window] = 9 * q, 1e6
        expect.same(answer.attend(q, k, v, first, window), before)


@hardened
@task("attend")
def test_loud_scores_do_not_overflow(answer, seed):
    """Scores of some hundred, as a sink has, give finite outputs that one token rules.

    exp(89) is beyond float32: the softmax subtracts the largest score first.
    """
    for n, first, window in each(LONG | SHORT):
        right(answer, seed, n, first, window, loud=400.0)


@task("cache_positions")
def test_positions_are_places_in_the_cache(answer):
    """Kept tokens get 0, 1, 2 and so on without a gap, as many as there are.

    Their places in the text would grow beyond what the model was trained on.
    """
    for sizes in each(LONG | NO_FIRST | SHORT):
        expect.same(answer.cache_positions(*sizes), torch.arange(len(wanted(*sizes))))
