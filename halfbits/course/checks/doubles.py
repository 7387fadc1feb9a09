"""Small models and loaders that stand in for real ones and write down what is done to them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from halfbits.course.checks.cases import generator, normal

THIRD = 1 / 3  # not a number of any 16-bit format


class TinyLM(nn.Module):
    """Embedding, LayerNorm, tied head: token ids [..., t] to logits [..., t, 32]."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(32, 16)
        self.norm = nn.LayerNorm(16)
        self.head = nn.Linear(16, 32, bias=False)
        self.head.weight = self.embedding.weight

    def forward(self, ids: Tensor) -> Tensor:
        return self.head(self.norm(self.embedding(ids)))


class Block(nn.Module):
    """A pre-norm block with learned positions, float buffers, an index, a mask and a scalar.

    `gain` and `order` are in no state_dict: persistent=False.
    """

    title = "a block with positions, a gain and a mask"

    def __init__(self) -> None:
        super().__init__()
        self.position = nn.Parameter(torch.full((4, 8), THIRD))
        self.temperature = nn.Parameter(torch.tensor(THIRD))
        self.register_buffer("gain", torch.full((8,), THIRD), persistent=False)
        self.register_buffer("bias_mask", torch.tensor([0.0, float("-inf")]))
        self.register_buffer("order", torch.arange(4) * 100_000, persistent=False)
        self.register_buffer("keep", torch.tensor([True, False, True, True]))
        self.norm = nn.RMSNorm(8)
        self.linear = nn.Linear(8, 8)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.linear(self.norm(x + self.position)) * self.gain * self.temperature


class ConvNet(nn.Sequential):
    """[n, 3, 2, 2]: Conv, BatchNorm with running statistics that float16 cannot hold, Linear."""

    def __init__(self) -> None:
        norm = nn.BatchNorm2d(4)
        super().__init__(nn.Conv2d(3, 4, 1), norm, nn.ReLU(), nn.Flatten(), nn.Linear(16, 5))
        norm.weight.data.fill_(1e3)
        norm.running_var.fill_(1e6)  # type: ignore[union-attr]
        norm.running_mean.fill_(THIRD)  # type: ignore[union-attr]


class Adapter(nn.Module):
    """A layer without children that runs another, which it does not own; no `weight` of its own."""

    def __init__(self, base: nn.Module) -> None:
        super().__init__()
        self.base, self.gain = [base], nn.Parameter(torch.ones(8))

    def forward(self, x: Tensor) -> Tensor:
        return self.base[0](x) * self.gain


def adapted() -> nn.Sequential:
    """A layer of 8 features, and an adapter that runs it once more."""
    base = nn.Linear(8, 8)
    return nn.Sequential(base, Adapter(base))


class Residual(nn.Module):
    """x + linear(x): under autocast the sum of float32 and 16 bits is float32."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(8, 8)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.linear(x)


class TwoOutputs(nn.Module):
    """A model that returns a dict."""

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        return {"twice": 2 * x, "shape": torch.tensor(x.shape)}


class Numbered:
    """A function that pickle copies by its number, so that a lambda can be copied as well.

    The copy belongs to the same process.
    """

    every: ClassVar[list[Callable[..., Tensor]]] = []

    def __init__(self, number: int) -> None:
        self.number = number

    def __call__(self, x: Tensor) -> Tensor:
        return self.every[self.number](x)


class Does(nn.Module):
    """A layer without children that computes `of(x)`."""

    def __init__(self, of: Callable[..., Tensor]) -> None:
        super().__init__()
        Numbered.every.append(of)
        self.of = Numbered(len(Numbered.every) - 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.of(x)


class Broken(nn.Module):
    """A model that raises `error`."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error

    def forward(self, x: Tensor) -> Tensor:
        raise self.error


class Table(nn.Module):
    """A model that looks its logits up: input [n, 1] holds row numbers. It notes each call."""

    def __init__(self, logits: Tensor) -> None:
        super().__init__()
        self.register_buffer("logits", logits)
        self.anchor = nn.Parameter(torch.zeros(()))  # gives every output a graph, if one is built
        self.calls: list[tuple[Tensor, bool, bool]] = []

    def forward(self, x: Tensor) -> Tensor:
        logits: Any = self.logits
        out = logits[x[:, 0].long()] + self.anchor.to(logits.dtype)
        self.calls.append((x.clone(), self.training, torch.is_grad_enabled()))
        return out


class Once:
    """A loader that can be read only once, like a generator, and counts the readings."""

    def __init__(self, batches: list[Any]) -> None:
        self.batches, self.readings = batches, 0

    def __iter__(self) -> Iterator[Any]:
        self.readings += 1
        yield from self.batches if self.readings == 1 else ()


class Watched:
    """A loader that writes down, at each batch, how many batches before it `model` has not had."""

    def __init__(self, batches: list[Any], model: Table) -> None:
        self.batches, self.model, self.waiting = batches, model, [0]

    def __iter__(self) -> Iterator[Any]:
        for number, batch in enumerate(self.batches):
            self.waiting.append(number - len(self.model.calls))
            yield batch


class Shuffled:
    """A loader that gives the same examples in a new order at every reading."""

    def __init__(self, x: Tensor, y: Tensor, size: int, seed: int) -> None:
        self.x, self.y, self.size, self.generator = x, y, size, generator(seed)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        for batch in torch.randperm(len(self.x), generator=self.generator).split(self.size):
            yield self.x[batch], self.y[batch]


class BreaksOff:
    """A loader that raises `error` after its batches."""

    def __init__(self, batches: Iterable[Any], error: BaseException) -> None:
        self.batches, self.error = batches, error

    def __iter__(self) -> Iterator[Any]:
        yield from self.batches
        raise self.error


def scaled(factor: float) -> nn.Module:
    """A float16 model whose logits are `factor` times its input [..., 4]."""
    model = nn.Linear(4, 4, bias=False)
    model.weight = nn.Parameter(torch.eye(4) * factor)
    return model.half().eval()


def mixed_modes(seed: int, n_in: int = 6, n_out: int = 5) -> nn.Sequential:
    """A model with dropout and batch normalization, left in a mixture of modes."""
    with torch.random.fork_rng(devices=[]):  # skip_init would import SymPy, a third of a second
        norm = nn.BatchNorm1d(16)
        inner = nn.Sequential(nn.ReLU(), nn.Linear(16, n_out))
        model = nn.Sequential(nn.Linear(n_in, 16), norm, nn.Dropout(0.5), inner)
    with torch.no_grad():
        for number, parameter in enumerate(model.parameters()):
            parameter.copy_(normal(seed + number, *parameter.shape))
        norm.running_mean.copy_(normal(seed + 50, 16))  # type: ignore[union-attr]
    model.train()
    norm.eval()  # a frozen normalization inside a model in training
    return model
