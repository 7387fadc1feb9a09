"""`python course.py why`: what a format does to the speed, in one table, and the cause.

From a record of the card where there is one that has the model's build and the format; else from
the roofline, with its wider error.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass, replace
from typing import Any

from halfbits.course.cli import why_roofline
from halfbits.course.cli.asked import Asked, ask, card_of
from halfbits.errors import CourseError
from halfbits.perf import records
from halfbits.perf.architecture.fields import ConfigError
from halfbits.perf.cost import Decoder, Machine, hardware
from halfbits.perf.fit import Fit, Load
from halfbits.perf.predict import Predictor, Terms, median_error
from halfbits.perf.recorded import NotRecordedError, decoder_of, implementation_of, predictor_of

NEAR = 2.0  # times a roofline's floor that still count as bound by it
SHORT = {"8b": "Llama-3.1-8B", "70b": "Llama-3.1-70B"}
TYPES = ("fp32", "fp16", "bf16", "fp8", "int8")


def run(weights: str, batch: int, device: str, model: str, context: int, kernel: str) -> int:
    """Print the prediction; CourseError for a model, a card or a format that is not known."""
    asked = ask(SHORT.get(model.lower(), model), weights.lower())
    load = Load(batch, context)
    try:
        if batch < 1:
            raise CourseError(f"--batch is {batch}; a step has at least one row.")
        question = Question.of(asked, device.lower(), load, kernel.lower())
        lines = report(question)
    except NotRecordedError as missing:
        if kernel != "fused":
            raise
        lines = why_roofline.report(asked.name, fit_on(asked, device, load), str(missing))
    print("\n".join(lines))
    return 0


@dataclass(frozen=True)
class Question:
    """A model on a recorded card, and the record's implementation for its format."""

    name: str
    predictor: Predictor
    decoder: Decoder
    fit: Fit
    implementation: str

    @classmethod
    def of(cls, asked: Asked, device: str, load: Load, kernel: str = "fused") -> Question:
        """Raises NotRecordedError when no record tells this."""
        predictor = recorded(device)
        decoder = decoder_of(asked.config)
        fit = Fit(asked.sizes, asked.weights, machine_of(predictor), load)
        implementation = implementation_of(asked.weights.format, kernel)
        if load.batch > predictor.most(implementation):
            raise NotRecordedError(
                f"{implementation!r} was measured for 1 to {predictor.most(implementation)} rows."
            )
        return cls(asked.name, predictor, decoder, fit, implementation)

    @property
    def layer(self) -> tuple[Decoder, int, int]:
        """One layer, and the rows and tokens that it sees; the widest of the windows."""
        context = self.fit.load.context
        windows = [layer.window or context for layer in self.fit.sizes.cache.layers]
        one = replace(self.decoder, layers=1)
        return one, self.fit.load.batch, min(context, max(windows))


def recorded(device: str) -> Predictor:
    """The record called `device`, or that of the card of the table with such a name. Raises
    NotRecordedError for a card without a record, CourseError for a record without layers."""
    if device not in records.known():
        return predictor_of(named(device))
    if "layers" not in (record := records.machine(device)):
        raise CourseError(
            f"The record of {device} holds products but no layers, as of a CPU; name one of a GPU."
        )
    return Predictor(record)


def named(device: str) -> Machine:
    """The card of the table. Raises CourseError with all records and cards."""
    try:
        return card_of(device)
    except ConfigError as error:
        known = ", ".join(records.known())
        raise CourseError(
            f"There is no record of {device!r}; there are {known}. Also, {error}"
        ) from error


def machine_of(predictor: Predictor) -> Machine:
    """The recorded card as the table has it, else with the limits that were measured."""
    recorded = predictor.record["hardware"]
    name = records.short_name(recorded["device"])
    for card in hardware().values():
        if records.short_name(card.name) == name:
            return card
    peak = {kind: predictor.peak(kind) for kind in TYPES}
    return Machine(recorded["device"], predictor.bandwidth, peak, recorded["memory_bytes"])


