"""What `first_divergence` and `median_divergence` must do, one claim a check."""

import math
import random
import statistics

from halfbits.course.checks import calls, expect, hardened, task

again = calls.Calls("first_divergence", lambda s: pair(s, 1 + s % 5), room=0)
median_again = calls.Calls("median_divergence", lambda s: ([pair(s, s % 5), pair(s, 9)],), room=0)


def text(seed, n):
    """A list of `n` token ids."""
    some = random.Random(seed)
    return [some.randrange(1000) for _ in range(n)]


def pair(seed, place, after=20):
    """Two texts that part after `place` tokens; none of the later ones is equal. Or never: None."""
    same = text(seed, 30 if place is None else place)
    rest = [] if place is None else text(seed + 1, after)
    return [*same, *rest], [*same, *(token + 1000 for token in rest)]


def parts_at(answer, texts, want):
    """The place is `want`, whichever of the two texts comes first."""
    for a, b in (texts, texts[::-1]):
        expect.equal(answer.first_divergence(a, b), want)


def median_is(answer, seed, *several):
    """The median of pairs that part at these places, in any order; of each list of places."""
    for places in several:
        order = random.Random(seed).sample(places, len(places))
        got = answer.median_divergence([pair(seed + i, place) for i, place in enumerate(order)])
        want = statistics.median([math.inf if place is None else place for place in places])
        expect.true(got == want, expected=f"{want} of {order}", got=got)


@task("first_divergence")
def test_counts_the_tokens_before_the_first_difference(answer, seed):
    """The result is the place of the first difference, counted from 0, whatever comes after it.

    There each model goes on from a text of its own: where they meet again, or how many tokens are
    equal, says how far in that was, and whether a word was added or replaced.
    """
    for place in (0, 1, 2, 7, 40):
        parts_at(answer, pair(seed, place), place)
    start, rest = text(seed, 5), text(seed + 1, 30)
    for other in ([1002, *rest], rest):
        parts_at(answer, ([*start, 1001, *rest], [*start, *other]), 5)


@task("first_divergence")
def test_text_that_ends_earlier_differs_there(answer, seed):
    """If one text is the beginning of the other, the result is its length.

    To stop is a choice of the model as well.
    """
    for n in (0, 1, 12):
        parts_at(answer, (text(seed, 20)[:n], text(seed, 20)), n)


@task("first_divergence")
def test_equal_texts_never_part(answer, seed):
    """Equal lists give None: neither their length nor -1, which are places or look like one.

    The texts may part later than anybody has looked.
    """
    for n in (0, 1, 2, 30):
        got = answer.first_divergence(text(seed, n), text(seed, n))
        expect.true(got is None, expected="None", got=got)


@task("median_divergence")
def test_median_of_pairs_that_all_part(answer, seed):
    """The middle one of an odd number of places, the mean of two for an even number.

    A place of 0 is a place like any other.
    """
    median_is(answer, seed, [3, 9, 4], [0, 0, 7, 20, 2], [1, 4, 30, 7])


@task("median_divergence")
def test_pairs_that_never_part_come_last(answer, seed):
    """A pair without a difference counts as later than all others: the median may be math.inf.

    With 0 for it, or without it, the better model can have the lower median; and any number where
    the middle, or one of the two in the middle, never parts would be made up.
    """
    median_is(answer, seed, [3, 9, None], [2, 40, 50, None, None], [0, 8, 11, None])
    median_is(answer, seed, [3, None, None], [5, 6, None, None])


@task("median_divergence")
def test_no_pairs_are_refused(answer):
    """An empty list raises ValueError."""
    expect.raises(ValueError, lambda: answer.median_divergence([]))


@hardened
@task("first_divergence")
def test_long_texts_are_compared_to_their_end(answer, seed):
    """Texts of several thousand tokens are compared to their end.

    A recursion ends after a thousand tokens, and a model that reasons writes more.
    """
    place = 5000 + seed % 100
    parts_at(answer, pair(seed, place), place)
