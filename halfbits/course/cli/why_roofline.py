"""`python course.py why` where no record tells: the least times of the whole model, and how far
recorded kernels are from such times."""

from __future__ import annotations

import statistics
from dataclasses import replace

from halfbits.perf.architecture.schemes import scheme
from halfbits.perf.fit import Fit
from halfbits.perf.gap import FUSED, gap

SAME = "bf16 is what the other formats are compared with; name another by --weights."


def report(name: str, fit: Fit, missing: str) -> list[str]:
    """The lines: what is missing, sizes, a table, the gain at best, its cause, and the error."""
    base = replace(fit, weights=scheme("bf16"))
    load = fit.load
    return [
        f"From the roofline alone: {missing}",
        "",
        *capacity(fit, "At best it would take:"),
        f"All of {name} on the {fit.card.name}, one new token for each of {load.batch}, "
        f"{load.context} tokens seen, at best:",
        "",
        *table(base, fit),
        "",
        gain(base, fit),
        cause(fit),
        "",
        *error(fit),
    ]


def capacity(fit: Fit, then: str) -> list[str]:
    """What the whole model needs, when the card cannot hold it: the speed is then no question."""
    weights, cache = fit.weight_bytes / 1e9, fit.load.batch * fit.row_bytes / 1e9
    memory = fit.card.memory / 1e9
    if weights + cache <= memory:
        return []
    source = "the driver reports" if fit.card.memory_source else "the card has"
    return [
        f"This does not fit: the weights are {weights:,.1f} GB and the KV cache {cache:,.1f} GB, "
        f"{source} {memory:,.1f} GB. {then}",
        "",
    ]


def parts(fit: Fit) -> dict[str, float]:
    """Least seconds to read the weights, to read the caches, and to multiply."""
    work = fit.decode()
    cache = fit.load.batch * fit.row_bytes
    still = replace(fit.card, bandwidth=float("inf"))
    return {
        "reading the weights": (work.nbytes - cache) / fit.card.bandwidth,
        "reading the KV cache": cache / fit.card.bandwidth,
        "arithmetic": replace(fit, card=still).step_seconds(),
    }


def table(base: Fit, fit: Fit) -> list[str]:
    """Milliseconds of each part, for bf16 and for the format; the step is the longer of both
    reads together and the arithmetic."""
    own, other = parts(base), parts(fit)
    head = f"{'milliseconds':30s}{'bf16':>10s}{fit.weights.name:>20s}"
    lines = [f"{name:30s}{1e3 * own[name]:10.3f}{1e3 * other[name]:20.3f}" for name in own]
    step = f"{'a step':30s}{1e3 * base.step_seconds():10.3f}{1e3 * fit.step_seconds():20.3f}"
    return [head, *lines, step]


def gain(base: Fit, fit: Fit) -> str:
    """How many times faster than bf16 at best."""
    if fit.weights.name == "bf16":
        return SAME
    times = base.step_seconds() / fit.step_seconds()
    return f"{fit.weights.name}: at best {times:.2f} times faster than bf16."


def cause(fit: Fit) -> str:
    """One sentence: which part sets the least time."""
    found = parts(fit)
    weights, cache, arithmetic = found.values()
    if arithmetic > weights + cache:
        return "Arithmetic decides: smaller weights do not help; a faster type to multiply does."
    if cache > weights:
        return "The KV cache decides: smaller weights cannot help much; a smaller cache can."
    return "Reading the weights decides: fewer bytes help, as far as the kernel lets them."


def error(fit: Fit) -> list[str]:
    """How far recorded layers of this format are from the roofline, or of the formats that are
    recorded."""
    found = gap(fit.weights.format)
    if found is None:
        gaps = [made for name in FUSED if (made := gap(name))]
        least, most = min(g.slower[0] for g in gaps), max(g.slower[-1] for g in gaps)
        return [
            f"No kernel for {fit.weights.format} is recorded on any card. Of those that are, a "
            f"layer took {least:.1f} to {most:.1f} times the roofline's time."
        ]
    lines = [
        f"{FUSED[found.format]!r} as recorded on the H100 and the H200: a layer took "
        f"{found.slower[0]:.1f} to {found.slower[-1]:.1f} times the roofline's time (median "
        f"{found.typical:.1f} of {len(found.slower)})."
    ]
    if found.format != "bf16":
        lines.append(
            f"So the roofline's gain over bf16 errs by {statistics.median(found.errors):.0%} "
            f"(median), {max(found.errors):.0%} at most."
        )
    return lines
