"""`python course.py fit`: what a model takes, what is left, and how fast it can be at best."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from halfbits.course.cli.asked import Asked, ask, card_of
from halfbits.course.cli.fit_json import CHOICES, as_dict
from halfbits.course.cli.inspect import size
from halfbits.errors import CourseError
from halfbits.perf.architecture.sizes import PARTS
from halfbits.perf.fit import USABLE, Fit, Load
from halfbits.perf.gap import gap
from halfbits.perf.recorded import NotRecordedError, Recorded
from halfbits.perf.storage import storage


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


def report(asked: Asked, fits: Sequence[Fit]) -> Iterator[str]:
    """The model, then each card."""
    found, load = asked.sizes, fits[0].load
    yield f"{asked.name}: {found.total:,} parameters in {found.layers} layers ({found.kind})"
    yield from parts(asked)
    for note in asked.notes:
        yield f"({note})"
    yield ""
    yield from cache_lines(fits[0])
    for fit in fits:
        yield ""
        yield from card_lines(fit)
        yield from recorded_lines(asked, fit)
    yield ""
    yield (
        f'For {load.batch} row{"s" * (load.batch != 1)} of {load.context:,} tokens. "At most" is '
        "the roofline's: no kernel is faster."
    )
    yield from unknowns(fits[0])


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


def recorded_lines(asked: Asked, fit: Fit) -> Iterator[str]:
    """What recorded kernels would reach on this card, or why no record tells."""
    if fit.what_fails():
        return
    try:
        found = Recorded.of(fit, asked.config)
        yield (
            f"  recorded kernels, {found.device}: {fit.load.batch / found.step_seconds():,.0f} "
            f"tokens/s (errs by {found.step_error():.0%})"
        )
        yield (
            f"  and the first token after {milliseconds(found.prompt_seconds())} ms "
            f"({found.prompt_implementation()}; errs by {found.prompt_error():.0%})"
        )
    except NotRecordedError as missing:
        yield f"  not from a record: {missing}"
        if known := gap(fit.weights.format):
            yield (
                f"  where {known.format} layers were recorded, they took {known.slower[0]:.1f} to "
                f"{known.slower[-1]:.1f} times the roofline's time"
            )


def unknowns(fit: Fit) -> Iterator[str]:
    """What neither a config nor a file tells, as far as it bears on these numbers."""
    yield "Not known from a config, and assumed:"
    yield f"- the engine takes {1 - USABLE:.0%} of a card for itself, activations included;"
    if fit.sizes.has_experts:
        yield "- the router spreads tokens evenly over the experts;"
    if fit.sizes.cache.state:
        yield "- the state of layers without a growing cache is kept in fp32;"
    if fit.count > 1:
        yield "- the cards divide everything evenly, and sending costs nothing;"
    yield "- the cache has no scales, and the last page of a row is full."


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
