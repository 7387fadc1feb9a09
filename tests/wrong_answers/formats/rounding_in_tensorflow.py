"""Wrong answers to formats/rounding_in_tensorflow: each is one misconception."""

BITS = "tf.bitcast(tf.cast(x, tf.bfloat16), tf.uint16)"
WIDE = "tf.cast(tf.bitcast(x, tf.uint32), tf.int64)"
STEP = "tf.cast(tf.cast(partial, tf.float32) + product, narrow)"
PROMOTED = "total = total + tf.cast(partial, tf.float32)"
PARTIAL = "partial = tf.zeros((), narrow)"
LOOP = "for product in products[start : start + every]:"

EQUIVALENT: dict[str, str] = {}

WRONG = {
    "test_again_reads_its_arguments_at_every_call": [
        (
            "remembers by id",
            "is used again",
            BITS,
            f"tf_to_bf16.__dict__.setdefault(id(x), {BITS})",
        ),
    ],
    "test_sum_again_reads_its_arguments_at_every_call": [
        (
            "remembers by id",
            "is used again",
            "a * b",
            "tf_accumulate.__dict__.setdefault((id(a), id(b)), a * b)",
        ),
    ],
    "test_numbers_go_to_the_nearer_neighbor": [
        ("cut off", "toward zero", BITS, f"tf.cast({WIDE} // 2**16, tf.uint16)"),
        ("two axes refused", "raised", BITS, f"{BITS} if len(x.shape) != 2 else 1 / 0"),
        ("nothing is refused", "raised", BITS, f"{BITS} if 0 not in x.shape else 1 / 0"),
        ("float16", "expected", BITS, BITS.replace("bfloat16", "float16")),
        (
            "the value as an integer",
            "expected",
            BITS,
            "tf.cast(tf.cast(x, tf.bfloat16), tf.uint16)",
        ),
        ("the number itself", "uint16", BITS, "tf.cast(x, tf.bfloat16)"),
    ],
    "test_ties_are_even_and_the_largest_becomes_infinite": [
        ("ties up", "expected", BITS, f"tf.cast(({WIDE} + 0x8000) // 2**16, tf.uint16)"),
        (
            "clamped to the largest",
            "expected",
            BITS,
            BITS.replace("tf.cast(x,", "tf.cast(tf.clip_by_value(x, -3.3895e38, 3.3895e38),"),
        ),
    ],
    "test_nan_stays_nan": [
        ("cut off", "0x7f80", BITS, f"tf.cast({WIDE} // 2**16, tf.uint16)"),
        (
            "rounded as a number",
            "0x7f81",
            BITS,
            f"tf.cast(({WIDE} + 0x7FFF + {WIDE} // 2**16 % 2) // 2**16 % 2**16, tf.uint16)",
        ),
    ],
    "test_sum_stops_growing_without_a_promotion": [
        (
            "rounded at the end",
            "the tie",
            STEP,
            "tf.cast(partial, tf.float32) + product",
            PROMOTED,
            "total = total + tf.cast(tf.cast(partial, narrow), tf.float32)",
        ),
        ("the built-in sum", "the tie", "return total", "return tf.reduce_sum(products)"),
    ],
    "test_promotion_lets_the_total_grow": [
        (
            "never promoted",
            "expected",
            "range(0, len(products), every)",
            "range(0, len(products), len(products))",
            LOOP,
            "for product in products:",
        ),
        (
            "a narrow total",
            "never rounded",
            PROMOTED,
            "total = tf.cast(tf.cast(total + tf.cast(partial, tf.float32), narrow), tf.float32)",
        ),
        ("the last stretch alone", "expected", PROMOTED, "total = tf.cast(partial, tf.float32)"),
    ],
    "test_partial_sum_beyond_its_type_is_infinite": [
        ("clamped", "inf", STEP, f"tf.clip_by_value({STEP}, narrow.min, narrow.max)"),
        (
            "infinities are left out",
            "inf",
            PROMOTED,
            "total += tf.cast(tf.where(tf.math.is_finite(partial), partial, 0), tf.float32)",
        ),
    ],
    "test_every_addition_is_rounded_in_order": [
        (
            "operands in the narrow type",
            "last bits",
            "a * b",
            "tf.cast(tf.cast(a, narrow) * tf.cast(b, narrow), tf.float32)",
        ),
        (
            "added in float64",
            "last bits",
            STEP,
            "tf.constant((partial.numpy().astype(float) + product.numpy())"
            ".astype(narrow.as_numpy_dtype))",
        ),
        (
            "partial sums added at once",
            "last bits",
            "products, total = a * b, tf.zeros(())",
            "products, parts = a * b, []",
            PROMOTED,
            "parts.append(tf.cast(partial, tf.float32))",
            "return total",
            "return tf.reduce_sum(tf.stack(parts))",
        ),
        ("backwards", "last bits", "a * b", "tf.reverse(a * b, [0])"),
    ],
}
