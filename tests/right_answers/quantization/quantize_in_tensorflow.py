"""Right answers to quantization/quantize_in_tensorflow, each in its own style."""

from halfbits.course.authoring.contract import swap

REPEATED = """
import tensorflow as tf
def tf_group_scales(w, group_size):
    parts = tf.split(w, w.shape[1] // group_size, axis=1)
    scale = tf.stack([tf.reduce_max(tf.abs(part), axis=1) for part in parts], axis=1) / 7.0
    scale = tf.where(scale == 0, tf.ones_like(scale), scale)
    wide = tf.repeat(scale, group_size, axis=1)
    return tf.cast(tf.math.rint(w / wide), "int8"), scale
"""
FLAT = """
def tf_group_scales(w, group_size):
    import tensorflow as tf
    rows, columns = w.shape
    flat = tf.reshape(w, [-1, group_size])
    top = tf.norm(flat, ord=float("inf"), axis=1, keepdims=True)
    codes = tf.round(tf.math.divide_no_nan(flat * 1.0, top / 7))
    scale = tf.maximum(top / 7, 1e-30)
    return tf.cast(tf.reshape(codes, [rows, columns]), tf.int8), tf.reshape(scale, [rows, -1])
"""
OWN = """
import tensorflow as tf
def tf_fake_quantize(x, scale, bits):
    limit = (2 ** (bits - 1) - 1) * scale
    @tf.custom_gradient
    def quantized(x):
        def back(g):
            return tf.where(tf.abs(x) <= limit, g, tf.zeros_like(g))
        return tf.clip_by_value(tf.round(x / scale) * scale, -limit, limit), back
    return quantized(x)
"""
MINIMUM = """
def tf_fake_quantize(x, scale, bits):
    import tensorflow as tf
    top = float(2 ** (bits - 1) - 1)
    steps = tf.maximum(tf.minimum(x / scale, top), -top)
    return (steps + tf.stop_gradient(tf.round(steps) - steps)) * scale
"""

RIGHT = {
    "scales repeated along the row": REPEATED,
    "flat groups": FLAT,
    "a gradient of its own": OWN,
    "minimum and maximum in steps": MINIMUM,
    "the mask": swap(
        "tf_fake_quantize",
        "tf.clip_by_value(x, -top * scale, top * scale)",
        "tf.where(tf.abs(x) > top * scale, tf.sign(x) * top * scale, x)",
    ),
}
