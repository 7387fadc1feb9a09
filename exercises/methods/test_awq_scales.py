"""What `awq_scales` must do, one claim a check."""

import itertools

import torch

from halfbits.course.checks import calls, cases, expect, formulas, hardened, quantizers, tolerance
from halfbits.course.checks.cases import each

TASK = "awq_scales"
# Outputs, inputs, samples.
SHAPES = {"tall": (40, 24, 60), "wide": (6, 136, 60), "square, few samples": (24, 24, 5)}
again = calls.Calls("awq_scales", lambda seed: (*layer(seed, 6, 24, 20), [0.5, 0.25]))
ALPHAS = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0]


def layer(seed, outputs, inputs, samples, loud=12.0):
    """w and x; a few inputs are loud, and their weights quiet."""
    x, w = cases.normal(seed, samples, inputs), cases.normal(seed + 1, inputs, outputs).T * 0.1
    x[:, seed % 7 :: 11] *= loud
    w[:, seed % 7 :: 11] /= 4
    return w, x


def factors(x, alpha):
    """s in float64."""
    mean = x.double().abs().mean(0)
    return torch.where(mean == 0, 1.0, mean**alpha)


def error(w, x, s):
    """The squared error of the outputs with the factors s, in float64."""
    w, x = w.double(), x.double()
    codes, scale = formulas.symmetric(w * s, 1, 7)
    return float(((x / s) @ (codes * scale).T - x @ w.T).square().sum())


def uneven(seed):
    """A layer whose error falls, rises and falls again along ALPHAS, a twentieth deeper."""
    for draw in itertools.count(seed):
        w, x = layer(draw, 8, 16, 32)
        errors = [error(w, x, factors(x, one)) for one in ALPHAS]
        first = next((i for i in range(1, 9) if errors[i] > errors[i - 1]), 9) - 1
        if errors[first] > 1.05 * min(errors):
            return w, x


def found(answer, w, x, alphas):
    """The factors and the alpha, once their types and shapes are right."""
    s, alpha = quantizers.several(answer.awq_scales(w, x, alphas), "factors, alpha")
    expect.array(s, torch.float32, w.shape[1:], of="factors")
    expect.true(alpha in alphas, expected=f"one of {alphas}", got=alpha, of="alpha")
    return s, alpha


def right(answer, w, x, alphas):
    """The alpha has the least error, and the factors are its own."""
    s, alpha = found(answer, w, x, alphas)
    errors = {one: error(w, x, factors(x, one)) for one in alphas}
    best = min(errors, key=lambda one: errors[one])
    expected = f"alpha {best:g}, with a squared error of {errors[best]:.6g}"
    near = errors[alpha] <= 1.01 * errors[best]
    got = f"alpha {alpha:g}, with {errors[alpha]:.6g}"
    expect.true(near, expected=expected, got=got, of="alpha")
    want = factors(x, alpha)
    # A mean of n numbers, and a power by exp and log.
    room = (len(x) + 32) * tolerance.eps() * want
    expect.close(s.double(), want, atol=room, of=f"factors for alpha {alpha:g}")


def test_alpha_has_the_least_output_error(answer, seed):
    """With loud inputs, no other alpha leaves a smaller squared error of x @ w.T.

    The rounding error of a weight costs what its input multiplies it by.
    """
    for shape in each(SHAPES):
        for loud in (5.0, 12.0, 40.0):
            w, x = layer(seed, *shape, loud)
            right(answer, w, x, ALPHAS)
    halves = {"loud at first": slice(64), "loud at last": slice(64, None)}
    halves |= {"even samples loud": slice(0, None, 2), "odd samples loud": slice(1, None, 2)}
    for half in each(halves):
        # The other half alone, or its first samples, would choose a smaller alpha.
        w, x = layer(seed, 40, 24, 128, loud=1.0)
        x[half, seed % 7 :: 11] *= 300
        right(answer, w, x, ALPHAS)


def test_factors_belong_to_their_alpha(answer, seed):
    """A list with one alpha gives that alpha and mean(abs(x)) ** alpha.

    0 gives ones, which is plain rounding; 1 gives the means themselves.
    """
    for alpha in each(cases.named(0.0, 0.35, 0.5, 1.0)):
        for shape in SHAPES.values():
            w, x = layer(seed, *shape)
            right(answer, w, x, [alpha])


def test_order_of_the_list_does_not_matter(answer, seed):
    """Shuffled, reversed or short lists give the best of what they hold.

    The search knows nothing but the list.
    """
    for shape in each(SHAPES):
        w, x = layer(seed, *shape)
        for alphas in (ALPHAS[::-1], ALPHAS[3:] + ALPHAS[:3], [1.0, 0.0], [0.9, 0.7, 0.8]):
            right(answer, w, x, alphas)
    w, x = uneven(seed)
    for alphas in (ALPHAS, ALPHAS[::-1]):
        right(answer, w, x, alphas)  # the first rise is not the end


def test_equal_inputs_leave_little_to_choose(answer, seed):
    """Where no input is loud, the choice is by the outputs as well.

    There AWQ gains almost nothing over rounding.
    """
    for shape in each(SHAPES):
        w, x = layer(seed, *shape, loud=1.0)
        right(answer, w, x, ALPHAS)


def test_dead_inputs_have_a_factor_of_one(answer, seed):
    """An input that is 0 in all samples gets 1, and does not disturb the others.

    0 ** alpha is 0, and x / 0 is NaN: with it every error is NaN.
    """
    for shape in each(SHAPES):
        w, x = layer(seed, *shape)
        x[:, [seed % 5, 9]] = 0
        right(answer, w, x, ALPHAS)
        right(answer, w, x, [0.5])


@hardened
def test_pruned_rows_and_views_disturb_nothing(answer, seed):
    """A row of w that is all zeros stays zeros, and views of w and x give what their copies give.

    Pruned outputs exist, and 0 / 0 in one row makes the error of every alpha NaN.
    """
    for shape in each(SHAPES):
        w, x = layer(seed, *shape)
        w[seed % len(w)] = 0
        right(answer, w, x, ALPHAS)
        right(answer, torch.cat([w, w], 1)[:, w.shape[1] :], x.t().contiguous().t(), ALPHAS)


@hardened
def test_quiet_and_very_loud_inputs_keep_their_factors(answer, seed):
    """Inputs of 1e-12 and 1e12 get mean ** alpha, weights of 1e-12 their scale: nothing is clamped.

    A floor such as 1e-4 is of the size of real activations.
    """
    for shape in each(SHAPES):
        w, x = layer(seed, *shape)
        # Where all codes are 0, all errors are equal, and the first or the last alpha is taken.
        best_last = sorted(ALPHAS, key=lambda one: -error(w, x, factors(x, one)))
        right(answer, w * 1e-12, x, best_last)
        right(answer, w * 1e-12, x, best_last[::-1])
        w, x = layer(seed, *shape, loud=1.0)
        x[:, seed % 5] *= 1e-12
        for alpha in (0.25, 0.5, 1.0):
            right(answer, w, x, [alpha])
        x[:, 6 + seed % 5] *= 1e12
        right(answer, w, x, [0.5])
