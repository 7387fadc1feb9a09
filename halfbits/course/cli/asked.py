"""What a command is asked about: a model by its name or file, and a card by a part of its name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from halfbits.checkpoints import open_checkpoint
from halfbits.checkpoints.described import config_of_gguf, scheme_of_checkpoint
from halfbits.perf.architecture import ConfigError, Sizes, read_config
from halfbits.perf.architecture.published import model as published
from halfbits.perf.architecture.schemes import Scheme, scheme, scheme_of
from halfbits.perf.architecture.sizes import sizes
from halfbits.perf.cost import Machine, hardware


@dataclass(frozen=True)
class Asked:
    """A model by name or file, and how its weights are stored."""

    name: str
    sizes: Sizes
    weights: Scheme
    config: Mapping[str, Any]
    notes: tuple[str, ...] = ()


def ask(name: str, weights: str) -> Asked:
    """A config.json, a folder with one, a GGUF file, or a published model.

    `weights` "" means as released, or as the GGUF file has them.
    """
    path, held = Path(name), None
    if path.suffix == ".gguf":
        checkpoint = open_checkpoint(path)
        held = checkpoint.parameters
        config, stored = config_of_gguf(checkpoint), scheme_of_checkpoint(checkpoint)
    elif path.exists():
        config, stored = read_config(path), None
    else:
        config, stored = published(name).config, scheme(published(name).released)
    found = sizes(config)
    if weights:
        stored = scheme(weights)
    notes = tuple(found.notes)
    if held not in (None, found.total, found.stored):
        notes += (f"the file holds {held:,} values, and its description asks for {found.total:,}",)
    return Asked(path.name, found, stored or scheme_of(config, found), config, notes)


def card_of(name: str) -> Machine:
    """The card whose name holds `name`, spaces and case aside; no number is taken for the beginning
    of another, as H20 for H200. Raises ConfigError."""
    plain = {"".join(key.lower().split()): made for key, made in hardware().items()}
    wanted = "".join(name.lower().split())
    before, after = ("(?<!\\d)" * wanted[:1].isdigit(), "(?!\\d)" * wanted[-1:].isdigit())
    whole = re.compile(before + re.escape(wanted) + after)
    found = [made for key, made in plain.items() if wanted and whole.search(key)]
    if len(found) != 1:
        which = "several cards here are" if found else "no card here is"
        raise ConfigError(f"{which} called {name!r}; there are {', '.join(hardware())}.")
    return found[0]
