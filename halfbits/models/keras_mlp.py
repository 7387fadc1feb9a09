"""The image classifier in Keras, with the same weights as the PyTorch one."""

from __future__ import annotations

from typing import Any

HIDDEN, CLASSES, PIXELS = 256, 10, 784


def load_keras_mlp(dtype_policy: str = "float32") -> Any:
    """A Keras model [n, 784] -> float32 logits [n, 10] with the weights of `load_image_mlp`.

    `dtype_policy` is given to every layer by name ("mixed_bfloat16", say), so the global policy
    stays as it is. The last layer computes and answers in float32 under any policy.
    """
    # TensorFlow takes seconds to import; everything else in the package must not wait for it.
    import keras
    from torch import nn

    from halfbits.models.images import load_image_mlp

    model = keras.Sequential(
        [
            keras.layers.Input((PIXELS,), dtype="float32"),
            keras.layers.Dense(HIDDEN, activation="relu", dtype=dtype_policy, name="hidden"),
            keras.layers.Dense(CLASSES, dtype="float32", name="logits"),
        ],
        name="image_mlp",
    )
    linears = [m for m in load_image_mlp() if isinstance(m, nn.Linear)]
    for layer, linear in zip(model.layers, linears, strict=True):
        # Keras keeps [in, out], PyTorch [out, in].
        layer.set_weights([linear.weight.detach().numpy().T, linear.bias.detach().numpy()])
    return model
