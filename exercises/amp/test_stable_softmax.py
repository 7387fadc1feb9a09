"""What `stable_softmax` must do, one claim a check."""

import torch

from halfbits.course.checks import calls, cases, expect, hardened
from halfbits.course.checks.cases import each
from halfbits.course.checks.operations import SOFTMAX, Operations, without

TASK = "stable_softmax"
HALVES = cases.named(*cases.LOW)
again = calls.Calls("stable_softmax", lambda seed: (cases.sized(seed, 4, 9).half(),))


def right(answer, scores):
    """Each number is the exact one, rounded once."""
    got, n = answer.stable_softmax(scores), scores.shape[-1]
    expect.like(got, scores)
    want, info = scores.double().softmax(-1).nan_to_num(), torch.finfo(scores.dtype)
    # Half a spacing; n sums, some exp, and float32 differences up to 110 (larger ones give 0).
    below = (scores.double().amax(-1, keepdim=True) - scores.double()).nan_to_num().clamp(max=110)
    half = info.eps / 2 * want.clamp(min=info.smallest_normal).log2().floor().exp2()
    room = half + (n + 16 + 2 * below) * 2.0**-24 * want
    # Below the normal numbers half a subnormal step; exp itself may flush what float32 cannot hold.
    room = room + info.eps * info.smallest_normal / 2 + 2.0**-126
    expect.close(got.double(), want, atol=room, of="the weights")


def test_large_scores_give_no_nan(answer, seed):
    """Scores from -1000 to 1000 give the weights of their differences.

    exp(11.1) is beyond float16 and exp(89) beyond float32; infinity by infinity is NaN. If no
    weight is NaN, look for a difference or an exp that is rounded to 16 bits.
    """
    for dtype in each(HALVES):
        for size in (20.0, 200.0, 1000.0):
            right(answer, cases.reaching(cases.normal(seed, 6, 40), size).to(dtype))


def test_every_row_is_measured_from_its_own_maximum(answer, seed):
    """Rows that lie far apart, at -900, 0 and 900, all have their weights.

    With one maximum for all rows, those far below it have weights of 0 by 0; weights that are
    only a little off come from a difference or an exp in 16 bits.
    """
    for dtype in each(HALVES):
        levels = torch.tensor([-900.0, 0.0, 900.0])[cases.shuffled(seed, 3)]
        right(answer, (cases.normal(seed, 3, 30) + levels[:, None]).to(dtype))


def test_long_rows_add_up_in_float32(answer, seed):
    """In a row of thousands of scores, equal or random, the weights are still right.

    A sum in float16 stops growing at 2048 times its last term, in bfloat16 at 256 times.
    """
    n = 3001 + 2 * (seed % 100)
    for dtype in each(HALVES):
        right(answer, torch.full((2, n), float(seed % 7)).to(dtype))
        right(answer, cases.normal(seed, 2, n).to(dtype))
        right(answer, (200 * torch.eye(300)[::23]).to(dtype))  # a maximum anywhere in a long row


def test_only_the_result_is_rounded(answer, seed):
    """Each weight is within half a spacing of the exact one.

    A difference or an exp in 16 bits is rounded on the way, and the error ends up in the weights.
    """
    for dtype in each(HALVES):
        right(answer, cases.reaching(cases.normal(seed, 200, 16), 16.0).to(dtype))
        right(answer, cases.normal(seed, 2000, 5).to(dtype))  # a number added to the sum shows


def test_works_over_the_last_dimension_of_any_shape(answer, seed):
    """Vectors, matrices, more axes, views, and rows of one score.

    The scores of attention are [batch, heads, queries, keys].
    """
    x = cases.normal(seed, 2, 3, 4, 8) * 9
    shapes = {"a vector": x[0, 0, 0], "a matrix": x[0, 0], "three axes": x[0], "four axes": x}
    for scores in each(shapes | {"a view": x.transpose(1, 3), "rows of one": x[..., :1]}):
        for dtype in cases.LOW:
            right(answer, scores.to(dtype))


def test_steps_are_written_out(answer, seed):
    """No softmax and no logsumexp of PyTorch is called.

    You practice what those do inside.
    """
    with Operations() as seen:
        answer.stable_softmax(cases.normal(seed, 3, 8).half())
    without(SOFTMAX, seen, "exp, sum and a quotient")


@hardened
def test_holds_at_the_ends_of_the_type_and_with_masks(answer, seed):
    """Scores up to the largest of their type; minus infinity weighs 0; an empty batch.

    A row of nothing but minus infinity gives zeros: masks are written so, and minus infinity
    minus itself is NaN.
    """
    for dtype in each(HALVES):
        top = torch.finfo(dtype).max
        ends = torch.tensor([[top, -top, top], [0.0, top / 2, -top], [-top, -top, -top]])
        right(answer, ends.roll(seed % 3, 0).to(dtype))
        masked = cases.normal(seed, 5, 12)
        masked[0], masked[1, 3:], masked[2, ::2] = -torch.inf, -torch.inf, -torch.inf
        right(answer, masked.to(dtype))
        right(answer, torch.zeros(0, 5, dtype=dtype))
        for n in (2, 128, 1024):  # all that a row begins with is hidden
            right(answer, torch.tensor([-torch.inf] * n + [0.0] * n).to(dtype))
