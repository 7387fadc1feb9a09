"""`python course.py load`: an open load to a server on this machine, and what its users felt."""

from __future__ import annotations

import json
import math
import sys
from importlib.resources import files
from random import Random
from statistics import median
from typing import TYPE_CHECKING

from halfbits.errors import CourseError

if TYPE_CHECKING:
    from halfbits.serving.load import Load

PERCENTS = (50, 95, 99)


def run(
    engine: str,
    rate: float,
    seconds: float,
    words: int,
    answer: int,
    ttft_limit: float,
    tpot_limit: float,
    as_json: bool,
) -> int:
    """Send the load and print the report; status 1 when a request failed, CourseError when none
    was served."""
    from halfbits.serving import load_report
    from halfbits.serving.client import find
    from halfbits.serving.load import arrivals, send

    requests = arrivals(rate, seconds, answer)
    if words < 1:
        raise CourseError(f"--words is {words}; a number above 0 was expected.")
    server = find(engine)
    load = send(server, requests, prompts(len(requests), words))
    if not any(one.times for one in load.served):
        raise CourseError(f"none of {len(requests)} requests got a token: {reasons(load)}.")
    report = load_report(load.served, ttft_limit, tpot_limit, PERCENTS)
    if as_json:
        print(json.dumps({"requests": len(requests), "failed": len(load.errors), **report}))
    else:
        show(f"{server.model} at {server.url}", load, report, ttft_limit, tpot_limit)
    if load.errors:
        print(f"halfbits: {len(load.errors)} failed: {reasons(load)}.", file=sys.stderr)
    return 1 if load.errors else 0


def prompts(count: int, words: int, seed: int = 0) -> list[str]:
    """`count` pieces of the course's English prose, of `words` words each; each begins elsewhere,
    so that no cache of prefixes knows them."""
    text = (files("halfbits.models") / "tiny_lm" / "austen.txt").read_text(encoding="utf-8").split()
    draw = Random(seed)
    starts = (draw.randrange(len(text)) for _ in range(count))
    return [" ".join((text[at:] + text[:at])[:words]) for at in starts]


def show(
    where: str, load: Load, report: dict[str, float], ttft_limit: float, tpot_limit: float
) -> None:
    """What was sent, a line a percentile, and goodput."""
    told = [n for n in load.prompt_tokens if n]
    size = f", prompts of {median(told):.0f} tokens" if told else ""
    print(f"{len(load.served)} requests to {where}{size}")
    print(f"{'milliseconds':14s}" + "".join(f"{f'p{p}':>10s}" for p in PERCENTS))
    for name in ("ttft", "tpot"):
        values = (report[f"{name}_p{p}"] for p in PERCENTS)
        print(f"{name.upper():14s}" + "".join(_milliseconds(value) for value in values))
    print(
        f"{report['tokens_per_second']:.1f} tokens a second; goodput {report['goodput']:.2f} "
        f"requests a second, {report['attainment']:.0%} within {1e3 * ttft_limit:.0f} ms "
        f"and {1e3 * tpot_limit:.0f} ms"
    )
    if load.late > 0.1 * ttft_limit:
        print(f"This machine sent a request {1e3 * load.late:.0f} ms late: it is too busy.")


def _milliseconds(value: float) -> str:
    return f"{'-':>10s}" if math.isnan(value) else f"{1e3 * value:10.1f}"


def reasons(load: Load) -> str:
    """The commonest reason, and how many others there are."""
    kinds = sorted(set(load.errors), key=load.errors.count, reverse=True)
    return kinds[0] + (f", and {len(kinds) - 1} other reasons" if kinds[1:] else "")
