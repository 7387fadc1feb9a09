"""What `non_inferior` must do, one claim a check."""

import math

import torch

from halfbits.course.checks import calls, cases, expect, hardened, quantizers
from halfbits.course.checks.cases import each

TASK = "non_inferior"
Z, ROUGH = 1.645, 2e-4  # 1.645 is a rounded quantile: the exact one, 1.64485, is as good
SIZES = {f"{n} documents": n for n in (2, 9, 40, 1000)}

again = calls.Calls("non_inferior", lambda seed: (losses(seed, 9, 0.01 * (seed % 4), 0.03), 0.01))


def losses(seed, n, mean, spread):
    """float64 [n] with exactly this mean and this standard deviation, but for rounding."""
    x = cases.normal(seed + n, n).double()
    return mean + spread * (x - x.mean()) / x.std()


def judged(answer, differences, margin):
    """The verdict and the upper bound, which is compared with the formula."""
    verdict, upper = quantizers.several(answer.non_inferior(differences, margin), "verdict, upper")
    error = differences.std().item() / math.sqrt(len(differences))
    mean = differences.mean().item()
    room = ROUGH * error + 1e-12 * (1 + abs(mean))
    expect.close(upper, mean + Z * error, atol=room, of="upper")
    return verdict


def gives(answer, want, seed, *intervals, margin=0.01):
    """Documents whose interval has these ends, as multiples of the margin, get `want`."""
    for low, high in each(
        {f"from {low} to {high} margins": (low, high) for low, high in intervals}
    ):
        for n in each(SIZES):
            spread = margin * (high - low) / 2 / Z * math.sqrt(n)
            differences = losses(seed, n, margin * (low + high) / 2, spread)
            expect.equal(judged(answer, differences, margin), want, of="verdict")


def test_upper_bound_is_one_sided(answer, seed):
    """upper is the mean plus 1.645 standard errors, s / sqrt(n) with n - 1 inside s.

    Only a loss that is too large is to be excluded: 1.96 belongs to a two-sided interval.
    """
    for n in each(SIZES):
        for mean, spread in ((0.004, 0.03), (-0.2, 1.0), (3.0, 0.5)):
            judged(answer, losses(seed, n, mean, spread), 0.01)
    table = torch.stack([losses(seed, 9, 1.0, 0.5), losses(seed + 1, 9, 9.0, 0.1)], 1)
    judged(answer, table[:, 0], 0.01)


def test_interval_below_the_margin_is_non_inferior(answer, seed):
    """`upper < margin` is non-inferior, also if the loss is certainly above zero, or a large gain.

    A loss within the margin was agreed on: significant is not the same as too much.
    """
    gives(answer, "non-inferior", seed, (-0.5, 0.5), (0.3, 0.6), (0.05, 0.95), (-50.0, -30.0))


def test_interval_across_the_margin_is_undecided(answer, seed):
    """If the margin lies between the bounds, the verdict is undecided, wherever the mean lies.

    Few documents give a wide interval: that nothing was found does not say that nothing is there.
    """
    several = (-3.0, 3.0), (0.2, 1.2), (0.8, 5.0), (-0.5, 1.05), (-90.0, 90.0)
    gives(answer, "undecided", seed, *several)


def test_interval_above_the_margin_is_inferior(answer, seed):
    """`lower > margin` is inferior: the loss is certainly larger than what was agreed on.

    A mean above the margin alone is luck as often as not.
    """
    gives(answer, "inferior", seed, (1.1, 1.5), (2.0, 9.0), (1.05, 40.0))


def test_too_little_to_judge_is_refused(answer, seed):
    """Fewer than 2 documents, a margin that is not positive, and a NaN raise ValueError.

    One document has no spread, and no comparison with NaN is true: it ends as what stands last.
    """
    some = losses(seed, 9, -1.0, 0.01)
    several = {f"{n} documents": (some[:n], 0.01) for n in (0, 1)}
    several |= {f"margin {margin}": (some, margin) for margin in (0.0, -0.01, math.nan)}
    several["a NaN"] = torch.where(some == some.max(), math.nan, some), 0.01
    for arguments in each(several):
        expect.raises(ValueError, lambda: answer.non_inferior(*arguments))  # noqa: B023


@hardened
def test_documents_that_agree_have_no_spread(answer):
    """Equal differences give their value as the bound; one that equals the margin is undecided.

    Two models with the same outputs differ by 0 everywhere, and 0 / 0 is NaN. In float32 0.1 is
    another number, and above 0.1.
    """
    for value, want in ((0.0, "non-inferior"), (0.25, "undecided"), (0.5, "inferior")):
        equal = torch.full((8,), value, dtype=torch.float64)
        expect.equal(judged(answer, equal, 0.25), want, of="verdict")
    for margin in each(cases.named(0.1, 0.3)):  # of two equal numbers every mean is exact
        equal = torch.full((2,), margin, dtype=torch.float64)
        expect.equal(judged(answer, equal, margin), "undecided", of="verdict")
