"""What `best_clip` must do, one claim a check; the errors are computed anew in float64."""

import torch

from halfbits.course.checks import calls, cases, expect, hardened
from halfbits.course.checks.cases import each

TASK = "best_clip"
SHARES, FINE = [step / 20 for step in range(4, 21)], [step / 100 for step in range(20, 101)]
again = calls.Calls("best_clip", lambda seed: (rows(seed) ** (1 + 2 * (seed % 2)), 3, SHARES))


def errors(w, bits, shares):
    """The squared error of each share (rows of the result) on each row of w (columns)."""
    top, w = 2 ** (bits - 1) - 1, w.double()
    scales = [share * w.abs().amax(1, keepdim=True) / top for share in shares]
    steps = [(w / s).nan_to_num().round().clamp(-top, top) * s for s in scales]  # 0 / 0 is no step
    return torch.stack([(w - rounded).square().sum(1) for rounded in steps])


def right(answer, w, bits, shares=SHARES):
    """No share has an error that is smaller by more than one part in 1000, in no row."""
    got = answer.best_clip(w, bits, list(shares))
    expect.array(got, torch.float32, [len(w)])
    off = (got.double()[:, None] - torch.tensor(shares, dtype=torch.float64)).abs()
    # A share is a number up to 1, stored in float32.
    expect.at_most(off.amin(1), 2.0**-23, of="distance of the result from the nearest share")
    every = errors(w, bits, shares)
    error = every.gather(0, off.argmin(1)[None])[0]
    expect.at_most(error, 1.001 * every.amin(0), of="squared error of each row's share")


def rows(seed):
    """Rows whose best shares differ: normal, even, with outliers, small and large."""
    w = cases.normal(seed, 8, 200)
    w[1] = torch.linspace(-1, 1, 200)
    w[2, seed % 200] = 12
    w[3] = w[3] ** 3
    w[4, :20] *= 6
    return w * torch.tensor([1, 1, 1, 1, 1, 0.003, 100, 1.0])[:, None]


def test_share_has_the_least_squared_error(answer, seed):
    """For normal numbers at 4 bits no other share leaves a smaller sum of squares.

    Clipped values count with all that they lose, the others with their rounding.
    """
    right(answer, cases.normal(seed, 6, 300), 4)


def test_few_bits_clip_more(answer, seed):
    """At 2 and 3 bits the share is far below 1, at 8 bits it is near 1; each time the least.

    The rounding error falls by a factor of 4 with each bit, the clipping error does not.
    """
    # The sizes at both ends: at 0.001 and 8 bits a step is 8e-6.
    w = cases.normal(seed, 6, 400) * torch.tensor([1, 1, 1, 1, 0.0003, 300.0])[:, None]
    for bits in each({f"{bits} bits": bits for bits in range(2, 9)}):
        right(answer, w, bits)


def test_each_row_has_its_own(answer, seed):
    """Rows of different shapes and sizes get different shares: each is judged by its own errors.

    A row with an outlier must not decide for the others, nor a row of large numbers.
    """
    for bits in each({"3 bits": 3, "4 bits": 4}):
        right(answer, rows(seed), bits)


def test_every_shape_and_layout_is_searched(answer, seed):
    """Tall, wide, square, tiny and large weights, contiguous or not, get the shares of their rows.

    What a matrix looks like decides nothing.
    """
    for w in each(cases.matrices(seed)):
        right(answer, w, 4)


def test_every_share_is_tried(answer, seed):
    """Where the error falls, rises and falls again along the shares, the least of all is found.

    One large weight and many of 0.45 times its size: they lie near a code for some shares, and
    halfway between two for others. A search that stops at the first rise stops too early.
    """
    row = torch.where(torch.arange(129) % 2 == 0, -0.45, 0.45)
    row[seed % 129] = 1.0
    for shares in each({"upwards": SHARES, "downwards": SHARES[::-1], "fine": FINE}):
        right(answer, torch.stack([row, -row, 3 * row]), 4, shares)


def test_only_the_given_shares_in_any_order(answer, seed):
    """The list may be short, not sorted, and without 1.

    Whoever calls decides how fine the search is.
    """
    for shares in each(cases.named([0.9, 0.3, 0.6], [0.7], [0.4, 1.0], SHARES[::-1])):
        right(answer, rows(seed), 4, shares)


@hardened
def test_row_of_zeros_gets_some_share(answer, seed):
    """A row of zeros gets one of the shares, and its neighbors theirs.

    Its scale is 0, and 0 / 0 is NaN: what the search makes of that must still be a share.
    """
    w = rows(seed)
    w[seed % 8] = 0
    right(answer, w, 4)
    right(answer, torch.zeros(2, 3), 4, [0.25, 0.5])
