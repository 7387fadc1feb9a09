"""Models and data that live in the repository; names load on first use, torch with them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from halfbits.evaluate import perplexity
    from halfbits.models.chat import load_chat_model
    from halfbits.models.images import load_fashion_mnist, load_image_mlp
    from halfbits.models.keras_mlp import load_keras_mlp
    from halfbits.models.outliers import plant_outliers
    from halfbits.models.tiny_lm import load_text, load_tiny_lm

_HOMES = {
    "load_chat_model": "models.chat",
    "load_fashion_mnist": "models.images",
    "load_image_mlp": "models.images",
    "load_keras_mlp": "models.keras_mlp",
    "load_text": "models.tiny_lm",
    "load_tiny_lm": "models.tiny_lm",
    "perplexity": "evaluate",
    "plant_outliers": "models.outliers",
}

__all__ = [
    "load_chat_model",
    "load_fashion_mnist",
    "load_image_mlp",
    "load_keras_mlp",
    "load_text",
    "load_tiny_lm",
    "perplexity",
    "plant_outliers",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"halfbits.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'halfbits.models' has no attribute {name!r}")
