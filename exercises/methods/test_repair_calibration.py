"""What `mean_magnitude` must do once it is mended, one claim a check."""

import torch

from halfbits.course.checks import cases, expect, task, tolerance
from halfbits.course.checks.cases import each

# Tokens of each batch.
CUTS = {
    "one batch": (30,),
    "equal batches": (8, 8, 8),
    "a short last one": (16, 16, 3),
    "a long last one": (2, 5, 90),
    "single tokens": (1, 1, 1, 1),
    "many": (7,) * 25,
}


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


@task("mean_magnitude")
def test_single_batch_gives_its_mean(answer, seed):
    """Of one batch it is the mean over its tokens, whatever their number.

    A sum grows with the number of tokens.
    """
    for count in each(cases.named(1, 2, 10, 64)):
        right(answer, tokens(seed, (count,)))
        expect.same(answer.mean_magnitude([torch.ones(count, 4)]), torch.ones(4))


@task("mean_magnitude")
def test_every_token_counts_the_same(answer, seed):
    """Of many batches, equal or not, it is the mean over all their tokens.

    A mean of the batches' means gives the tokens of a short batch more weight.
    """
    for cut in each(CUTS):
        right(answer, tokens(seed, cut))


@task("mean_magnitude")
def test_order_of_the_batches_does_not_matter(answer, seed):
    """In reverse, or with a loud batch first, in the middle or last, the result is the same.

    The first batch is nothing special.
    """
    for cut in each(CUTS):
        batches = tokens(seed, cut)
        right(answer, batches[::-1])
        for place in {0, len(batches) // 2, len(batches) - 1}:
            right(answer, [b * (50 if i == place else 1) for i, b in enumerate(batches)])


@task("mean_magnitude")
def test_magnitudes_are_averaged(answer, seed):
    """Signs do not cancel: it is the mean of abs(x), not the size of the mean.

    Channels are symmetric around 0, so that their mean says nothing.
    """
    for cut in each(CUTS):
        batches = tokens(seed, cut)
        right(answer, [torch.cat([b, -b]) for b in batches])


@task("mean_magnitude")
def test_batches_are_left_as_they_were(answer, seed):
    """The batches keep their bits, and the list its length.

    The same calibration data serve the next layer.
    """
    for cut in each(CUTS):
        batches = tokens(seed, cut)
        with expect.untouched(batches, *batches):
            answer.mean_magnitude(batches)
