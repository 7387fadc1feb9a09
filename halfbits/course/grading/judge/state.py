"""The global switches of torch, Keras and numpy that a correct answer leaves as they were."""

from __future__ import annotations

import os
import random
import sys
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

SEED = "torch's seed"


class Switch(NamedTuple):
    """One global setting: how to read it and how to put it back."""

    name: str
    read: Callable[[], Any]
    write: Callable[[Any], Any]


class State:
    """The switches of the frameworks that are loaded now, with references taken now."""

    def __init__(self) -> None:
        self.switches = [*_torch_switches(), *_keras_switches(), *_numpy_switches()]
        self.values = self.read()
        self.quiet = _quiet_state()

    def read(self) -> dict[str, Any]:
        return {switch.name: switch.read() for switch in self.switches}

    def changes(self) -> list[str]:
        """What differs from the state on record: "torch's grad mode: False, was True"."""
        now, was = self.read(), self.values
        return [f"{name}: {now[name]}, was {was[name]}" for name in was if now[name] != was[name]]

    def restore(self) -> None:
        """Put every switch back, and the warning filters, working directory and recursion limit."""
        now = self.read()
        for switch in self.switches:
            if now[switch.name] != self.values[switch.name]:
                switch.write(self.values[switch.name])
        filters, folder, limit = self.quiet
        warnings.filters[:] = filters  # type: ignore[index]
        sys.setrecursionlimit(limit)
        os.chdir(folder)

    def seed(self, seed: int) -> None:
        """Seed every generator, and expect torch's seed to be this one from now on."""
        random.seed(seed)
        if "numpy" in sys.modules:
            sys.modules["numpy"].random.seed(seed % 2**32)
        for switch in self.switches:
            if switch.name == SEED:
                switch.write(seed)
                self.values[SEED] = seed


def _torch_switches() -> list[Switch]:
    torch: Any = sys.modules.get("torch")
    if torch is None:
        return []
    is_on, turn, dtype_of, set_dtype = (
        torch.is_autocast_enabled,
        torch.set_autocast_enabled,
        torch.get_autocast_dtype,
        torch.set_autocast_dtype,
    )
    return [
        Switch("torch's default dtype", torch.get_default_dtype, torch.set_default_dtype),
        Switch("torch's default device", torch.get_default_device, torch.set_default_device),
        Switch("torch's grad mode", torch.is_grad_enabled, torch.set_grad_enabled),
        Switch("torch's CPU autocast", lambda: is_on("cpu"), lambda on: turn("cpu", on)),
        Switch(
            "torch's CPU autocast dtype", lambda: dtype_of("cpu"), lambda d: set_dtype("cpu", d)
        ),
        Switch(
            "torch's deterministic flag",
            torch.are_deterministic_algorithms_enabled,
            torch.use_deterministic_algorithms,
        ),
        Switch("torch's number of threads", torch.get_num_threads, torch.set_num_threads),
        # torch.manual_seed writes down its stack for CUDA, which is hidden here, at every call.
        Switch(SEED, torch.initial_seed, torch.default_generator.manual_seed),
    ]


def _keras_switches() -> list[Switch]:
    keras: Any = sys.modules.get("keras")
    if keras is None or not hasattr(keras, "config"):
        return []
    policy, config = keras.config.dtype_policy, keras.config
    return [
        Switch("Keras's dtype policy", lambda: policy().name, config.set_dtype_policy),
        Switch("Keras's floatx", config.floatx, config.set_floatx),
    ]


def _numpy_switches() -> list[Switch]:
    numpy: Any = sys.modules.get("numpy")
    if numpy is None:
        return []
    seterr = numpy.seterr
    return [Switch("numpy's error state", numpy.geterr, lambda modes: seterr(**modes))]


def _quiet_state() -> tuple[list[Any], str, int]:
    return list(warnings.filters), os.getcwd(), sys.getrecursionlimit()  # noqa: PTH109
