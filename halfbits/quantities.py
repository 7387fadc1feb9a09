"""Named quantities: a number that several pages give has one name, one definition and one form.

Pages write `` {quantity}`decode_8b_h100_int4` ``, interview questions and cheat sheets
`{{decode_8b_h100_int4}}`, notebooks import `value` or `text`. A definition is a function of
published sizes, of the hardware table and of the accounting of bytes, or a value of a record by
name. The form is part of the quantity, so that it has the same digits everywhere.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial

from halfbits.folders import find_root
from halfbits.perf.architecture.published import model
from halfbits.perf.architecture.schemes import scheme
from halfbits.perf.cost import Decoder, Machine, hardware, llama_3
from halfbits.perf.fit import Fit, Load
from halfbits.perf.recorded import Recorded
from halfbits.perf.storage import storage
from halfbits.selectors import cited

LLAMA_3_BILLIONS = {"8b": 8, "70b": 70}  # Llama 3
CARDS = {"a100": "A100 SXM 80 GB", "h100": "H100 SXM", "rtx4090": "RTX 4090"}
STORED = ("bf16", "fp8", "int8", "int4", "mxfp4", "nvfp4")
USABLE = 0.9  # of a card's memory, for weights and cache; the rest is the runtime's


@dataclass(frozen=True)
class Quantity:
    """A number, what it means in one line, its unit, and the format in which it is printed."""

    name: str
    means: str
    unit: str
    form: str
    compute: Callable[[], float]

    @property
    def value(self) -> float:
        return self.compute()

    @property
    def text(self) -> str:
        """The number as pages print it, without its unit."""
        return format(self.value, self.form).replace("-", "\N{MINUS SIGN}")


def quantity(name: str) -> Quantity:
    """The quantity called `name`. Raises KeyError with names that are like it."""
    known = quantities()
    if name not in known:
        near = ", ".join(difflib.get_close_matches(name, known, n=5, cutoff=0.5)) or "none like it"
        raise KeyError(f"no quantity is called {name!r}; there is {near}")
    return known[name]


def value(name: str) -> float:
    return quantity(name).value


def text(name: str) -> str:
    return quantity(name).text


@cache
def quantities() -> dict[str, Quantity]:
    """All quantities by name. Raises ValueError for a name that is given twice."""
    named: dict[str, Quantity] = {}
    for group in (_models, _cards, _speeds, _kernels, _formats, _ladder, _products):
        for made in group():
            if made.name in named:
                raise ValueError(f"two quantities are called {made.name!r}")
            named[made.name] = made
    return named


def decode_ceiling(model: Decoder, card: Machine, weights: str) -> float:
    """Bandwidth over the bytes of weights that a step reads: tokens a second of one row at most."""
    return card.bandwidth / model.decode(1, 0, weights).nbytes


def recorded_decode(name: str, card: str, weights: str) -> float:
    """Tokens a second of one row of a published model, one token seen, by a card's record."""
    known = model(name)
    fit = Fit(known.sizes, scheme(weights), hardware()[card], Load(1, 1))
    return 1 / Recorded.of(fit, known.config).step_seconds()


def product_seconds(way: str, batch: int, inputs: int = 8192, outputs: int = 8192) -> float:
    """Median seconds of a product of book/data/gpu_matmul.json."""
    row = f"way={way}, batch={batch}, inputs={inputs}, outputs={outputs}"
    return record(f"gpu_matmul.json#products[{row}].seconds.median")


def record(target: str) -> float:
    """A value of a record of book/data: FILE#PATH, as `halfbits.selectors` reads it."""
    return float(cited(f"book/data/{target}", find_root()))


def _models() -> Iterator[Quantity]:
    for short, billions in LLAMA_3_BILLIONS.items():
        model, name = llama_3(billions), f"Llama 3 {billions}B"
        bf16, row = model.stored("bf16"), 8192 * model.kv_bytes("bf16")
        means = f"parameters of {name}"
        yield fixed(f"parameters_{short}", means, "billion", ".2f", model.parameters / 1e9)
        means = f"embedding and output head of {name} in 16 bits"
        yield fixed(f"ends_{short}", means, "GB", ".1f", (bf16.embedding + bf16.head) / 1e9)
        means = f"bf16 KV cache of 8,192 tokens of {name}"
        yield fixed(f"cache_8k_{short}", means, "GiB", ".1f", row / 2**30)
        means = f"rows of 8,192 tokens whose caches equal the bf16 weights that {name} reads"
        yield fixed(f"cache_rows_{short}", means, "rows", ".0f", bf16.read / row)
        for kind in ("bf16", "fp8"):
            means, kib = f"KV cache of one token of {name} in {kind}", model.kv_bytes(kind) / 2**10
            yield fixed(f"cache_token_{short}_{kind}", means, "KiB", ".0f", kib)
        for kind in STORED:
            yield from _checkpoint(short, name, model, kind)


