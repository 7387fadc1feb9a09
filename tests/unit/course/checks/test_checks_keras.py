"""Each claim on functions in TensorFlow accepts a right one and rejects its mistake."""

from __future__ import annotations

import pytest
from suites import answer_of, claims, verdict

from halfbits.course.checks.keras_models import PolicyClassifier, Product

PRODUCT = Product("multiply")
CLASSIFIER = PolicyClassifier("build")
SOURCE = """
def multiply(a, b, dtype):
    import tensorflow as tf
    return tf.matmul(tf.cast(a, dtype), tf.cast(b, dtype))
def build(n_in, n_hidden, n_out, policy):
    import keras
    return keras.Sequential([
        keras.Input((n_in,)),
        keras.layers.Dense(n_hidden, activation="relu", dtype=policy),
        keras.layers.Dense(n_out, dtype=policy),
        keras.layers.Softmax(dtype="float32"),
    ])
"""
BODY = "tf.matmul(tf.cast(a, dtype), tf.cast(b, dtype))"
LATE = BODY.replace("dtype", "tf.float32")
SOFTMAX = 'keras.layers.Softmax(dtype="float32")'
SET = "import keras; keras.config.set_dtype_policy(policy)"
WRONG = {
    PRODUCT: {
        "test_returns_the_dtype_it_was_asked_for": [(BODY, LATE), (BODY, f"{BODY}.numpy()")],
        "test_rounds_the_operands_before_the_product": [
            (BODY, f"tf.cast({LATE}, dtype)"),
            (BODY, "tf.cast(tf.matmul(tf.cast(tf.cast(a, dtype), 'float32'), b), dtype)"),
        ],
        "test_multiplies_what_is_left_correctly": [
            (BODY, f"{BODY} * 1.1"),
            (BODY, BODY.replace("(b, dtype)", "(b, dtype)[..., ::-1]")),
        ],
    },
    CLASSIFIER: {
        "test_has_two_dense_layers_in_the_policys_precision": [
            ("n_out, dtype=policy", "n_out, dtype='float32'"),
            ("keras.Input((n_in,)),", ""),
        ],
        "test_returns_float32_probabilities": [
            (', activation="relu"', ""),
            (SOFTMAX, "keras.layers.Activation('linear', dtype='float32')"),
        ],
        "test_computes_softmax_in_float32": [(SOFTMAX, "keras.layers.Softmax(dtype=policy)")],
        "test_leaves_the_global_policy_as_it_was": [
            ("import keras", SET),
            ("n_out, dtype=policy", "n_out"),
            (SOFTMAX, "keras.layers.Softmax()"),
        ],
        "test_leaves_the_global_policy_after_an_error": [
            ("import keras", SET),
            ("import keras", "import keras; n_hidden = abs(n_hidden)"),
        ],
    },
}
CASES = [(suite, claim) for suite in WRONG for claim in claims(suite)]


@pytest.mark.parametrize(("suite", "claim"), CASES, ids=lambda one: getattr(one, "task", one))
def test_a_function_in_tensorflow_is_judged_by_each_claim(suite, claim: str) -> None:
    assert verdict(suite, claim, answer_of(SOURCE)) == ""
    for swaps in WRONG[suite][claim]:
        assert verdict(suite, claim, answer_of(SOURCE, *swaps)), swaps
