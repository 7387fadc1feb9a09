"""What `attention_weights` must do once it is mended, one claim a check."""

import torch

from halfbits.course.checks import calls, cases, expect, hardened, tolerance
from halfbits.course.checks.cases import each

TASK = "attention_weights"
TYPES = cases.named(*cases.LOW, torch.float32)
again = calls.Calls("attention_weights", lambda seed: batch(seed, 5, (5, 1 + seed % 3)))


def batch(seed, n, lengths, low=-60.0, high=60.0):
    """Scores [batch, n, n] from low to high, and which tokens are valid, padded on the left."""
    scores = torch.rand(len(lengths), n, n, generator=cases.generator(seed)) * (high - low) + low
    return scores, torch.arange(n) >= n - torch.tensor(lengths)[:, None]


def right(answer, scores, valid):
    """The softmax over what each query sees; rows of those that see nothing are finite."""
    got = answer.attention_weights(scores, valid)
    expect.like(got, scores)
    expect.within(got, 0.0, 1.0, of="all weights")
    n = scores.shape[1]
    seen = torch.ones(n, n, dtype=torch.bool).tril() & valid[:, None, :]
    sees = seen.any(2)
    want = torch.softmax(scores.double().masked_fill(~seen, -torch.inf), 2)[sees]
    # A softmax in float32, and one rounding to the type of the scores.
    room = (tolerance.softmax() * 60 + tolerance.eps(scores.dtype)) * want
    room = room + torch.finfo(scores.dtype).smallest_normal
    expect.close(
        got[sees], want.to(scores.dtype), atol=room, of="rows of queries that see a key by weights"
    )
    hidden = got[sees][~seen[sees]]
    expect.same(hidden, torch.zeros_like(hidden), of="weights of hidden keys")


def test_padding_on_the_left_gives_no_nan(answer, seed):
    """With very negative scores and short prompts, few or many tokens, all numbers are finite.

    Two masks that are added are minus infinity. A softmax of nothing but minus infinity is NaN,
    wherever it came from, and the next layer spreads it.
    """
    for dtype in each(TYPES):
        for n in (9, 130):
            scores, valid = batch(seed, n, (n, 1, 4, n - 1), low=-60.0, high=-20.0)
            right(answer, scores.to(dtype), valid)


def test_prompt_does_not_depend_on_its_neighbors(answer, seed):
    """A padded prompt has the weights that it has alone, without padding.

    That is what a batch must not change.
    """
    for dtype in each(TYPES):
        scores, valid = batch(seed, 8, (8, 3, 5))
        scores = scores.to(dtype)
        whole = answer.attention_weights(scores, valid)
        expect.like(whole, scores)
        for row, length in enumerate((8, 3, 5)):
            alone = scores[row : row + 1, -length:, -length:]
            want = torch.softmax(alone.double() + torch.full(alone.shape, -torch.inf).triu(1), 2)
            room = (tolerance.softmax() * 60 + tolerance.eps(dtype)) * want
            room = room[0] + torch.finfo(dtype).smallest_normal
            got = whole[row, -length:, -length:]
            expect.close(got, want[0].to(dtype), atol=room, of=f"prompt {row} by weights")


def test_nobody_sees_the_future_or_padding(answer, seed):
    """Each valid query weighs the keys up to its own position, padding left out.

    The loudest scores are where they must not be seen.
    """
    for dtype in each(TYPES):
        scores, valid = batch(seed, 7, (7, 2, 6), low=-5.0, high=5.0)
        hidden = torch.ones(7, 7, dtype=torch.bool).triu(1) | ~valid[:, None, :]
        loud = scores + 50 * hidden
        right(answer, loud.to(dtype), valid)
        right(answer, (scores.round() - 1).clamp(-1, 0).to(dtype), valid)  # many scores are 0


def test_padding_may_stand_anywhere(answer, seed):
    """Padding on the right, in the middle, or of a whole prompt is left out as well.

    A prompt of padding alone is what fills up a batch.
    """
    for dtype in each(TYPES):
        scores, valid = batch(seed, 6, (6, 6, 6, 0))
        valid[1, 4:], valid[2, 2] = False, False
        right(answer, scores.to(dtype), valid)


@hardened
def test_views_single_tokens_and_empty_batches(answer, seed):
    """Scores that are a view, prompts of one token and a batch without prompts are weighed too.

    Heads are views of one matrix, and the last batch of a queue may be empty.
    """
    for dtype in each(TYPES):
        scores, valid = batch(seed, 6, (6, 2, 4))
        wide = torch.cat([scores, scores], 2).to(dtype)
        for part in (wide[:, :, ::2], wide[:, :, :6].transpose(1, 2), wide[:, :, 6:]):
            right(answer, part, valid)
        right(answer, wide[:, :1, :1], valid[:, :1])
        for given in cases.one_a_view(scores.to(dtype), valid).values():
            right(answer, *given)
        expect.like(answer.attention_weights(wide[:0, :, :6], valid[:0]), wide[:0, :, :6])