def _checkpoint(short: str, name: str, model: Decoder, kind: str) -> Iterator[Quantity]:
    """The bytes of a model whose layers are stored as `kind`: usual, everything rounded, read."""
    usual, rounded = model.stored(kind), model.stored(kind, ends=kind)
    for suffix, start, means, number in (
        ("", "weights", "with embedding, head and norms in 16 bits", usual.total),
        ("_everything", "weights", f"with embedding and head in {kind}, too", rounded.total),
        ("", "read", "that one decode step reads, its head in 16 bits", usual.read),
        ("_everything", "read", f"that one decode step reads, its head in {kind}", rounded.read),
    ):
        said = f"bytes of {name}, layers in {kind} with their scales, {means}"
        yield fixed(f"{start}_{short}_{kind}{suffix}", said, "GB", ".1f", number / 1e9)


def _cards() -> Iterator[Quantity]:
    for short, name in CARDS.items():
        card = hardware()[name]
        memory, ridge = card.memory / 1e9, card.ridge("bf16")
        yield fixed(f"memory_{short}", f"memory of the {name}", "GB", ".1f", memory)
        means = f"{USABLE:.0%} of the memory of the {name}, for weights and cache"
        yield fixed(f"budget_{short}", means, "GB", ".1f", USABLE * memory)
        means = f"bf16 peak over bandwidth of the {name}"
        yield fixed(f"ridge_{short}", means, "operations/byte", ".0f", ridge)
        for kind in STORED:
            means = f"rows from which a layer of {kind} weights waits for bf16 arithmetic, {name}"
            rows = card.crossover_batch("bf16", kind)
            yield fixed(f"crossover_{short}_{kind}", means, "rows", ".0f", rows)


def _speeds() -> Iterator[Quantity]:
    for short, billions in LLAMA_3_BILLIONS.items():
        for card, name in CARDS.items():
            for kind in STORED:
                means = f"most tokens/s of one row, no context: Llama 3 {billions}B, {kind}, {name}"
                most = decode_ceiling(llama_3(billions), hardware()[name], kind)
                yield fixed(f"decode_{short}_{card}_{kind}", means, "tokens/s", ".0f", most)


def _kernels() -> Iterator[Quantity]:
    """What recorded kernels would make of the ceilings."""
    for card in ("h100", "h200"):
        means = f"tokens/s of one row, no context: Llama 3 70B, int4, kernels of the {card} record"
        compute = partial(recorded_decode, "Llama-3.1-70B", f"{card.upper()} SXM", "int4")
        yield Quantity(f"recorded_decode_70b_{card}_int4", means, "tokens/s", ".0f", compute)


