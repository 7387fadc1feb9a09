"""What a layer with quantized weights stores: its codes, its scales, its bias, and their bytes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from halfbits.course.checks import expect
from halfbits.course.checks.values import describe


def nbytes(module: nn.Module) -> int:
    """The bytes of the module's state_dict."""
    return sum(value.numel() * value.element_size() for value in module.state_dict().values())


def contents(module: nn.Module) -> dict[str, str]:
    """The state_dict in words."""
    return {name: describe(value) for name, value in module.state_dict().items()}


def codes_of(layer: nn.Module) -> tuple[str, Tensor]:
    """The name and the tensor of the one int8 entry of the state_dict."""
    found = [(n, v) for n, v in layer.state_dict().items() if v.dtype == torch.int8]
    expect.true(
        len(found) == 1,
        expected="exactly one int8 tensor in the state_dict: the codes",
        got=contents(layer),
        why="what is not in the state_dict is not saved; what is not int8 saves no bytes",
    )
    return found[0]


def scale_of(layer: nn.Module, linear: nn.Linear) -> Tensor:
    """The one scale [out, 1] of the state_dict, which is float32 and not the bias."""
    floats = [v for v in layer.state_dict().values() if v.dtype == torch.float32]
    scales = [v for v in floats if linear.bias is None or not same_numbers(v, linear.bias)]
    right = len(scales) == 1 and scales[0].numel() == linear.out_features
    expected = "one float32 scale for each output channel, and the bias if there is one"
    why = "codes alone cannot be turned back into weights"
    expect.true(right, expected=expected, got=contents(layer), why=why)
    return scales[0].reshape(-1, 1)


def dequantized(layer: nn.Module, linear: nn.Linear) -> Tensor:
    """codes * scale in float64, read from the layer's own state_dict."""
    return codes_of(layer)[1].double() * scale_of(layer, linear).double()


@contextlib.contextmanager
def replaced(layer: nn.Module, name: str, value: Tensor) -> Iterator[None]:
    """The layer with another tensor in its state_dict for a while."""
    before = {key: kept.clone() for key, kept in layer.state_dict().items()}
    layer.load_state_dict({**before, name: value})
    yield
    layer.load_state_dict(before)


def same_numbers(value: Tensor, bias: Tensor) -> bool:
    """Whether a stored tensor holds the numbers of `bias`, in any shape."""
    return value.numel() == bias.numel() and bool((value.reshape(-1) == bias).all())
