"""What `first_divergence` and `median_divergence` must do, one claim a check."""

import math
import random
import statistics

from halfbits.course.checks import expect, task

ALIKE = 30  # tokens of the texts that never part


def text(seed, n):
    """A list of `n` token ids."""
    some = random.Random(seed)
    return [some.randrange(1000) for _ in range(n)]


def pair(seed, place, after=20):
    """Two texts that part after `place` tokens; none of the later ones is equal. Or never: None."""
    same = text(seed, ALIKE if place is None else place)
    rest = [] if place is None else text(seed + 1, after)
    return [*same, *rest], [*same, *(token + 1000 for token in rest)]


def parts_at(answer, first, second, want):
    """The place is `want`, whichever of the two texts comes first."""
    for a, b in ((first, second), (second, first)):
        expect.equal(answer.first_divergence(a, b), want)


def median_is(answer, seed, *places):
    """The median of pairs that part at these places, in any order."""
    order = random.Random(seed).sample(places, len(places))
    pairs = [pair(seed + i, place) for i, place in enumerate(order)]
    want = statistics.median([math.inf if place is None else place for place in places])
    got = answer.median_divergence(pairs)
    expect.true(got == want, expected=f"{want} of {list(order)}", got=got)


@task("first_divergence")
def test_counts_the_tokens_before_the_first_difference(answer, seed):
    """The result is the place of the first difference, counted from 0; 0 if nothing is shared.

    Tokens after it do not matter: there each model goes on from a text of its own.
    """
    for place in (0, 1, 2, 7, 40):
        first, second = pair(seed, place)
        parts_at(answer, first, second, place)


@task("first_divergence")
def test_later_tokens_do_not_matter(answer, seed):
    """Texts that meet again, or that are shifted by one token, part where they first differ.

    The share of equal tokens says how far in that was, and whether a word was added or replaced.
    """
    start, rest = text(seed, 5), text(seed + 1, 30)
    parts_at(answer, [*start, 1001, *rest], [*start, 1002, *rest], 5)
    parts_at(answer, [*start, 1001, *rest], [*start, *rest], 5)


@task("first_divergence")
def test_text_that_ends_earlier_differs_there(answer, seed):
    """If one text is the beginning of the other, the result is its length.

    To stop is a choice of the model as well.
    """
    for n in (0, 1, 12):
        parts_at(answer, text(seed, 20)[:n], text(seed, 20), n)


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
    median_is(answer, seed, 3, 9, 4)
    median_is(answer, seed, 0, 0, 7, 20, 2)
    median_is(answer, seed, 1, 4, 30, 7)


@task("median_divergence")
def test_pairs_that_never_part_come_last(answer, seed):
    """A pair without a difference counts as later than all others, not as 0 and not as left out.

    Without the pairs that stayed equal, the better model can have the lower median.
    """
    median_is(answer, seed, 3, 9, None)
    median_is(answer, seed, 2, 40, 50, None, None)
    median_is(answer, seed, 0, 8, 11, None)


@task("median_divergence")
def test_median_may_be_infinite(answer, seed):
    """math.inf is the result where the middle, or one of the two in the middle, never parts.

    "Later than what was looked at" is what the data say; any number would be made up.
    """
    median_is(answer, seed, 3, None, None)
    median_is(answer, seed, 5, 6, None, None)


@task("median_divergence")
def test_no_pairs_are_refused(answer):
    """An empty list raises ValueError."""
    expect.raises(ValueError, lambda: answer.median_divergence([]))
