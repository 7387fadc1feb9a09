"""What `keep`, `attend` and `cache_positions` must do, one claim a check."""

import torch

from halfbits.course.checks import calls, cases, expect, hardened, task, tolerance
from halfbits.course.checks.cases import each

# Tokens so far, how many of the first stay, how many of the last.
LONG = {"100, 4 and 16": (100, 4, 16), "21, 4 and 16": (21, 4, 16), "9, 1 and 2": (9, 1, 2)}
LONG |= {"1,200, 9 and 140": (1200, 9, 140), "6, 1 and 1": (6, 1, 1)}
NO_FIRST = {"50, 0 and 8": (50, 0, 8), "7, 0 and 1": (7, 0, 1)}
# As many as fit, one less, as many as the window holds, fewer than stay of the first, one.
SHORT = {f"{n}, 4 and 16": (n, 4, 16) for n in (20, 19, 17, 16, 12, 2, 1)}
kept_again = calls.Calls("keep", lambda seed: (30, 2, 3 + seed % 5))
places_again = calls.Calls("cache_positions", lambda seed: (30, 2, 3 + seed % 5))
again = calls.Calls("attend", lambda seed: (*tokens(seed, 9), 1, 3))


def tokens(seed, n, loud=1.0):
    """q, k and v of n tokens; scores are about as large as `loud`."""
    q, k, v = (cases.normal(seed + i, *s) for i, s in enumerate(((16,), (n, 16), (n, 8))))
    return q * loud, k, v


def wanted(n, first, window):
    """The places that stay."""
    return torch.tensor([i for i in range(n) if i < first or i >= n - window], dtype=torch.int64)


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
    for n, first, window in each(LONG | NO_FIRST | SHORT):
        q, k, v = tokens(seed, n)
        kept = wanted(n, first, window)
        weights = torch.softmax(k[kept].double() @ q.double() / 4, 0)
        want = weights @ v[kept].double()
        # Scores of up to about 30 in float32, a softmax, and a sum of as many products.
        share = 64 * tolerance.softmax() + len(kept) * tolerance.eps()
        room = share * (weights @ v[kept].double().abs())
        expect.close(answer.attend(q, k, v, first, window), want.float(), atol=room)


@task("attend")
def test_loud_token_that_was_dropped_is_not_heard(answer, seed):
    """Changing the keys and values of dropped tokens changes nothing.

    Their memory has been given away.
    """
    for n, first, window in each(LONG):
        q, k, v = tokens(seed, n)
        before = answer.attend(q, k, v, first, window)
        other_k, other_v = k.clone(), v.clone()
        other_k[first : n - window], other_v[first : n - window] = 9 * q, 1e6
        expect.same(answer.attend(q, other_k, other_v, first, window), before)


@hardened
@task("attend")
def test_loud_scores_do_not_overflow(answer, seed):
    """Scores of some hundred, as a sink has, give finite outputs that one token rules.

    exp(89) is beyond float32: the softmax subtracts the largest score first.
    """
    for n, first, window in each(LONG | SHORT):
        q, k, v = tokens(seed, n, loud=400.0)
        kept = wanted(n, first, window)
        scores = k[kept].double() @ q.double() / 4
        want = torch.softmax(scores, 0) @ v[kept].double()
        # A score in float32 is off by some roundings of its size, and so is its exponential.
        share = 2 * 16 * tolerance.eps() * float((k[kept].abs() @ q.abs()).amax()) / 4
        room = (share + 64 * tolerance.softmax()) * v[kept].abs().amax(0)
        expect.close(answer.attend(q, k, v, first, window), want.float(), atol=room)


@hardened
@task("attend")
def test_views_of_a_cache_are_read_like_their_copies(answer, seed):
    """Keys and values that are views, as heads of one cache are, give what their copies give.

    A cache keeps all heads in one tensor.
    """
    for n, first, window in each(LONG | SHORT):
        q, k, v = tokens(seed, n)
        want = answer.attend(q, k, v, first, window)
        heads = torch.stack([k, -k], 1)[:, 0], torch.stack([-v, v], 2)[:, :, 1]
        with expect.untouched(*heads):
            got = answer.attend(torch.stack([q, q], 1)[:, 0], *heads, first, window)
        expect.close(got, want, atol=1e-4 * (1 + want.abs()))


@task("cache_positions")
def test_positions_are_places_in_the_cache(answer):
    """Kept tokens get 0, 1, 2 and so on without a gap, as many as there are.

    Their places in the text would grow beyond what the model was trained on.
    """
    for sizes in each(LONG | NO_FIRST | SHORT):
        expect.same(answer.cache_positions(*sizes), torch.arange(len(wanted(*sizes))))
