"""Right answers to formats/rounding_in_tensorflow, each in its own style."""

from halfbits.course.authoring.contract import swap

NUMPY = """
def tf_to_bf16(x):
    import numpy as np
    import tensorflow as tf
    low = tf.cast(x, "bfloat16").numpy()
    return tf.constant(np.asarray(low).view(np.uint16))
"""
INTEGERS = """
import tensorflow as tf
def tf_to_bf16(x):
    bits = tf.cast(tf.bitcast(x, tf.uint32), tf.int64)
    odd = tf.math.floormod(bits // 65536, 2)
    code = tf.where(tf.math.is_nan(x), tf.constant(0x7FC0, tf.int64), (bits + 32767 + odd) // 65536)
    return tf.cast(code, tf.uint16)
"""
FLAT = """
import tensorflow as tf
def tf_accumulate(a, b, narrow, every):
    total = partial = tf.constant(0.0)
    for i in range(a.shape[0]):
        partial = tf.cast(tf.cast(partial + a[i] * b[i], narrow), tf.float32)
        if (i + 1) % every == 0:
            total, partial = total + partial, tf.constant(0.0)
    return total + partial
"""
NUMPY_SUM = """
import numpy as np
import tensorflow as tf
def tf_accumulate(a, b, narrow, every):
    low = narrow.as_numpy_dtype
    products = a.numpy() * b.numpy()
    total = np.float32(0)
    for part in np.split(products, range(every, len(products), every)):
        partial = low(0)
        for product in part:
            partial = low(np.float32(partial) + product)
        total = np.float32(total + np.float32(partial))
    return tf.constant(total)
"""

RIGHT = {
    "a view in numpy": NUMPY,
    "integers": INTEGERS,
    "one loop with a remainder": FLAT,
    "numpy types": NUMPY_SUM,
    "unstacked": swap(
        "tf_accumulate",
        "for product in products[start : start + every]:",
        "for product in tf.unstack(products[start : start + every]):",
    ),
}
