"""What the interview answer on mixed precision in TensorFlow claims about Keras, by running it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch._dynamo  # noqa: F401  # loaded after TensorFlow it ends the process


@pytest.fixture(scope="module")
def tf() -> Any:
    return pytest.importorskip("tensorflow")


@pytest.fixture(scope="module")
def keras(tf: Any) -> Any:
    return pytest.importorskip("keras")


def test_a_layer_takes_the_global_policy_when_it_is_made(keras: Any) -> None:
    before = keras.config.dtype_policy()
    try:
        layer = keras.layers.Dense(2)
        keras.config.set_dtype_policy("mixed_float16")
        assert layer.dtype_policy.name == before.name
        assert keras.layers.Dense(2).dtype_policy.name == "mixed_float16"
    finally:
        keras.config.set_dtype_policy(before)


def test_a_softmax_under_mixed_float16_is_zero_below_2_to_the_minus_25(keras: Any) -> None:
    softmax = keras.layers.Softmax(dtype="mixed_float16")
    for share, positive in ((1.02, True), (0.98, False)):
        p = softmax(np.array([[0.0, np.log(share * 2**-25)]], "float32")).numpy()
        assert p.dtype == np.float16 and (p[0, 1] > 0) == positive


def test_keras_clips_a_probability_of_zero_to_1e_minus_7_and_passes_no_gradient_on(
    keras: Any, tf: Any
) -> None:
    p = tf.Variable([[1.0, 0.0]])
    with tf.GradientTape() as tape:
        loss = keras.losses.sparse_categorical_crossentropy(tf.constant([1]), p)
    assert float(loss[0]) == pytest.approx(-np.log(1e-7), rel=1e-3)
    assert float(tape.gradient(loss, p)[0, 1]) == 0


def test_only_the_wrapped_optimizer_scales_the_loss(keras: Any, tf: Any) -> None:
    plain = keras.optimizers.SGD(1.0)
    wrapped = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(1.0))
    wrapped.build([keras.Variable([1.0])])
    assert float(plain.scale_loss(tf.constant(3.0))) == 3
    assert float(wrapped.scale_loss(tf.constant(3.0))) == 3 * 2**15


def test_the_wrapped_optimizer_skips_a_step_with_an_infinite_gradient(keras: Any, tf: Any) -> None:
    weight = keras.Variable([1.0])
    optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(1.0))
    optimizer.apply([tf.constant([np.inf], "float32")], [weight])
    assert weight.numpy().tolist() == [1]
    optimizer.apply([tf.constant([2.0**14], "float32")], [weight])  # scaled by 2^14 after the skip
    assert weight.numpy().tolist() == [0]
