"""`python course.py fit`: what a model takes, what is left, and how fast it can be at best."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from halfbits.checkpoints import open_checkpoint
from halfbits.checkpoints.described import config_of_gguf, scheme_of_checkpoint
from halfbits.course.cli.inspect import size
from halfbits.errors import CourseError
from halfbits.perf.architecture import ConfigError, Sizes, read_config
from halfbits.perf.architecture.published import model as published
from halfbits.perf.architecture.schemes import Scheme, scheme, scheme_of
from halfbits.perf.architecture.sizes import PARTS, sizes
from halfbits.perf.cost import Machine, hardware
from halfbits.perf.fit import USABLE, Fit, Load
from halfbits.perf.storage import storage

CHOICES = 3


@dataclass(frozen=True)
class Asked:
    """A model by name or file, and how its weights are stored."""

    name: str
    sizes: Sizes
    weights: Scheme


def run(
    name: str, cards: Sequence[str], weights: str, load: Load, count: int, as_json: bool
) -> int:
    """Print the table, or JSON. CourseError for a model, a card or a format that is not known."""
    asked = ask(name, weights)
    try:
        storage(load.cache)
    except ValueError as error:
        raise CourseError(f"{error}.") from error
    fits = [Fit(asked.sizes, asked.weights, card, load, count) for card in map(card_of, cards)]
    print(
        json.dumps([as_dict(asked, fit) for fit in fits])
        if as_json
        else "\n".join(report(asked, fits))
    )
    return 0


def ask(name: str, weights: str) -> Asked:
    """A config.json, a folder with one, a GGUF file, or a published model.

    `weights` "" means as released, or as the GGUF file has them.
    """
    path = Path(name)
    if path.suffix == ".gguf":
        checkpoint = open_checkpoint(path)
        config, stored = config_of_gguf(checkpoint), scheme_of_checkpoint(checkpoint)
    elif path.exists():
        config, stored = read_config(path), None
    else:
        config, stored = published(name).config, scheme(published(name).released)
    found = sizes(config)
    if weights:
        stored = scheme(weights)
    return Asked(path.name, found, stored or scheme_of(config, found))


def card_of(name: str) -> Machine:
    """The card whose name begins like `name`, spaces and case aside. Raises ConfigError."""
    plain = {"".join(key.lower().split()): made for key, made in hardware().items()}
    wanted = "".join(name.lower().split())
    found = [made for key, made in plain.items() if key.startswith(wanted)]
    if len(found) != 1:
        which = "several cards" if found else "no card"
        raise ConfigError(f"{which} here are called {name!r}; there are {', '.join(hardware())}.")
    return found[0]


def report(asked: Asked, fits: Sequence[Fit]) -> Iterator[str]:
    """The model, then each card."""
    found, load = asked.sizes, fits[0].load
    yield f"{asked.name}: {found.total:,} parameters in {found.layers} layers ({found.kind})"
    yield from parts(asked)
    for note in found.notes:
        yield f"({note})"
    yield ""
    yield from cache_lines(fits[0])
    for fit in fits:
        yield ""
        yield from card_lines(fit)
    yield ""
    yield (
        f"For {load.batch} row{'s' * (load.batch != 1)} of {load.context:,} tokens. Speeds are the "
        "roofline's: no kernel is faster."
    )


def parts(asked: Asked) -> Iterator[str]:
    """Parameters, those that a token reads, and bytes, by part."""
    yield f"{'':18}{'parameters':>19}{'a token reads':>19}{'bits':>7}{'bytes':>11}"
    for part in PARTS:
        count = asked.sizes.parts[part]
        read = asked.sizes.active.get(part, 0)
        if count or read:
            bits = asked.weights.bits[part]
            yield f"{part:18}{count:>19,}{read:>19,}{bits:>7.3g}{size(count * bits / 8):>11}"
    whole, all_, read = (
        asked.weights.nbytes(asked.sizes.parts),
        asked.sizes.stored,
        asked.sizes.read,
    )
    yield f"{'checkpoint':18}{all_:>19,}{read:>19,}{'':7}{size(whole):>11}"


def cache_lines(fit: Fit) -> Iterator[str]:
    """What one row keeps, and what an engine keeps that gives every layer the whole context."""
    load, per_token = fit.load, fit.sizes.cache.per_token * storage(fit.load.cache).bits / 8
    yield (
        f"Cache ({load.cache}): {per_token:,.0f} bytes a token; "
        f"{size(fit.row_bytes)} for {load.context:,} tokens of one row"
    )
    if fit.sizes.cache.is_windowed:
        yield f"  {size(fit.full_row_bytes)} in an engine that keeps windowed layers in full"
    if fit.sizes.cache.state:
        yield f"  of which {size(4 * fit.sizes.cache.state)} is state that does not grow"


def card_lines(fit: Fit) -> Iterator[str]:
    """One card: memory, what fits, how fast; else the first thing that does not fit and a way."""
    cards = f"{fit.count} x " if fit.count > 1 else ""
    yield (
        f"{cards}{fit.card.name}: {fit.count * fit.card.memory / 1e9:.1f} GB, "
        f"{fit.budget / 1e9:.1f} GB usable ({USABLE:.0%}); weights {size(fit.weight_bytes)}"
    )
    if failing := fit.what_fails():
        yield f"  does not fit: {failing}"
        yield from (f"  would fit: {line}" for line in choices(fit))
        return
    growing = f", {fit.tokens:,} tokens in all" if fit.tokens else ""
    yield f"  room for {fit.rows:,} rows of this length{growing}"
    yield (
        f"  at most {fit.tokens_a_second():,.0f} tokens/s, "
        f"first token after {milliseconds(fit.first_token_seconds())} ms or more"
    )


def choices(fit: Fit) -> Iterator[str]:
    """The first few that fit, each with its bytes and its speed at best."""
    found = list(fit.choices())[:CHOICES]
    if not found:
        yield "nothing that is tried here: 8 cards, 4-bit weights, an fp8 cache"
    for one in found:
        cards = f" on {one.count} cards" if one.count > fit.count else ""
        rows = f" for {one.load.batch} rows" if one.load.batch != fit.load.batch else ""
        yield (
            f"{one.weights.name} weights, {one.load.cache} cache{cards}{rows}: "
            f"{one.needed / 1e9:.1f} of {one.budget / 1e9:.1f} GB"
        )


def milliseconds(seconds: float) -> str:
    """Three digits: 0.487, 95.8, 2,600."""
    return f"{1e3 * seconds:.3g}" if seconds < 1 else f"{1e3 * seconds:,.0f}"


def as_dict(asked: Asked, fit: Fit) -> dict[str, object]:
    """Numbers of one card for programs: bytes, seconds, counts."""
    return {
        "model": asked.name,
        "kind": asked.sizes.kind,
        "parameters": asked.sizes.total,
        "stored_parameters": asked.sizes.stored,
        "read_parameters": asked.sizes.read,
        "parts": dict(asked.sizes.parts),
        "weights": fit.weights.name,
        "checkpoint_bytes": fit.weights.nbytes(asked.sizes.parts),
        "card": fit.card.name,
        "cards": fit.count,
        "memory_bytes": fit.card.memory * fit.count,
        "weight_bytes": fit.weight_bytes,
        "cache": fit.load.cache,
        "cache_bytes_per_token": fit.sizes.cache.per_token * storage(fit.load.cache).bits / 8,
        "cache_bytes_per_row": fit.row_bytes,
        "cache_bytes_per_row_in_full": fit.full_row_bytes,
        "context": fit.load.context,
        "batch": fit.load.batch,
        "fits": fit.fits,
        "does_not_fit": fit.what_fails() or None,
        "rows": fit.rows,
        "tokens": fit.tokens,
        "tokens_per_second_at_most": fit.tokens_a_second(),
        "first_token_seconds_at_least": fit.first_token_seconds(),
        "choices": [f"{o.weights.name}, {o.load.cache}, {o.count}" for o in fit.choices()][
            :CHOICES
        ],
    }
