"""The Keras twin of the image classifier gives PyTorch's numbers."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from halfbits.models import load_fashion_mnist, load_image_mlp, load_keras_mlp

EPS32 = torch.finfo(torch.float32).eps


@pytest.mark.slow  # importing TensorFlow takes up to ten seconds
def test_both_frameworks_give_the_same_logits_within_rounding():
    images = load_fashion_mnist("test")[0][:256]
    model = load_image_mlp()
    with torch.no_grad():
        want = model(images)
    got = torch.from_numpy(np.array(load_keras_mlp()(images.numpy())))
    # Sums of 784 and 256 products in another order: eps times the root of the length, twice,
    # of sums whose parts are larger than the logits by at most the sum of their magnitudes.
    first, second = model[0], model[2]
    hidden = images.abs() @ first.weight.detach().abs().T + first.bias.detach().abs()
    parts = hidden @ second.weight.detach().abs().T + second.bias.detach().abs()
    bound = (784**0.5 + 256**0.5) * EPS32 * parts
    assert ((got - want).abs() <= bound).all()
    assert (got.argmax(1) == want.argmax(1)).float().mean() > 0.99


@pytest.mark.slow  # importing TensorFlow takes up to ten seconds
def test_a_mixed_policy_keeps_float32_variables_and_logits_and_the_global_policy():
    import keras

    before = keras.config.dtype_policy().name
    model = load_keras_mlp("mixed_bfloat16")
    images = load_fashion_mnist("test")[0][:64]
    got = torch.from_numpy(np.array(model(images.numpy())))
    with torch.no_grad():
        want = load_image_mlp()(images)
    assert keras.config.dtype_policy().name == before
    assert {v.dtype for v in model.weights} == {"float32"}
    assert got.dtype == torch.float32
    # bfloat16 keeps 8 bits: something must move, and not by more than a few percent.
    moved = (got - want).abs().max() / want.abs().max()
    assert 1e-5 < moved < 0.05
