"""What `gptq_step` must do, one claim a check; all of it in float64."""

import torch

from halfbits.course.checks import cases, expect, layouts, quantizers, tolerance
from halfbits.course.checks.cases import each

TASK = "gptq_step"
again = layouts.AnyLayout("gptq_step", lambda seed: a_step(seed))
EPS = tolerance.eps(torch.float64)
# Rows and columns of the weight matrix.
SHAPES = {"3 x 70": (3, 70), "1 x 12": (1, 12), "20 x 5": (20, 5), "8 x 8": (8, 8), "6 x 1": (6, 1)}


def layer(seed, rows, columns):
    """Weights, a Hessian of correlated inputs, and scales with which some codes are clamped."""
    mix = cases.normal(seed + 1, columns, columns).double()
    inputs = cases.normal(seed, 4 * columns, columns).double() @ mix
    hessian = inputs.T @ inputs / len(inputs) + torch.eye(columns).double()
    w = cases.normal(seed + 2, rows, columns).double()
    return w, hessian, 0.8 * w.abs().amax(1) / 7


def free(hessian, j):
    """The inverse of the Hessian of the columns from j on, zeros before them; a strided view."""
    inverse = torch.zeros(len(hessian), 2 * len(hessian)).double()[:, ::2]
    inverse[j:, j:] = torch.linalg.inv(hessian[j:, j:])
    return inverse


def a_step(seed):
    """The arguments of a second step."""
    w, hessian, scale = layer(seed, 5, 6)
    return w, free(hessian, 1), 1, scale


def steps(answer, seed):
    """Steps in the first, a middle and the last two columns: arguments, then results."""
    for rows, columns in each(SHAPES):
        w, hessian, scale = layer(seed, rows, columns)
        places = {0, columns // 2, max(columns - 2, 0), columns - 1}
        for j in each({f"j = {place}": place for place in sorted(places)}):
            got = answer.gptq_step(w, free(hessian, j), j, scale)
            yield w, hessian, j, scale, *quantizers.arrays(got, w=w, inverse=hessian)


def test_column_is_rounded_to_codes(answer, seed):
    """Column j holds scale times a code from -7 to 7, the nearest one, row by row.

    A code of 4 bits holds no more, and the column is done.
    """
    for w, _, j, scale, got, _ in steps(answer, seed):
        want = scale * torch.round(w[:, j] / scale).clamp(-7, 7)
        expect.close(got[:, j], want, atol=2 * EPS * want.abs(), of="column j of w")


def test_later_columns_make_up_for_the_error(answer, seed):
    """With column j as it is now, no other change of the later columns has a smaller output error.

    That is a least-squares problem, and the update is its solution.
    """
    for w, hessian, j, scale, got, _ in steps(answer, seed):
        rest = slice(j + 1, None)
        change = scale * torch.round(w[:, j] / scale).clamp(-7, 7) - w[:, j]
        solved = torch.linalg.solve(hessian[rest, rest], hessian[rest, j])
        want = w[:, rest] - torch.outer(change, solved)
        # Two solutions of systems with the condition number c: each is off by about c EPS.
        room = 64 * len(hessian) * EPS * float(torch.linalg.cond(hessian))
        expect.close(got[:, rest], want, atol=room, of="later columns of w")


def test_earlier_columns_stay(answer, seed):
    """The columns before j keep their bits.

    They are codes already: moved off their levels, they could not be stored.
    """
    for w, _, j, _, got, _ in steps(answer, seed):
        expect.same(got[:, :j], w[:, :j], of="earlier columns of w")


def test_inverse_loses_the_column(answer, seed):
    """The new inverse is that of the Hessian of the columns after j, zeros elsewhere.

    Column j is no longer free: with the old inverse the next step would count on it.
    """
    for _, hessian, j, _, _, got in steps(answer, seed):
        room = 64 * len(hessian) * EPS * float(torch.linalg.cond(hessian))
        expect.close(got, free(hessian, j + 1), atol=room, of="inverse")
        gone = torch.cat([got[j], got[:, j]])
        expect.same(gone, torch.zeros_like(gone), of="row and column j of inverse")
