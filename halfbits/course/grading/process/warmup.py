"""What a waiting worker does ahead of its job: each framework's first operations, which are slow.

Keras builds its first layers ten times slower than the next ones, and TensorFlow looks up each
kernel at its first call. Nothing of it is left: the names that Keras gives start anew.
"""

from __future__ import annotations

import contextlib
import sys
from typing import Any


def warm_up() -> None:
    """Run the first operations of the frameworks that are imported; never fails."""
    for name, run in (("torch", _torch), ("keras", _keras)):
        if name in sys.modules:
            with contextlib.suppress(Exception):
                run(sys.modules[name])


def _torch(torch: Any) -> None:
    for dtype in (torch.float32, torch.bfloat16, torch.float16):
        layer = torch.nn.Linear(4, 4).to(dtype)
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
            repr(torch.softmax(layer(torch.ones(2, 4, dtype=dtype)), dim=1))


def _keras(keras: Any) -> None:
    import numpy
    import tensorflow

    for policy in ("float32", "mixed_float16", "mixed_bfloat16"):
        keras.config.set_dtype_policy(policy)
        layers = keras.Input((4,)), keras.layers.Dense(4, "relu"), keras.layers.Dense(2, "softmax")
        model = keras.Sequential(layers)
        model.set_weights(model.get_weights())
        model(numpy.zeros((2, 4), numpy.float32))
        for dtype in (tensorflow.float16, tensorflow.bfloat16, tensorflow.float32):
            ones = tensorflow.cast(tensorflow.ones((4, 4)), dtype)
            tensorflow.matmul(ones, ones).numpy()
    keras.config.set_dtype_policy("float32")
    keras.backend.clear_session()
