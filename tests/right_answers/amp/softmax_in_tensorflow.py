"""Right answers to amp/softmax_in_tensorflow, each in its own style."""

from halfbits.course.authoring.contract import swap

BY_HAND = """
import tensorflow as tf
def tf_attention_weights(scores, valid):
    places = tf.range(tf.shape(scores)[1])
    seen = tf.logical_and(places[:, None] >= places, valid[:, tf.newaxis, :])
    x = tf.where(seen, tf.cast(scores, tf.float32), -1e30)
    e = tf.exp(x - tf.reduce_max(x, -1, keepdims=True)) * tf.cast(seen, tf.float32)
    return tf.cast(tf.math.divide_no_nan(e, tf.reduce_sum(e, -1, keepdims=True)), scores.dtype)
"""
LOGARITHM = """
def tf_attention_weights(scores, valid):
    import numpy as np
    import tensorflow as tf
    n = scores.shape[1]
    seen = np.tril(np.ones((n, n), dtype=bool))[None] & valid.numpy()[:, None]
    x = np.where(seen, tf.cast(scores, tf.float64).numpy(), -1e4)
    weights = np.exp(x - np.logaddexp.reduce(x, axis=-1, keepdims=True))
    return tf.cast(tf.constant(np.where(seen, weights, 0)), scores.dtype)
"""
SUMS = """
import tensorflow as tf
def tf_rms_norm(x, gain, eps=1e-6):
    x32, g32 = (tf.cast(t, "float32") for t in (x, gain))
    power = tf.reduce_sum(x32 * x32, axis=-1, keepdims=True) / x.shape[-1]
    return tf.cast(x32 / tf.sqrt(power + eps) * g32, x.dtype)
"""
ROUNDED_FIRST = """
def tf_rms_norm(x, gain, eps=1e-6):
    import tensorflow as tf
    wide = tf.cast(x, tf.float64)
    unit = wide * tf.math.rsqrt(tf.reduce_mean(wide**2, -1, True) + eps)
    return tf.cast(unit, x.dtype) * tf.cast(gain, x.dtype)
"""

RIGHT = {
    "the softmax by hand": BY_HAND,
    "numpy and a logarithm": LOGARITHM,
    "sums of products": SUMS,
    "a cast to float32 at the end of a float64 norm": ROUNDED_FIRST.replace(
        "tf.cast(unit, x.dtype) * tf.cast(gain, x.dtype)",
        "tf.cast(unit * tf.cast(gain, tf.float64), x.dtype)",
    ),
    "a Python number for the mask": swap("tf_attention_weights", "tf.float32.min)", "-3.0e38)"),
}
