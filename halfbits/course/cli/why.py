"""`python course.py why`: what a format does to the speed, in one table, and the cause."""

from __future__ import annotations

import statistics
from typing import Any

from halfbits.errors import CourseError
from halfbits.kernels import VERSION
from halfbits.perf import records
from halfbits.perf.cost import llama_3
from halfbits.perf.predict import MODELS, Predictor, Terms, format_of, median_error

KERNELS = {
    ("bf16", "fused"): "bf16",
    ("fp8", "fused"): "fp8",
    ("int8", "fused"): "int8, ours",
    ("int4", "fused"): "int4 g128, ours",
    ("int8", "converted"): "int8, converted in each call",
    ("int4", "converted"): "int4 g128, converted in each call",
    ("int4", "torch"): "int4 g128, torch _weight_int4pack_mm",
}
NEAR = 2.0  # times a roofline's floor that still count as bound by it


def run(weights: str, batch: int, device: str, model: str, context: int, kernel: str) -> int:
    """Print the prediction; CourseError for what no record or kernel covers."""
    record = records.machine(device.lower())
    if "layers" not in record:
        raise CourseError(
            f"The record of {device} holds products but no layers, as of a CPU; name one of a GPU."
        )
    predictor = Predictor(record)
    way = way_of(predictor, weights.lower(), kernel.lower(), batch)
    print("\n".join(report(predictor, way, model.upper(), batch, context)))
    return 0


def way_of(predictor: Predictor, weights: str, kernel: str, batch: int) -> str:
    """The record's way for a format and a kernel. CourseError when there is none, or too few rows
    were measured."""
    if (weights, kernel) not in KERNELS:
        known = "; ".join(f"--weights {w} --kernel {k}" for w, k in KERNELS)
        raise CourseError(f"There is no kernel {kernel!r} for {weights!r}; there are {known}.")
    way = KERNELS[weights, kernel]
    if batch < 1 or batch > predictor.most(way):
        raise CourseError(
            f"--batch is {batch}; {way!r} was measured for 1 to {predictor.most(way)} rows."
        )
    return way


def report(predictor: Predictor, way: str, model: str, batch: int, context: int) -> list[str]:
    """The lines: sizes, a table of terms, the ratio, its cause, and how far such figures err."""
    if model not in MODELS:
        raise CourseError(f"There is no model {model!r}; there are {', '.join(MODELS)}.")
    sizes = MODELS[model], batch, context
    base, other = predictor.decode("bf16", *sizes), predictor.decode(way, *sizes)
    found = predictor.errors()
    errors = found.get(way) or [e for part in found.values() for e in part]
    return [
        *capacity(predictor, way, model, batch, context),
        f"One layer of a Llama {model} on {made_by(predictor.record)}, "
        f"one new token for each of {batch}, {context} tokens seen:",
        "",
        *table(base, other, way),
        "",
        ratio(base, other, way),
        cause(predictor, way, *sizes),
        "",
        f"Such ratios err by {statistics.median(errors):.0%} (median of {len(errors)} measured "
        f"layers that nothing was fitted to); over all ways by {median_error(predictor):.0%}.",
    ]


def made_by(record: dict[str, Any]) -> str:
    """The card, and the version of the course's kernels that its record measured."""
    version = record.get("kernels", 1)  # a record of before versions were kept
    return f"{record['hardware']['device']} (kernels of version {version})"


def capacity(predictor: Predictor, way: str, model: str, batch: int, context: int) -> list[str]:
    """What the whole model needs, when the card cannot hold it: the speed is then no question."""
    sizes = llama_3(int(model.removesuffix("B")))
    weights = sizes.stored(format_of(way)).total / 1e9
    cache = batch * context * sizes.kv_bytes("bf16") / 1e9
    memory = predictor.record["hardware"]["memory_bytes"] / 1e9
    if weights + cache <= memory:
        return []
    return [
        f"This does not fit: the weights are {weights:,.1f} GB and the KV cache {cache:,.1f} GB, "
        f"the driver reports {memory:,.1f} GB. One layer by itself would take:",
        "",
    ]


def ratio(base: Terms, other: Terms, way: str) -> str:
    """How many times faster or slower than bf16."""
    if way == "bf16":
        return "bf16 is what the other formats are compared with; name another by --weights."
    gain = base.total / other.total
    word = "faster" if gain >= 1 else "slower"
    return f"{way}: {max(gain, 1 / gain):.2f} times {word} than bf16."


def table(base: Terms, other: Terms, way: str) -> list[str]:
    """Microseconds of each term, for bf16 and for `way`."""
    named = {
        "products with the weights": lambda t: t.weights,
        "attention over the KV cache": lambda t: t.cache,
        "the rest": lambda t: t.rest,
        "all": lambda t: t.total,
    }
    head = f"{'microseconds':30s}{'bf16':>9s}{way.split(',')[0]:>12s}"
    return [head] + [
        f"{name:30s}{1e6 * term(base):9.0f}{1e6 * term(other):12.0f}"
        for name, term in named.items()
    ]


def cause(predictor: Predictor, way: str, model: object, batch: int, context: int) -> str:
    """One sentence: which term decides, and what bounds it."""
    terms = predictor.decode(way, model, batch, context)  # type: ignore[arg-type]
    read, count = predictor.floors(way, model, batch)  # type: ignore[arg-type]
    if terms.cache > terms.weights:
        return "The KV cache decides: smaller weights cannot help much; a smaller cache can."
    if terms.rest > terms.weights:
        return "The rest decides: norms, rounding and launches take longer than the products."
    over = terms.weights / max(read, count)
    if over > NEAR:
        return (
            f"The kernel decides: its products take {over:.1f} times what reading the weights "
            f"or the arithmetic would. {better_kernel(way, predictor.record.get('kernels', 1))}"
        )
    if read > count:
        return "Reading the weights decides: the kernel is near the bandwidth; fewer bytes help."
    return "Arithmetic decides: smaller weights do not help; a faster type to multiply does."


def better_kernel(way: str, version: int) -> str:
    """Whether a faster kernel for these weights is known, and where."""
    if way.endswith("converted in each call"):
        return "It writes a converted copy; one that reads the codes is known: --kernel fused."
    if "torch" in way:
        return "A faster one is known: --kernel fused."
    if "ours" in way and version < VERSION:
        return f"Version {VERSION} of these kernels loses less, in the H200's record."
    return "Published kernels such as Marlin are made for such batches; none is in this record."