def _formats() -> Iterator[Quantity]:
    for short, kind, form in (
        *(("int4", "int4", ".3f"), ("int4_g32", "int4 g32", ".1f"), ("mxfp4", "mxfp4", ".2f")),
        *(("nvfp4", "nvfp4", ".1f"), ("nf4", "nf4", ".1f"), ("nf4_double", "nf4 double", ".3f")),
        *(("int4_g64", "int4 g64", ".2f"), ("nf4_g64", "nf4 g64", ".2f")),
    ):
        means = f"bits of a weight in {kind}, scales included"
        yield fixed(f"bits_{short}", means, "bits", form, storage(kind).bits)
    yield fixed("decibels_bit", "SQNR of half the step", "dB", ".2f", 20 * math.log10(2))
    means = "products of codes from -127 to 127 that an int32 sum holds"
    yield fixed("int32_products", means, "products", ",.0f", (2**31 - 1) // 127**2)


# Rows of the ladder: digits of the perplexity, and of its change from fp32.
LADDER = {
    **{"fp32": ("fp32", 2, 3), "bf16": ("bf16", 2, 4), "fp16": ("fp16", 2, 4)},
    **{"fp8": ("fp8 tensor", 2, 3), "nf4": ("nf4 g64", 2, 2), "mxfp4": ("mxfp4", 2, 2)},
    **{"int8": ("int8 channel", 2, 3), "int6": ("int6 channel", 2, 3)},
    **{"int5": ("int5 channel", 2, 2), "int4": ("int4 channel", 2, 2)},
    **{"int3": ("int3 channel", 1, 0), "int4_tensor": ("int4 tensor", 1, 1)},
    **{f"int4_g{group}": (f"int4 g{group}", 2, 2) for group in (64, 32)},
    **{f"int4_g{group}_affine": (f"int4 g{group} affine", 2, 2) for group in (64, 32)},
    **{"w8a8_tensor": ("w8a8 tensor", 2, 2), "w8a8_token": ("w8a8 token", 2, 3)},
    "outliers32_w8a8_tensor": ("outliers x32 w8a8 tensor", 1, 1),
    "outliers32_w8a8_token": ("outliers x32 w8a8 token", 2, 2),
    "outliers32_smoothed": ("outliers x32 smoothed w8a8 token", 2, 2),
    "outliers128_w8a8_tensor": ("outliers x128 w8a8 tensor", 0, 0),
    "outliers128_w8a8_token": ("outliers x128 w8a8 token", 1, 1),
    "outliers128_smoothed": ("outliers x128 smoothed w8a8 token", 2, 2),
}


def _ladder() -> Iterator[Quantity]:
    """The tiny LM in every format: the last 256 of one window of 512 tokens of 32 documents."""
    for short, (row, digits, change) in LADDER.items():
        at = f"ladder.json#rows[name={row}]"
        means = f"perplexity of the tiny LM in {row}, on the ladder's 32 windows"
        yield recorded(f"perplexity_{short}", means, "", f",.{digits}f", f"{at}.perplexity")
        means = f"paired change of that perplexity from fp32 to {row}"
        yield recorded(f"perplexity_change_{short}", means, "", f",.{change}f", f"{at}.difference")
        means = f"half the 95% interval of that change for {row}, clustered by document"
        half = partial(_half_interval, f"{at}.difference_standard_error")
        yield Quantity(f"perplexity_interval_{short}", means, "", f",.{change}f", half)
    means = "perplexity of the tiny LM in fp32 on all held-out text, windows of 512 every 256"
    place = "tiny_lm_perplexity.json#texts.heldout.perplexity"
    yield recorded("perplexity_heldout", means, "", ".2f", place)


def _half_interval(target: str) -> float:
    return 1.96 * record(target)


PRODUCTS = {
    **{"bf16": ("bf16", (1, 4, 16, 64, 256, 1024, 4096)), "fp8": ("fp8", (1, 1024))},
    **{"int8": ("int8, one fused kernel", (1,))},
    **{"int8_converted": ("int8, converted in each call", (1, 4096))},
    **{"int4": ("int4 in groups, fused kernel", (1, 4, 16, 64))},
}


def _products() -> Iterator[Quantity]:
    """Times of PyTorch's products with an 8192 square weight, as recorded on one H100."""
    for short, (way, batches) in PRODUCTS.items():
        for batch in batches:
            means = f"recorded time of {batch} rows times 8192 x 8192 on one H100, {way}"
            yield Quantity(
                f"time_{short}_{batch}", means, "µs", ",.0f", partial(_microseconds, way, batch)
            )

    for way in ("fp32", "tf32", "fp16", "bf16", "int8", "fp8"):
        means = f"best rate of square products in {way}, as recorded on one H100"
        yield Quantity(f"rate_{way}", means, "TFLOP/s", ",.0f", partial(best_rate, way))


def best_rate(way: str) -> float:
    """10^12 operations a second of the fastest square product of book/data/gpu_matmul.json."""
    sizes = (1024, 2048, 4096, 8192)
    return max(2 * n**3 / product_seconds(way, n, n, n) for n in sizes) / 1e12


def _microseconds(way: str, batch: int) -> float:
    return 1e6 * product_seconds(way, batch)


def fixed(name: str, means: str, unit: str, form: str, number: float) -> Quantity:
    return Quantity(name, means, unit, form, lambda: number)


def recorded(name: str, means: str, unit: str, form: str, target: str) -> Quantity:
    return Quantity(name, means, unit, form, partial(record, target))
