"""What `tf_attention_weights` and `tf_rms_norm` must do, one claim a check."""

import numpy as np

from halfbits.course.checks import cases, expect, task, tolerance
from halfbits.course.checks.cases import each

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


def weights(answer, scores, valid, dtype):
    """The answer's weights in float64, once dtype and shape are right."""
    import tensorflow as tf

    got = answer.tf_attention_weights(scores, tf.constant(valid))
    expect.array(got, dtype, scores.shape)
    return tf.cast(got, tf.float64).numpy()


def seen_by(valid):
    """Which key each query sees, bool [batch, n, n]."""
    n = valid.shape[1]
    return np.tril(np.ones((n, n), bool)) & valid[:, None, :]


def wanted(scores, seen):
    """The softmax over what is seen in float64, zeros elsewhere."""
    low = np.where(seen, scores, -np.inf)
    parts = np.exp(low - np.maximum(low.max(-1, keepdims=True), -1e300))
    return parts / np.maximum(parts.sum(-1, keepdims=True), 1e-300)


def right(answer, scores, valid, rows=slice(None)):
    """The weights of `rows` in every type: float32's error and one rounding, exact zeros."""
    for dtype in each(cases.named(*TYPES)):
        low, exact = made(scores, dtype)
        seen = seen_by(valid)
        want, got = wanted(exact, seen), weights(answer, low, valid, dtype)
        # A score of 60 moves by an eps of itself on the way; tiny weights are float16's subnormals.
        share = 64 * tolerance.eps() + tolerance.softmax() + 0.5 * TYPES[dtype]
        room = np.where(seen, share * want + 2.0**-25, 0.0)
        expect.close(got[:, rows], want[:, rows], atol=room[:, rows])


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
    """Scores from -60 to 60 give finite weights in every type.

    exp(12) is beyond float16, and exp(60) times anything soon beyond float32.
    """
    right(answer, drawn(seed, 2, 12, 12, size=20).clip(-60, 60), np.ones((2, 12), bool))


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
    sizes = {"large": 9000.0, "small": 3e-4, "usual": 1.0}
    for size in each(sizes):
        for dtype, eps in TYPES.items():
            x, exact = made(drawn(seed, 4, 3, 32, size=size).clip(-6e4, 6e4), dtype)
            gain, factor = made(1 + 0.1 * drawn(seed + 1, 32), "float32")
            root = np.sqrt((exact**2).mean(-1, keepdims=True) + 1e-6)
            want = exact / root * factor
            got = answer.tf_rms_norm(x, gain)
            expect.array(got, dtype, x.shape)
            # One rounding to the type, or two; a subnormal step of float16; float32's own errors.
            room = (1.01 * eps + 64 * tolerance.eps()) * abs(want) + 2.0**-24
            expect.close(np.asarray(got, np.float64), want, atol=room)


@task("tf_rms_norm")
def test_gain_may_have_another_type(answer, seed):
    """A gain in float32, float16 or bfloat16 goes with every type of x, whose type comes out.

    Norms are often left in float32 when a model is converted.
    """
    import tensorflow as tf

    for dtype in each(cases.named(*TYPES)):
        for other in TYPES:
            x, gain = made(drawn(seed, 5, 16), dtype)[0], tf.ones(16, other)
            expect.array(answer.tf_rms_norm(x, gain), dtype, (5, 16))


@task("tf_rms_norm")
def test_eps_stands_under_the_root(answer):
    """eps is added to the mean, not to the root, and the argument counts.

    A token of zeros comes out as zeros.
    """
    import tensorflow as tf

    x = tf.constant([[0.0, 0.0], [0.6, -0.6]])
    for eps in each({"1e-6": 1e-6, "0.5": 0.5}):
        want = np.array([[0, 0], [0.6, -0.6]]) / np.sqrt(0.36 + eps)
        got = answer.tf_rms_norm(x, tf.ones(2), eps)
        expect.close(got, want.astype(np.float32), atol=8 * tolerance.eps())
