"""What `hadamard` and `fold` must do, one claim a check; all of it in float64."""

import torch

from halfbits.course.checks import calls, cases, expect, hardened, layouts, quantizers, task
from halfbits.course.checks.cases import each

EPS = torch.finfo(torch.float64).eps
ORDERS = cases.named(*(2**k for k in range(9)))
matrix_again = calls.Calls("hadamard", lambda seed: (2 ** (2 + seed % 3),))
again = layouts.AnyLayout("fold", lambda seed: (rotation(seed, 8), *layers(seed, 8, 5, 3)[:3]))
SHAPES = cases.named((8, 5, 3), (16, 16, 16), (4, 30, 1), (1, 3, 2))  # n, inputs, outputs


def rotation(seed, n):
    """A random orthogonal [n, n] that is not symmetric."""
    return torch.linalg.qr(cases.normal(seed, n, n).double())[0]


def layers(seed, n, n_in, n_out):
    """w1 [n, in], b1 [n], w2 [out, n] and inputs [7, in]."""
    shapes = ((n, n_in), (n,), (n_out, n), (7, n_in))
    return [cases.normal(seed + i, *shape).double() for i, shape in enumerate(shapes, 1)]


def folded(answer, q, w1, b1, w2):
    """What fold returns, once its types and shapes are right."""
    return quantizers.arrays(answer.fold(q, w1, b1, w2), w1=w1, b1=b1, w2=w2)


def right(answer, q, w1, b1, w2, inputs):
    """x becomes x @ q, and y stays."""
    new_w1, new_b1, new_w2 = folded(answer, q, w1, b1, w2)
    x, rotated = inputs @ w1.T + b1, inputs @ new_w1.T + new_b1
    # Sums of n and of n_in products, some of them twice; each rounding is at most EPS of the sizes.
    room = 4 * (len(q) + w1.shape[1]) * EPS * (inputs.abs() @ w1.abs().T + b1.abs()).amax()
    expect.close(rotated, x @ q, atol=room * len(q), of="x by the weights")
    room = room * len(q) * w2.abs().sum(1).amax()
    expect.close(rotated @ new_w2.T, x @ w2.T, atol=room, of="y by the weights")


@task("hadamard")
def test_entries_have_one_size(answer):
    """All entries of the float64 matrix are 1 / sqrt(n) in magnitude.

    So each new channel gets the same share of each old one, and no outlier stays whole.
    """
    for n in each(ORDERS):
        got = answer.hadamard(n)
        expect.array(got, torch.float64, (n, n))
        expect.close(got.abs(), torch.full((n, n), n**-0.5, dtype=torch.float64), atol=4 * EPS)


@task("hadamard")
def test_rows_stand_at_right_angles(answer):
    """The product with the transpose is the identity.

    Only then does the transpose undo the rotation.
    """
    for n in each(ORDERS):
        q = answer.hadamard(n)
        expect.close(q @ q.T, torch.eye(n).double(), atol=(n + 8) * EPS, of="q @ q.T")


@task("fold")
def test_output_stays_the_same(answer, seed):
    """y is what it was, and x becomes x @ q, for a q that is not symmetric.

    With a symmetric q, the transpose on the wrong side goes unnoticed.
    """
    for n, n_in, n_out in each(SHAPES):
        right(answer, rotation(seed, n), *layers(seed, n, n_in, n_out))


@task("fold")
def test_hidden_channels_are_really_rotated(answer, seed):
    """A q that exchanges channels exchanges the rows of w1, and the columns of w2.

    Weights that stay as they are give the same y as well, but still have the outlier.
    """
    for n, n_in, n_out in each(SHAPES):
        (w1, b1, w2, _), order = layers(seed, n, n_in, n_out), torch.arange(n).roll(1)
        got = folded(answer, torch.eye(n).double()[:, order], w1, b1, w2)
        expect.same(got[0], w1[order], of="w1")
        expect.same(got[1], b1[order], of="b1")
        expect.same(got[2], w2[:, order], of="w2")
        given = (torch.eye(n).double(), w1, 0 * b1, w2)  # where nothing changes, copies come back
        expect.apart(folded(answer, *given), *given)


@task("fold")
def test_bias_is_rotated_too(answer, seed):
    """With inputs of 0, x is b1 @ q.

    The bias is a part of x.
    """
    for n, n_in, n_out in each(SHAPES):
        w1, b1, w2, inputs = layers(seed, n, n_in, n_out)
        right(answer, rotation(seed, n), w1, 100 * b1, w2, 0 * inputs)


@hardened
@task("hadamard")
def test_large_order_keeps_its_digits(answer):
    """The matrix of order 2048, as wide as a model, is orthogonal to the last digits.

    A product with ever more factors of sqrt(2), or a step in float32, loses them.
    """
    q = answer.hadamard(2048)
    expect.array(q, torch.float64, (2048, 2048))
    expect.close(q[::32] @ q.T, torch.eye(2048).double()[::32], atol=64 * EPS, of="q @ q.T")
    expect.close(q[::32].abs(), torch.full((64, 2048), 2048**-0.5).double(), atol=1e-6)
