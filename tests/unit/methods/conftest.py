"""For the tests of the methods: a decoder small enough to try everything on."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from halfbits.models.llama import Llama, LlamaConfig

SIZES = LlamaConfig(
    vocab_size=61,
    hidden_size=32,
    intermediate_size=44,  # as in the tiny LM: no power of two, but a Hadamard matrix exists
    num_hidden_layers=2,
    num_attention_heads=4,
    num_key_value_heads=2,
    head_dim=8,
    max_position_embeddings=64,
)


@pytest.fixture
def small() -> Llama:
    """Two layers with random weights, and norm gains that differ by channel."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = Llama(SIZES).eval()
        for name, parameter in model.named_parameters():
            if "norm" in name:
                torch.nn.init.uniform_(parameter, 0.5, 2.0)
    return model.requires_grad_(False)


@pytest.fixture
def ids() -> Tensor:
    """Twelve sequences of 24 tokens."""
    return torch.randint(61, (12, 24), generator=torch.Generator().manual_seed(1))
