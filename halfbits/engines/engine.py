"""What every engine can do here: logits of a text, a greedy continuation, and what it ran."""

from __future__ import annotations

from abc import ABC, abstractmethod
from importlib.metadata import PackageNotFoundError, version

import torch
from torch import Tensor, nn

from halfbits.errors import CourseError


class MissingEngineError(CourseError):
    """An engine's package is not installed; the sentence says which command installs it."""


class Engine(ABC):
    """A model that is open in one engine, on one thread. Close it, or use it in `with`."""

    name: str
    package: str

    @abstractmethod
    def logits(self, ids: Tensor) -> Tensor:
        """Float32 [tokens, vocabulary] for token ids int64 [tokens], each from those before it."""

    @abstractmethod
    def greedy(self, ids: Tensor, count: int) -> list[int]:
        """The `count` most likely next tokens after int64 [tokens], one after the other."""

    @abstractmethod
    def what_ran(self) -> str:
        """What the engine says of its own products: operators, types, or kernels."""

    def close(self) -> None:
        """Give the engine's memory back; nothing else may be called afterwards."""
        return

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def version(self) -> str:
        """The installed version of the engine's package."""
        return version(self.package)


class _AsModule(nn.Module):
    def __init__(self, engine: Engine) -> None:
        super().__init__()
        self.engine = engine

    def forward(self, ids: Tensor) -> Tensor:
        return torch.stack([self.engine.logits(row) for row in ids])


def as_module(engine: Engine) -> nn.Module:
    """The engine as a model from ids [batch, tokens] to logits [batch, tokens, vocabulary].

    So `halfbits.evaluate` judges it like any other.
    """
    return _AsModule(engine)


def need(package: str, install: str) -> None:
    """Raise MissingEngineError with the command `install` when `package` is not there."""
    try:
        version(package)
    except PackageNotFoundError as error:
        raise MissingEngineError(f"{package} is not installed: run `{install}`.") from error
