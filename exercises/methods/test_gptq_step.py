"""What `gptq_step` must do, one claim a check; all of it in float64."""

import torch

from halfbits.course.checks import calls, cases, expect, hardened, quantizers, tolerance
from halfbits.course.checks.cases import each

TASK = "gptq_step"
again = calls.Calls("gptq_step", lambda seed: a_step(seed))
EPS = tolerance.eps(torch.float64)
# Rows and columns of the weight matrix.
SHAPES = {"3 x 70": (3, 70), "1 x 12": (1, 12), "20 x 5": (20, 5), "8 x 8": (8, 8)}


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


def stepped(answer, w, inverse, j, scale):
    """What gptq_step returns, once its types and shapes are right."""
    got = quantizers.several(answer.gptq_step(w, inverse, j, scale), "w, inverse")
    expect.array(got[0], torch.float64, w.shape, of="w")
    expect.array(got[1], torch.float64, inverse.shape, of="inverse")
    return got


def a_step(seed):
    """The arguments of a second step."""
    w, hessian, scale = layer(seed, 5, 6)
    return w, free(hessian, 1), 1, scale


def places(columns):
    """The first, a middle and the last column."""
    return {f"j = {j}": j for j in (0, columns // 2, columns - 1)}


def test_column_is_rounded_to_codes(answer, seed):
    """Column j holds scale times a code from -7 to 7, the nearest one, row by row.

    A code of 4 bits holds no more, and the column is done.
    """
    for rows, columns in each(SHAPES):
        w, hessian, scale = layer(seed, rows, columns)
        for j in each(places(columns)):
            got, _ = stepped(answer, w, free(hessian, j), j, scale)
            want = scale * torch.round(w[:, j] / scale).clamp(-7, 7)
            expect.close(got[:, j], want, atol=2 * EPS * want.abs(), of="column j of w")


def test_later_columns_make_up_for_the_error(answer, seed):
    """With column j as it is now, no other change of the later columns has a smaller output error.

    That is a least-squares problem, and the update is its solution.
    """
    for rows, columns in each(SHAPES):
        w, hessian, scale = layer(seed, rows, columns)
        for j in each(cases.named(0, columns // 2, columns - 2)):
            got, _ = stepped(answer, w, free(hessian, j), j, scale)
            rest = slice(j + 1, columns)
            change = scale * torch.round(w[:, j] / scale).clamp(-7, 7) - w[:, j]
            solved = torch.linalg.solve(hessian[rest, rest], hessian[rest, j])
            want = w[:, rest] - torch.outer(change, solved)
            # Two solutions of systems with the condition number c: each is off by about c EPS.
            room = 64 * columns * EPS * float(torch.linalg.cond(hessian))
            expect.close(got[:, rest], want, atol=room, of="later columns of w")


def test_earlier_columns_stay(answer, seed):
    """The columns before j keep their bits.

    They are codes already: moved off their levels, they could not be stored.
    """
    for rows, columns in each(SHAPES):
        w, hessian, scale = layer(seed, rows, columns)
        for j in each(places(columns)):
            got, _ = stepped(answer, w, free(hessian, j), j, scale)
            expect.same(got[:, :j], w[:, :j], of="earlier columns of w")


def test_inverse_loses_the_column(answer, seed):
    """The new inverse is that of the Hessian of the columns after j, zeros elsewhere.

    Column j is no longer free: with the old inverse the next step would count on it.
    """
    for rows, columns in each(SHAPES):
        w, hessian, scale = layer(seed, rows, columns)
        for j in each(places(columns)):
            _, got = stepped(answer, w, free(hessian, j), j, scale)
            want = free(hessian, j + 1)
            room = 64 * columns * EPS * float(torch.linalg.cond(hessian))
            expect.close(got, want, atol=room, of="inverse")
            gone = torch.cat([got[j], got[:, j]])
            expect.same(gone, torch.zeros_like(gone), of="row and column j of inverse")


@hardened
def test_single_column_and_views_are_stepped_too(answer, seed):
    """A matrix of one column, and transposed or strided views, give what their copies give.

    The last step has no later column, and weights are often stored the other way round.
    """
    w, hessian, scale = layer(seed, 6, 8)
    inverse = free(hessian, 3)
    want = stepped(answer, w, inverse, 3, scale)
    wide = torch.stack([w, -w], 2)[:, :, 0]
    for view in (w.t().contiguous().t(), wide):
        got = stepped(
            answer, view, inverse.t().contiguous().t(), 3, torch.stack([scale] * 2, 1)[:, 0]
        )
        for part, same in zip(got, want, strict=True):
            expect.close(part, same, atol=64 * EPS * same.abs().amax())
    one, alone = stepped(answer, w[:, :1], free(hessian[:1, :1], 0), 0, scale)
    codes = torch.round(w[:, 0] / scale).clamp(-7, 7)
    expect.close(one[:, 0], scale * codes, atol=2 * EPS * w.abs().amax(), of="w")
    expect.same(alone, torch.zeros(1, 1).double(), of="inverse")
