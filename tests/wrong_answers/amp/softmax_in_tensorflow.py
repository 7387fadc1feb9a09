"""Wrong answers to amp/softmax_in_tensorflow: each is one misconception."""

PAST = "tf.linalg.band_part(tf.ones((n, n), tf.bool), -1, 0)"
SEEN = "past & valid[:, None, :]"
MASKED = "tf.where(seen, tf.cast(scores, tf.float32), tf.float32.min)"
WEIGHTS = "tf.cast(tf.nn.softmax(masked, axis=-1), scores.dtype)"
WIDE = "wide = tf.cast(x, tf.float32)"
MEAN = "tf.reduce_mean(tf.square(wide), axis=-1, keepdims=True)"
NORM = "tf.cast(wide * tf.math.rsqrt(mean + eps) * tf.cast(gain, tf.float32), x.dtype)"

EQUIVALENT = {
    "n = scores.shape[1]": "scores are square",
    "n = scores.shape[-2]": "scores are square",
    "past = tf.linalg.band_part(tf.ones((n, n), tf.bool), -2, 0)": "any negative number is all",
    f"masked = {MASKED.replace('(scores, tf.float32)', '(scores, tf.float64)')}": "more digits",
    "return tf.cast(tf.nn.softmax(masked), scores.dtype)": "the last axis is the default",
}

WRONG = {
    "test_again_reads_its_arguments_at_every_call": [
        (
            "remembers by id",
            "is used again",
            MASKED,
            f"tf_attention_weights.__dict__.setdefault(id(scores), {MASKED})",
        ),
    ],
    "test_norm_again_reads_its_arguments_at_every_call": [
        (
            "remembers by id",
            "is used again",
            MEAN,
            f"tf_rms_norm.__dict__.setdefault(id(x), {MEAN})",
        ),
    ],
    "test_softmax_runs_over_what_is_seen": [
        ("sees the future", "no weight", SEEN, "valid[:, None, :]"),
        ("sees padding", "no weight", SEEN, "past & tf.ones_like(valid)[:, None, :]"),
        ("over the queries", "expected", WEIGHTS, WEIGHTS.replace("axis=-1", "axis=-2")),
        (
            "zeros afterwards",
            "expected",
            MASKED,
            "tf.cast(scores, tf.float32)",
            WEIGHTS,
            "tf.cast(tf.where(seen, tf.nn.softmax(masked, axis=-1), 0.0), scores.dtype)",
        ),
        ("a small number instead", "no weight", MASKED, MASKED.replace("tf.float32.min", "-9.0")),
        (
            "bfloat16 on the way",
            "expected",
            MASKED,
            "tf.where(seen, tf.cast(tf.cast(scores, tf.bfloat16), tf.float32), tf.float32.min)",
        ),
    ],
    "test_large_scores_have_weights_too": [
        (
            "no shift, in the type of the scores",
            "NaN",
            WEIGHTS,
            "tf.where(seen, tf.exp(scores), tf.zeros_like(scores)) / tf.reduce_sum(\n"
            "        tf.where(seen, tf.exp(scores), tf.zeros_like(scores)), -1, keepdims=True)",
        ),
        ("more than 64 tokens refused", "raised", PAST, f"{PAST}; assert n <= 64"),
        ("one token refused", "raised", PAST, f"{PAST}; assert n > 1"),
    ],
    "test_query_that_sees_nothing_is_finite": [
        ("minus infinity", "NaN", MASKED, MASKED.replace("tf.float32.min", "float('-inf')")),
        (
            "two sums in the type of the scores",
            "NaN",
            MASKED,
            "tf.zeros_like(scores)\n"
            "    for one in (past, valid[:, None, :]):\n"
            "        masked += tf.where(one, tf.zeros_like(scores), scores.dtype.min)\n"
            "    masked += scores",
        ),
    ],
    "test_prompts_of_padding_and_empty_batches_are_batches": [
        ("the largest of all", "raised", PAST, f"{PAST}; int(tf.argmax(tf.reshape(scores, [-1])))"),
        (
            "minus infinity for padding alone",
            "expected",
            WEIGHTS,
            "tf.cast(tf.nn.softmax(tf.where(tf.reduce_any(valid, 1)[:, None, None],\n"
            "        masked, float('-inf')), axis=-1), scores.dtype)",
        ),
    ],
    "test_each_token_has_its_own_mean": [
        ("one token refused", "raised", WIDE, f"{WIDE}; assert len(x.shape) > 1"),
        *(
            (
                f"one mean where {when}",
                says,
                MEAN,
                f"tf.reduce_mean(tf.square(wide)) if {when} else {MEAN}",
            )
            for when, says in (
                ("x.shape[0] > x.shape[-1]", "many tokens"),
                ("x.shape[0] == x.shape[-1] and len(x.shape) == 2", "a square"),
            )
        ),
    ],
    "test_token_that_is_broken_hurts_no_other": [
        (
            "NaN becomes 0",
            "the broken token",
            WIDE,
            "wide = tf.where(tf.math.is_finite(x), tf.cast(x, tf.float32), 0.0)",
        ),
        (
            "by the largest of all",
            "expected",
            WIDE,
            f"{WIDE}; wide = wide / tf.reduce_max(tf.abs(wide)) * tf.reduce_max(tf.abs(wide))",
        ),
    ],
    "test_norm_has_the_precision_of_float32": [
        (
            "squares in the type of x, the rest in float32",
            "expected",
            MEAN,
            "tf.reduce_mean(tf.cast(tf.square(x), tf.float32), axis=-1, keepdims=True)",
        ),
        ("less its mean", "expected", MEAN, "tf.math.reduce_variance(wide, -1, keepdims=True)"),
    ],
    "test_gain_may_have_another_type": [
        ("gain as it is", "raised", NORM, NORM.replace("tf.cast(gain, tf.float32)", "gain")),
        ("the type of gain", "expected", NORM, NORM.replace("x.dtype", "gain.dtype")),
    ],
    "test_eps_stands_under_the_root": [
        (
            "outside the root",
            "expected",
            NORM,
            NORM.replace("tf.math.rsqrt(mean + eps)", "(1 / (tf.sqrt(mean) + eps))"),
        ),
        ("a constant", "expected", NORM, NORM.replace("mean + eps", "mean + 1e-6")),
    ],
}
