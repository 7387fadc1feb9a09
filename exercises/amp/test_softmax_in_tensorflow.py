"""What `tf_attention_weights` and `tf_rms_norm` must do, one claim a check."""

import numpy as np

from halfbits.course.checks import calls, cases, expect, hardened, task, tolerance
from halfbits.course.checks.cases import each

again = calls.Calls("tf_attention_weights", lambda seed: given(seed, (2, 4, 4), (2, 4), "bool"))
norm_again = calls.Calls("tf_rms_norm", lambda seed: given(seed, (3, 8), (8,)))
# The spacing of each type above 1.
TYPES = {"float16": 2.0**-10, "bfloat16": 2.0**-7, "float32": 2.0**-23}


def drawn(seed, *shape, size=1.0):
    """Normal numbers of a size, as an array."""
    return cases.normal(seed, *shape).numpy() * size


def made(x, dtype):
    """The tensor in `dtype`, and the numbers that it holds in float64."""
    import tensorflow as tf

    low = tf.cast(tf.constant(x), dtype)
    return low, tf.cast(low, tf.float64).numpy()


def given(seed, drawn_shape, ones_shape, dtype="float32"):
    """Normal numbers and ones as tensors: the arguments of either task."""
    return made(drawn(seed, *drawn_shape), "float32")[0], made(np.ones(ones_shape), dtype)[0]


def weights(answer, scores, valid, dtype):
    """The answer's weights in float64, once dtype and shape are right."""
    got = answer.tf_attention_weights(scores, made(valid, "bool")[0])
    expect.array(got, dtype, scores.shape)
    return np.asarray(got, np.float64)


def right(answer, scores, valid, rows=slice(None)):
    """The weights of `rows` in every type: float32's error and one rounding, exact zeros."""
    seen = np.tril(np.ones(scores.shape, bool)) & valid[:, None, :]
    for dtype in each(cases.named(*TYPES)):
        low, exact = made(scores, dtype)
        parts = np.exp(exact) * seen
        want = parts / np.maximum(parts.sum(-1, keepdims=True), 1e-300)
        # A score of 60 moves by an eps of itself on the way; tiny weights are float16's subnormals.
        share = 64 * tolerance.eps() + tolerance.softmax() + 0.5 * TYPES[dtype]
        room = np.where(seen, share * want + 2.0**-25, 0.0)
        got = weights(answer, low, valid, dtype)
        expect.close(got[:, rows], want[:, rows], atol=room[:, rows])


def normed(answer, x):
    """The rule for x in every type, with a float32 gain."""
    for dtype, eps in TYPES.items():
        low, exact = made(x, dtype)
        gain, factor = made(1 + np.arange(x.shape[-1]) / x.shape[-1], "float32")
        want = exact / np.sqrt((exact**2).mean(-1, keepdims=True) + 1e-6) * factor
        got = answer.tf_rms_norm(low, gain)
        expect.array(got, dtype, x.shape)
        # One rounding to the type, or two; a subnormal step of float16; float32's own errors.
        room = (1.01 * eps + 64 * tolerance.eps()) * abs(want) + 2.0**-24
        expect.close(np.asarray(got, np.float64), want, atol=room)


@task("tf_attention_weights")
def test_softmax_runs_over_what_is_seen(answer, seed):
    """Each row is the softmax over earlier keys without padding, exactly 0 elsewhere.

    A key that comes later, or is padding, has no weight at all. The others are rounded once: a
    softmax in 16 bits rounds on the way, too.
    """
    valid = np.ones((3, 9), bool)
    valid[1, 4:6], valid[2, 7:] = False, False
    right(answer, drawn(seed, 3, 9, 9), valid)


@task("tf_attention_weights")
def test_large_scores_have_weights_too(answer, seed):
    """Scores from -60 to 60 give finite weights in every type, for few tokens and for many.

    exp(12) is beyond float16, and exp(60) times anything soon beyond float32.
    """
    for n in (1, 12, 130):
        right(answer, drawn(seed, 2, n, n, size=20).clip(-60, 60), np.ones((2, n), bool))


