"""What `smooth` must do, one claim a check."""

import torch

from halfbits.course.checks import cases, expect, hardened, layouts, quantizers, tolerance
from halfbits.course.checks.cases import each

TASK = "smooth"
WIDTH = 136
READERS = {"one reader": (6,), "q, k and v": (8, 4, 4), "a wide one": (3, 40), "square": (WIDTH,)}
ALPHAS = cases.named(0.0, 0.25, 0.5, 0.8, 1.0)
again = layouts.AnyLayout("smooth", lambda seed: (*layer(seed, (4, 3)), 0.5))


def layer(seed, rows):
    """A gain, readers and channel maxima whose channels differ by a factor of up to 1000."""
    size = 10 ** (3 * torch.rand(WIDTH, generator=cases.generator(seed)) - 1.5)
    weights = [cases.normal(seed + i, n, WIDTH) * 0.2 * (i + 1) for i, n in enumerate(rows)]
    return cases.normal(seed + 9, WIDTH).abs() + 0.1, weights, size.flip(0) + size


def smoothed(answer, gain, weights, amax, alpha):
    """The new gain and matrices, once their types and shapes are right."""
    got, matrices = quantizers.several(answer.smooth(gain, weights, amax, alpha), "gain, weights")
    expect.array(got, torch.float32, gain.shape, of="gain")
    quantizers.several(matrices, ", ".join("w" for _ in weights))
    for new, old in zip(matrices, weights, strict=True):
        expect.array(new, torch.float32, old.shape, of="weights")
    return got, matrices


def factors(gain, weights, amax, alpha):
    """s by the formula, in float64."""
    wmax = torch.cat(weights).abs().amax(0).double()
    s = amax.double() ** alpha / wmax ** (1 - alpha)
    return torch.where((amax == 0) | (wmax == 0), 1.0, s)


def right(answer, gain, weights, amax, alpha):
    """The gain is divided by s and every matrix multiplied by it."""
    got, matrices = smoothed(answer, gain, weights, amax, alpha)
    s = factors(gain, weights, amax, alpha)
    # A power by exp and log of a number up to 1000 is off by some ten roundings; two of them.
    share = 32 * tolerance.eps()
    expect.close(got.double(), gain / s, atol=share * gain.abs() / s, of="gain")
    for new, old in zip(matrices, weights, strict=True):
        expect.close(new.double(), old * s, atol=share * (old * s).abs(), of="weights")


def test_function_stays_the_same(answer, seed):
    """Each reader's output is what it was: gain and columns change by the same factor.

    Nothing is quantized yet, so a difference is a mistake, not a loss.
    """
    for rows in each(READERS):
        gain, weights, amax = layer(seed, rows)
        for alpha in ALPHAS.values():
            got, matrices = smoothed(answer, gain, weights, amax, alpha)
            x = cases.normal(seed + 50, 7, WIDTH).double()
            for new, old in zip(matrices, weights, strict=True):
                want = x * gain @ old.double().T
                # One rounding of the quotient and one of the product, in every term.
                room = 2 * tolerance.eps() * ((x * gain).abs() @ old.double().abs().T)
                expect.close(x * got @ new.double().T, want, atol=room, of="the layer's output")


def test_factor_follows_the_formula(answer, seed):
    """s = amax ** alpha / wmax ** (1 - alpha), and it divides the gain.

    With alpha = 1 all channels of the activation reach 1, with 0 those of the weights.
    """
    for rows in each(READERS):
        gain, weights, amax = layer(seed, rows)
        for alpha in ALPHAS.values():
            right(answer, gain, weights, amax, alpha)


def test_all_readers_share_one_factor(answer, seed):
    """wmax is the largest over all matrices, wherever in the list it stands.

    They read the same activation: a factor of its own would be wrong for the others.
    """
    gain, weights, amax = layer(seed, (5, 5, 5))
    for place in each({"the first": 0, "the middle one": 1, "the last": 2}):
        loud = [w * (30 if i == place else 1) for i, w in enumerate(weights)]
        right(answer, gain, loud, amax, 0.5)


def test_dead_channels_are_left_alone(answer, seed):
    """Where a channel or its weights are 0, gain and weights are copies of what they were.

    The formula gives 0 or infinity there, and a gain of NaN. Where nothing changes at all, the
    caller's own tensors are no result: whoever changes it would change them.
    """
    for rows in each(READERS):
        gain, weights, amax = layer(seed, rows)
        amax[seed % 7] = 0
        for w in weights:
            w[:, 7 + seed % 7] = 0
        for alpha in ALPHAS.values():
            right(answer, gain, weights, amax, alpha)
        with expect.untouched(gain, *weights):
            got, matrices = smoothed(answer, gain, weights, 0 * amax, 0.5)
            for result in (got, *matrices):
                result.neg_()


@hardened
def test_gains_of_zero_and_below_are_divided_too(answer, seed):
    """A channel that is turned off stays so, and a gain below 0 keeps its sign.

    Pruned norms have gains of 0; their weights are still multiplied.
    """
    for rows in each(READERS):
        gain, weights, amax = layer(seed, rows)
        gain[seed % 12], gain[12 + seed % 12] = 0, -2.0
        right(answer, gain, weights, amax, 0.5)


@hardened
def test_extreme_channels_are_smoothed_too(answer, seed):
    """Channels of 1e-12 and of 1e12 have their factor as well: there is no floor and no ceiling.

    A floor such as 1e-5 stands in many codes; quiet channels then get another factor.
    """
    for rows in each(READERS):
        gain, weights, amax = layer(seed, rows)
        amax[seed % 7], amax[7 + seed % 7] = 1e-12, 1e12
        for w in weights:
            w[:, 14 + seed % 7] *= 1e-12
        for alpha in (0.25, 0.5, 0.8):
            right(answer, gain, weights, amax, alpha)
