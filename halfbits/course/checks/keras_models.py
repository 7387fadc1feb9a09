"""What products and classifiers in TensorFlow must do; importing this imports no TensorFlow."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from halfbits.course.checks import Suite, expect, hardened, tolerance
from halfbits.course.checks.cases import each

POLICIES = {"float32": "float32", "mixed_float16": "float16", "mixed_bfloat16": "bfloat16"}


@contextlib.contextmanager
def global_policy(name: str) -> Iterator[None]:
    """The Keras policy `name` for a while, then the one before."""
    import keras

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def compute_dtypes(model: Any) -> list[str]:
    """The compute dtypes of the layers that have weights."""
    return [layer.compute_dtype for layer in model.layers if layer.weights]


class Product(Suite):
    """A function (a, b, dtype) that multiplies arrays or tensors, rounded to `dtype` first."""

    def test_returns_the_dtype_it_was_asked_for(self, answer: Any) -> None:
        """The result is a tensor of `dtype`, from arrays or tensors, by name or as tf.DType.

        It stays in TensorFlow, and the next layer expects this dtype.
        """
        import tensorflow as tf

        ones = np.ones((2, 2))
        for source in (ones, ones.astype(np.float32), ones.astype(np.float16), tf.ones((2, 2))):
            for dtype in ("float32", "float16", "bfloat16", tf.bfloat16, tf.float16):
                got = self.call(answer, source, source, dtype)
                expect.true(isinstance(got, tf.Tensor), expected="a tf.Tensor", got=got)
                expect.same(got, tf.cast(tf.fill((2, 2), 2.0), dtype))

    def test_rounds_the_operands_before_the_product(self, answer: Any) -> None:
        """a and b are rounded to dtype first.

        1 + u is a tie that rounds to 1; the hardware reads 16-bit operands, so the rounding
        happens before the product.
        """
        import tensorflow as tf

        for dtype, lost in (("float16", 2.0**-11), ("bfloat16", 2.0**-8)):
            row, ones = np.array([[1 + lost, -1.0]], np.float32), np.ones((2, 1), np.float32)
            zero = tf.zeros((1, 1), dtype)
            expect.same(self.call(answer, tf.constant(row), tf.constant(ones), dtype), zero)
            minus = np.array([[1.0, -1.0]], np.float32)
            expect.same(self.call(answer, tf.constant(minus), tf.constant(abs(row.T)), dtype), zero)
            for wide in (np.float32, np.float64):
                expect.same(self.call(answer, row.astype(wide), ones.astype(wide), dtype), zero)

    def test_multiplies_what_is_left_correctly(self, answer: Any, seed: int) -> None:
        """It is the product of the rounded operands; float16 overflows to inf.

        After the operands are rounded, it is an ordinary product, and float16 ends at 65504.
        """
        import tensorflow as tf

        draws = np.random.default_rng(seed)
        a, b = draws.standard_normal((2, 5, 8)), draws.standard_normal((2, 8, 3))
        for dtype, eps in (("float32", 2.0**-23), ("float16", 2.0**-10), ("bfloat16", 2.0**-7)):
            low_a, low_b = (tf.cast(tf.cast(x, dtype), tf.float64).numpy() for x in (a, b))
            # Eight products, seven sums, one store; eps, not eps / 2, as some kernels truncate.
            atol = 16 * eps * (np.abs(low_a) @ np.abs(low_b)) + 2.0**-24
            want = tf.cast(low_a @ low_b, dtype)
            expect.close(self.call(answer, a, b, dtype), want, atol=atol)
        big = np.full((1, 8), 300.0, np.float32)
        got = self.call(answer, big, big.T, "float16")
        expect.same(got, tf.constant([[np.inf]], tf.float16))


class PolicyClassifier(Suite):
    """A function (n_in, n_hidden, n_out, policy) that builds a two-layer Keras classifier."""

    def built(self, answer: Any, *args: Any) -> Any:
        """The answer's model, which has to have its variables."""
        model = self.call(answer, *args)
        expect.true(
            bool(model.weights),
            expected="a built model, with its variables",
            got="a model that has no variables yet",
            why="a layer makes them when it learns its input's size; keras.Input tells it",
        )
        return model

    def test_has_two_dense_layers_in_the_policys_precision(self, answer: Any) -> None:
        """Its layers with weights compute in the policy's dtype and keep float32 variables.

        The policy is there so that the two large products run in it; a mixed policy keeps
        float32 variables and casts them for the computation.
        """
        for policy, compute in POLICIES.items():
            model = self.built(answer, 6, 5, 3, policy)
            shapes = [(tuple(v.shape), str(v.dtype)) for v in model.weights]
            want = [((6, 5), "float32"), ((5,), "float32"), ((5, 3), "float32"), ((3,), "float32")]
            expect.equal(shapes, want, of="variables")
            expect.equal(compute_dtypes(model), [compute] * 2, of="compute dtypes")

    def test_returns_float32_probabilities(self, answer: Any, seed: int) -> None:
        """The model is relu between two dense layers, then softmax, with a float32 result.

        The logits of these integers are exact in every format: softmax is left.
        """
        draws = np.random.default_rng(seed)
        shapes = ((9, 6), (6, 5), (5,), (5, 3), (3,))
        x, w1, b1, w2, b2 = (draws.integers(-2, 3, shape).astype(np.float64) for shape in shapes)
        # Integers below 256, and sixteenths of them, are exact in every format: so are the logits.
        want = softmax(np.maximum(x @ w1 + b1, 0) @ (w2 / 16) + b2)
        for policy in POLICIES:
            model = self.built(answer, 6, 5, 3, policy)
            model.set_weights([w1, b1, w2 / 16, b2])
            expect.close(model(x.astype(np.float32)), want, atol=tolerance.softmax())

    def test_computes_softmax_in_float32(self, answer: Any) -> None:
        """Softmax runs in float32: a probability of 1e-8 survives and rows sum to 1.

        After softmax in 16 bits and a cast the output is float32, its digits are not.
        """
        logits = np.array([[0.0, -12.0, -17.0, -18.0]])
        for policy in POLICIES:
            model = self.built(answer, 2, 3, 4, policy)
            weights = [np.zeros(v.shape, np.float32) for v in model.weights]
            weights[-1] = logits[0].astype(np.float32)
            model.set_weights(weights)
            got, want = model(np.zeros((1, 2), np.float32)), softmax(logits)
            expect.close(got, want, atol=tolerance.softmax() * want)

    def test_leaves_the_global_policy_as_it_was(self, answer: Any) -> None:
        """The global policy is neither changed nor used.

        A changed policy changes every layer that anyone builds afterwards; the argument decides,
        not what happened to be set before.
        """
        import keras

        for outside in each({f"global policy {name}": name for name in POLICIES}):
            for policy in POLICIES:
                with global_policy(outside):
                    model = self.call(answer, 2, 3, 4, policy)
                    after = keras.config.dtype_policy().name
                expect.equal(after, outside, of="the global policy")
                expect.equal(compute_dtypes(model), [POLICIES[policy]] * 2, of="compute dtypes")
                expect.dtype(model(np.zeros((1, 2), np.float32)), "float32", of="the output")

    @hardened
    def test_leaves_the_global_policy_after_an_error(self, answer: Any) -> None:
        """An unknown policy or a negative size raises ValueError, and the policy stays.

        An error on the way must not leave the policy behind.
        """
        import keras

        unknown = ((2, 3, 4, name) for name in ("mixed_float8", "float", "flaot32"))
        for arguments in (*unknown, (2, -3, 4, "mixed_float16")):
            with global_policy("float32"):
                expect.raises(ValueError, lambda: self.call(answer, *arguments))  # noqa: B023
                after = keras.config.dtype_policy().name
            expect.equal(after, "float32", of="the global policy")


def softmax(logits: np.ndarray) -> np.ndarray:
    """The float32 softmax over the last axis, computed in float64."""
    power = np.exp(logits - logits.max(-1, keepdims=True))
    return (power / power.sum(-1, keepdims=True)).astype(np.float32)