@task("tf_attention_weights")
def test_query_that_sees_nothing_is_finite(answer, seed):
    """With padding on the left, the rows of padding are finite, and the others as ever.

    A row of nothing but minus infinity is 0 / 0; one NaN spreads over a whole batch.
    """
    valid = np.ones((2, 8), bool)
    valid[1, :3] = False
    scores = -abs(drawn(seed, 2, 8, 8, size=20)).clip(1, 60)
    right(answer, scores, valid, rows=slice(3, None))
    for dtype in each(cases.named(*TYPES)):
        expect.within(weights(answer, made(scores, dtype)[0], valid, dtype), 0, 1)


@task("tf_rms_norm")
def test_norm_has_the_precision_of_float32(answer, seed):
    """Small, usual and large tokens are divided by the root of their mean square, in every type.

    300 squared is beyond float16, 0.0001 squared below it; a root in 16 bits costs digits always.
    """
    for size in each({"large": 9000.0, "small": 3e-4, "usual": 1.0}):
        normed(answer, drawn(seed, 4, 3, 32, size=size).clip(-6e4, 6e4))


@task("tf_rms_norm")
def test_each_token_has_its_own_mean(answer, seed):
    """A loud token changes no other: one token, a matrix and more axes have means of their rows.

    Tokens of one batch know nothing of each other.
    """
    loud = drawn(seed, 2, 300, 8) * np.resize([1.0, 900.0, 0.1], (300, 1))
    shapes = {"one token": loud[0, 1], "a matrix": loud[0, :5], "a square": loud[0, :8]}
    for x in each(shapes | {"many tokens": loud[0], "three axes": loud[:, :6]}):
        normed(answer, x)


@task("tf_rms_norm")
def test_gain_may_have_another_type(answer, seed):
    """A gain in float32, float16 or bfloat16 goes with every type of x, whose type comes out.

    Norms are often left in float32 when a model is converted.
    """
    for dtype in each(cases.named(*TYPES)):
        for other in TYPES:
            x, gain = made(drawn(seed, 5, 16), dtype)[0], made(np.ones(16), other)[0]
            expect.array(answer.tf_rms_norm(x, gain), dtype, (5, 16))


@task("tf_rms_norm")
def test_eps_stands_under_the_root(answer):
    """eps is added to the mean, not to the root, and the argument counts.

    A token of zeros comes out as zeros.
    """
    x, exact = made([[0.0, 0.0], [0.6, -0.6]], "float32")
    for eps in each(cases.named(1e-6, 0.5)):
        want = exact / np.sqrt(0.36 + eps)
        got = answer.tf_rms_norm(x, made(np.ones(2), "float32")[0], eps)
        expect.close(got, want.astype(np.float32), atol=8 * tolerance.eps())


@task("tf_attention_weights")
@hardened
def test_prompts_of_padding_and_empty_batches_are_batches(answer):
    """A prompt of nothing but padding is finite, and a batch without prompts gives none.

    Padding fills a batch up to its size, and the last batch of a queue may be empty.
    """
    for dtype in each(cases.named(*TYPES)):
        scores = made(np.full((2, 3, 3), -60.0), dtype)[0]
        expect.within(weights(answer, scores, np.zeros((2, 3), bool), dtype), 0, 1)
        weights(answer, scores[:0], np.ones((0, 3), bool), dtype)


@task("tf_rms_norm")
@hardened
def test_token_that_is_broken_hurts_no_other(answer, seed):
    """A token with a NaN or an infinity is not finite, the others are right; no tokens give none.

    One request must not spoil the batch, and the mean must not hide that it is broken.
    """
    x, gain = drawn(seed, 3, 8), made(np.ones(8), "float32")[0]
    whole = np.asarray(answer.tf_rms_norm(made(x, "float32")[0], gain))
    for bad in each(cases.named(np.nan, np.inf)):
        x[1, seed % 8] = bad
        got = np.asarray(answer.tf_rms_norm(made(x, "float32")[0], gain))
        expect.true(np.isnan(got[1]).any(), expected="NaN", got=got[1], of="the broken token")
        expect.close(got[::2], whole[::2], atol=4 * tolerance.eps() * abs(whole[::2]))
    expect.like(answer.tf_rms_norm(made(x[:0], "float32")[0], gain), x[:0])