def fit_on(asked: Asked, device: str, load: Load) -> Fit:
    """The model on a card of the table, or on a recorded one."""
    try:
        card = machine_of(recorded(device.lower()))
    except NotRecordedError:
        card = named(device)
    return Fit(asked.sizes, asked.weights, card, load)


def report(asked: Question) -> list[str]:
    """The lines: sizes, a table of terms, the ratio, its cause, and how far such figures err."""
    predictor, implementation, (layer, batch, context) = (
        asked.predictor,
        asked.implementation,
        asked.layer,
    )
    base = predictor.decode("bf16", layer, batch, context)
    other = predictor.decode(implementation, layer, batch, context)
    found = predictor.errors()
    errors = found.get(implementation) or [e for part in found.values() for e in part]
    return [
        *why_roofline.capacity(asked.fit, "One layer by itself would take:"),
        f"One layer of {asked.name} on {made_by(predictor.record)}, "
        f"one new token for each of {batch}, {context} tokens seen:",
        "",
        *table(base, other, implementation),
        "",
        ratio(base, other, implementation),
        cause(predictor, implementation, layer, batch, context),
        "",
        f"From the record. Such ratios err by {statistics.median(errors):.0%} (median of "
        f"{len(errors)} measured layers that nothing was fitted to); over all implementations by "
        f"{median_error(predictor):.0%}.",
    ]


def made_by(record: dict[str, Any]) -> str:
    """The card, and the version of the course's kernels that its record measured."""
    version = record.get("kernels", 1)  # a record of before versions were kept
    return f"{record['hardware']['device']} (kernels of version {version})"


def ratio(base: Terms, other: Terms, implementation: str) -> str:
    """How many times faster or slower than bf16."""
    if implementation == "bf16":
        return why_roofline.SAME
    gain = base.total / other.total
    word = "faster" if gain >= 1 else "slower"
    return f"{implementation}: {max(gain, 1 / gain):.2f} times {word} than bf16."


def table(base: Terms, other: Terms, implementation: str) -> list[str]:
    """Microseconds of each term, for bf16 and for `implementation`."""
    named = {
        "products with the weights": lambda t: t.weights,
        "attention over the KV cache": lambda t: t.cache,
        "the rest": lambda t: t.rest,
        "all": lambda t: t.total,
    }
    head = f"{'microseconds':30s}{'bf16':>9s}{implementation.split(',')[0]:>12s}"
    return [head] + [
        f"{name:30s}{1e6 * term(base):9.0f}{1e6 * term(other):12.0f}"
        for name, term in named.items()
    ]


def cause(
    predictor: Predictor, implementation: str, layer: Decoder, batch: int, context: int
) -> str:
    """One sentence: which term decides, and what bounds it."""
    terms = predictor.decode(implementation, layer, batch, context)
    read, count = predictor.floors(implementation, layer, batch)
    if terms.cache > terms.weights:
        return "The KV cache decides: smaller weights cannot help much; a smaller cache can."
    if terms.rest > terms.weights:
        return "The rest decides: norms, rounding and launches take longer than the products."
    over = terms.weights / max(read, count)
    if over > NEAR:
        return (
            f"The kernel decides: its products take {over:.1f} times what reading the weights "
            f"or the arithmetic would. "
            f"{better_kernel(implementation, predictor.record.get('kernels', 1))}"
        )
    if read > count:
        return "Reading the weights decides: the kernel is near the bandwidth; fewer bytes help."
    return "Arithmetic decides: smaller weights do not help; a faster type to multiply does."


def better_kernel(implementation: str, version: int) -> str:
    """Whether a faster kernel for these weights is known, and where."""
    if implementation.endswith("converted in each call"):
        return "It writes a converted copy; one that reads the codes is known: --kernel fused."
    if "torch" in implementation:
        return "A faster one is known: --kernel fused."
    newest = records.load("h200")["kernels"]
    if "ours" in implementation and version < newest:
        return f"Version {newest} of these kernels loses less, in the H200's record."
    return "Published kernels such as Marlin are made for such batches; none is in this record."
