"""What `mean_magnitude` must do once it is mended, one claim a check."""

import torch

from halfbits.course.checks import cases, expect, hardened, layouts, tolerance
from halfbits.course.checks.cases import each

TASK = "mean_magnitude"
# Tokens of each batch.
CUTS = {"one batch": (30,), "equal batches": (8, 8, 8), "a short last one": (16, 16, 3)}
CUTS |= {"a long last one": (2, 5, 90), "single tokens": (1, 1, 1, 1), "two that differ": (4, 40)}
CUTS |= {"single tokens among others": (1, 12, 1, 3, 1), "many": (7,) * 25}
again = layouts.AnyLayout(
    "mean_magnitude",
    lambda seed: ([b * (1 + seed % 2) for b in tokens(seed, (3, 5))],),
    lambda of, batches: [of(batches), of(batches[:1])],  # two batches, and a single one
)


def tokens(seed, cut):
    """The batches of a cut; channels of many sizes."""
    x = cases.normal(seed, sum(cut), 6) * torch.tensor([1.0, 0.01, 30.0, 1.0, 5.0, 400.0])
    return list(x.split(cut))


def right(answer, batches):
    """The mean over all tokens."""
    x = torch.cat(batches).double().abs()
    # Sums and running means of n numbers: n roundings at most, each of a part of the mean.
    room = (len(x) + 8 * len(batches)) * tolerance.eps() * x.mean(0)
    got = answer.mean_magnitude(batches)
    expect.close(got, x.mean(0).float(), atol=room)


def test_every_token_counts_the_same(answer, seed):
    """Of one batch or many, equal or not, it is the mean over all their tokens.

    A sum grows with the number of tokens, and a mean of the batches' means gives the tokens of a
    short batch more weight.
    """
    for count in each(cases.named(1, 2, 10, 64)):
        right(answer, tokens(seed, (count,)))
        expect.same(answer.mean_magnitude([torch.ones(count, 4)]), torch.ones(4))
    for cut in each(CUTS):
        right(answer, tokens(seed, cut))


def test_order_of_the_batches_does_not_matter(answer, seed):
    """In reverse, or with a loud batch first, in the middle or last, the result is the same.

    The first batch is nothing special.
    """
    for cut in each(CUTS):
        batches = tokens(seed, cut)
        right(answer, batches[::-1])
        for place in {0, len(batches) // 2, len(batches) - 1}:
            right(answer, [b * (50 if i == place else 1) for i, b in enumerate(batches)])


def test_magnitudes_are_averaged(answer, seed):
    """Signs do not cancel: it is the mean of abs(x), not the size of the mean.

    Channels are symmetric around 0, so that their mean says nothing.
    """
    for cut in each(CUTS):
        batches = tokens(seed, cut)
        right(answer, [torch.cat([b, -b]) for b in batches])


def test_zeros_and_repeated_tokens_count(answer, seed):
    """Tokens that are zeros, or equal to others, count like any other.

    After a ReLU half of the numbers are 0, and a system prompt repeats its tokens.
    """
    for cut in each(CUTS):
        batches = tokens(seed, cut)
        right(answer, [b.relu() for b in batches])
        right(answer, [torch.cat([b, b[:1], 0 * b[:1], b[:1]]) for b in batches])
        right(answer, [*batches, batches[0], batches[0]])  # one tensor, listed three times
        right(answer, [*batches, batches[-1].clone()])


@hardened
def test_broken_number_stays_in_its_channel(answer, seed):
    """A channel with a NaN or an infinity is not finite, and the others are as without it.

    A calibration that hides it, or spreads it, gives scales that nobody can trust.
    """
    for cut in each(CUTS):
        batches = tokens(seed, cut)
        want = answer.mean_magnitude(batches)
        for bad in (torch.nan, torch.inf, -torch.inf):
            batches[seed % len(cut)][0, 2] = bad
            got = answer.mean_magnitude(batches)
            lost = not got[2].isfinite()
            expect.true(lost, expected="not finite", got=got[2], of="the broken channel")
            others = [0, 1, 3, 4, 5]
            expect.close(got[others], want[others], atol=1e-5 * want[others], of="the others")
