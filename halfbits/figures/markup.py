"""The HTML of a component: its element, and what stands in for it without a script."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

import numpy as np

from halfbits import formats
from halfbits.figures.bundle import FOLDER
from halfbits.figures.records import shown_models
from halfbits.perf.architecture.schemes import scheme
from halfbits.perf.cost import Machine
from halfbits.perf.fit import Fit, Load

Data = Mapping[str, Any]
Cells = Sequence[object]


def element(name: str, state: Mapping[str, str], data: Data, identifier: str = "") -> str:
    """The element `name`; with an identifier its state is kept in the page's address."""
    words = [f'{key}="{escape(value)}"' for key, value in state.items()]
    if identifier:
        words = [f'id="{escape(identifier)}"', "linked", *words]
    content = STAND_INS[name](data)
    if data:
        text = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
        content = f'<script type="application/json">{text}</script>\n{content}'
    return f'<hb-{name} class="hb-figure" {" ".join(words)}>\n{content}\n</hb-{name}>'


def table(caption: str, head: Cells, rows: Sequence[Cells]) -> str:
    """An HTML table whose first column heads its rows."""
    top = "".join(f'<th scope="col">{escape(str(cell))}</th>' for cell in head)
    body = "\n".join(
        f'<tr><th scope="row">{escape(str(first))}</th>'
        + "".join(f"<td>{escape(str(cell))}</td>" for cell in rest)
        + "</tr>"
        for first, *rest in rows
    )
    return (
        f'<div class="hb-scroll" tabindex="0" role="region" aria-label="{escape(caption)}">'
        f"<table><caption>{escape(caption)}</caption>\n"
        f"<thead><tr>{top}</tr></thead>\n<tbody>\n{body}\n</tbody></table></div>"
    )


def table_of_formats(data: Data) -> str:
    rows = []
    for name, form in formats.FORMATS.items():
        known = formats.limits(name)
        numbers = (known.largest, known.smallest_normal, known.smallest, known.eps)
        rows.append((name, form.bits, form.exponent, form.mantissa, *(f"{x:.4g}" for x in numbers)))
    head = (
        "Format",
        "Bits",
        "Exponent",
        "Fraction",
        "Largest",
        "Smallest normal",
        "Smallest",
        "Step at 1",
    )
    return table("The formats", head, rows)


def table_of_values(data: Data) -> str:
    rows = []
    for name in ("int4", "fp4_e2m1", "fp6_e3m2", "fp8_e4m3fn", "int8"):
        every = formats.decode(np.arange(2 ** formats.FORMATS[name].bits), name)
        values = np.unique(every[every > 0])
        shown = ", ".join(f"{value:g}" for value in values[:8])
        rows.append((name, len(values), shown + (", ..." if len(values) > 8 else "")))
    return table("Where the positive values lie", ("Format", "How many", "The smallest"), rows)


def table_of_stalls(data: Data) -> str:
    """Where a sum of ones stops: the first whole number n with n + 1 rounded to n."""
    rows = []
    for name in ("fp8_e4m3fn", "fp8_e5m2", "bf16", "fp16", "fp32"):
        stall = float(2.0 ** (formats.FORMATS[name].mantissa + 1))
        step = float(formats.spacing(stall, name))
        rows.append((name, f"{stall:,.0f}", f"{step:g}", f"{stall:,.0f}"))
    head = ("Format", "Sum", "Its spacing", "Sum after one more 1")
    return table("A sum of ones in one accumulator stalls", head, rows)


def table_of_rates(data: Data) -> str:
    """The most tokens a second of one row of Llama 3 8B, its cache still empty."""
    sizes = shown_models()["Llama 3 8B"]
    card = Machine("any", 1, {})
    load = Load(batch=1, context=0)
    works = [Fit(sizes, scheme(name), card, load).decode() for name in ("bf16", "fp8", "int4")]
    rows = []
    for name, row in data["machines"].items():
        machine = Machine(name, row["bandwidth"], row["peak"], row["memory"])
        rows.append((name, *(f"{1 / machine.seconds(work, 'bf16'):,.0f}" for work in works)))
    head = ("Hardware", "bf16 weights", "fp8 weights", "int4 weights")
    return table("Llama 3 8B, batch 1, no context yet: at most so many tokens a second", head, rows)


def table_of_sqnr(data: Data) -> str:
    head = ("Codes", "The matrix", "Each row", "64 weights", "32 weights", "16 weights")
    return table(
        "SQNR in dB of weights of the tiny LM; one scale for:", head, recorded("quantizer")
    )


def table_of_errors(data: Data) -> str:
    head = ("Four channels", "One scale", "One for each token", "Smoothed by half", "Rotated")
    caption = "Error of a layer's output with int8 on both sides"
    return table(caption, head, recorded("outliers"))


def table_of_the_ladder(data: Data) -> str:
    rows = [
        (row["name"], f"{row['bytes'] / 1e6:.2f}", f"{row['perplexity']:.3f}",
         f"{row['difference']:+.3f} ± {1.96 * row['difference_standard_error']:.3f}")
        for row in data["rows"]
    ]  # fmt: skip
    head = ("Format", "MB", "Perplexity", "Change against fp32, 95%")
    return table("The tiny LM in every format", head, rows)


def recorded(name: str) -> list[list[str]]:
    """A table that benchmarks/pack_widget_rows.py computed with the library."""
    return json.loads((FOLDER / "stand_ins.json").read_text(encoding="utf-8"))[name]


STAND_INS: dict[str, Callable[[Data], str]] = {
    "bit-explorer": table_of_formats,
    "number-line": table_of_values,
    "accumulator": table_of_stalls,
    "roofline": table_of_rates,
    "quantizer": table_of_sqnr,
    "outliers": table_of_errors,
    "precision-ladder": table_of_the_ladder,
}
