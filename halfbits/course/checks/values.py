"""Values in words and as float64, whatever framework they come from."""

from __future__ import annotations

import math
import sys
from typing import Any

import numpy as np

SHOWN = 400  # characters
FEW = 6  # a tensor of so few numbers is shown with them


def brief(value: object) -> str:
    """`value` in at most about 400 characters."""
    try:
        text = value if isinstance(value, str) else repr(value)
    except Exception as error:
        text = f"<{type(value).__name__} whose repr raises {type(error).__name__}>"
    return text if len(text) <= SHOWN else text[: SHOWN - 2] + " …"


def describe(value: object) -> str:
    """The kind, dtype and shape of `value`: "tensor int8 [4, 8]"."""
    if value is None:
        return "None"
    if not hasattr(value, "shape") or not hasattr(value, "dtype"):
        return f"{type(value).__name__} {brief(value)}"
    kind = "tensor" if "Tensor" in type(value).__name__ else type(value).__name__
    return f"{kind} {dtype_name(value)} {list(value.shape)}"


def argument(value: Any) -> str:
    """`value` as an argument in a report: "float32 [4, 8]", "TinyLM", "0.5"."""
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.nn.Module):
        return str(getattr(value, "title", type(value).__name__))
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        text = f"{dtype_name(value)} {list(value.shape)}"
        return f"{text} {_numbers(value)}".rstrip()
    if isinstance(value, str):
        return brief(repr(value))
    plain = isinstance(value, (bool, int, float, tuple)) or "dtype" in type(value).__name__
    return brief(value) if plain else type(value).__name__


def dtype_name(value: object) -> str:
    """The dtype's name without its framework; the type's name for what has no dtype."""
    dtype = getattr(value, "dtype", type(value).__name__)
    return str(getattr(dtype, "name", dtype)).removeprefix("torch.")


def as_float64(value: Any) -> np.ndarray:
    """`value` as a float64 numpy array; every dtype the course uses converts exactly."""
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor):
        value = value.detach().cpu()
        value = value.dequantize() if value.is_quantized else value
        return value.to(torch.float64).numpy()
    if hasattr(value, "numpy"):
        value = value.numpy()
    return np.asarray(value).astype(np.float64)


def _numbers(value: Any) -> str:
    if math.prod(value.shape) > FEW:
        return ""
    try:
        numbers = as_float64(value).ravel()
    except (TypeError, ValueError, RuntimeError):
        return ""
    digits = 17 if dtype_name(value) == "float64" else 9  # enough to tell any two apart
    return f"({', '.join(f'{number:.{digits}g}' for number in numbers)})" if numbers.size else ""
