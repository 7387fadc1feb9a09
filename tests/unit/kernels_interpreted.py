"""Runs the Triton kernels in Triton's interpreter and prints, as JSON, how far they are off.

A script of its own, since Triton reads TRITON_INTERPRET when it is imported. On a GPU the decoding
uses packed instructions instead of the functions that run here; both are exact.
"""

from __future__ import annotations

import itertools
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import astuple

os.environ["TRITON_INTERPRET"] = "1"

import torch

from benchmarks import gpu_matmul, tune_kernels
from benchmarks.floor import read
from halfbits.kernels import cache, packed
from halfbits.kernels.decode_attention import CachePlan, attend
from halfbits.kernels.eight_bit_products import (
    TilePlan,
    fp8_product,
    fp8_rows,
    fp8_squares,
    int8_product,
    int8_row_scales,
)
from halfbits.kernels.launch import matmul, run
from halfbits.kernels.plans import Plan
from halfbits.kernels.tiles import arrange
from halfbits.quantize import quantize_affine, quantize_symmetric

FORMATS = {
    "int8": lambda w: quantize_symmetric(w, 8),
    "int4 g128": lambda w: quantize_symmetric(w, 4, 128),
    "int4 g32": lambda w: quantize_symmetric(w, 4, 32),
    "int4 g128 zero": lambda w: quantize_affine(w, 4, 128),
    "int4 g32 zero": lambda w: quantize_affine(w, 4, 32),
}
# Both kernels, whole and with the input split among programs.
PLANS = {
    "deep": Plan("deep", 16, 4, 1, 4, 3),
    "deep, split": Plan("deep", 16, 2, 2, 1, 3),
    "wide": Plan("wide", 64, 1, 1, 4, 3),
    "wide, split": Plan("wide", 32, 1, 2, 4, 3),
}
CASES = ((1, torch.bfloat16), (3, torch.float32), (11, torch.float16), (33, torch.bfloat16))
TILE_PLAN = TilePlan(64, 128, 128, 4, 3, 2)


def products() -> Iterator[tuple[str, float]]:
    """Largest error over its bound, by format, plan, batch and dtype; the sizes leave tails."""
    for name, quantizer in FORMATS.items():
        step = 128 if "g128" in name else 32
        tiles = 4 if name == "int4 g128 zero" else 2  # four of its zero points share a word
        inputs = 128 * tiles + step * int(torch.randint(1, 128 // step + 1, ()))
        outputs = int(torch.randint(17, 80, ()))
        weight = packed.pack(quantizer(torch.randn(outputs, inputs)))
        for plan, (batch, dtype) in zip(PLANS, CASES, strict=True):
            x = torch.randn(inputs, batch).to(dtype).T
            y = matmul(x, arrange(weight), PLANS[plan])
            assert y.dtype == dtype and y.shape == (batch, outputs)
            off = (y.double() - packed.reference(x, weight)).abs()
            share = (off / packed.error_bound(x, weight, dtype)).max().item()
            yield f"{name}, {plan}, batch {batch}, {str(dtype)[6:]}", share


def one_row() -> Iterator[tuple[str, float]]:
    """The kernel of one row and int8: whole tiles and a rest, rows of W that fill no program, an
    odd number of inputs, x that starts within a word, and x that is not finite beyond its end."""
    for inputs, outputs, dtype in (
        (512, 16, torch.bfloat16), (385, 7, torch.bfloat16), (130, 9, torch.float16),
    ):  # fmt: skip
        weight = packed.pack(FORMATS["int8"](torch.randn(outputs, inputs)))
        held = torch.full((1, inputs + 2), torch.inf)
        held[:, 1:-1] = torch.randn(1, inputs)
        x = held.to(dtype)[:, 1:-1]
        y = matmul(x, arrange(weight), Plan("row", 4, 2, 1, 2, 1))
        off = (y.double() - packed.reference(x, weight)).abs()
        share = (off / packed.error_bound(x, weight, dtype)).max().item()
        yield f"int8, row of {inputs}, {str(dtype)[6:]}", share


def one_row_of_int4() -> Iterator[tuple[str, float]]:
    """The kernel of one row and int4: two to eight groups a turn, whole and with a rest of tiles,
    of the last tile and of rows of W, split and not, and x that is not finite beyond its end."""
    plans = (Plan("columns", 16, 8, 1, 2, 1, 64), Plan("columns", 32, 2, 2, 1, 2))
    for name in (name for name in FORMATS if name != "int8"):
        rest = 640 if "g128" in name else 672
        cases = ((2048, 32, torch.bfloat16), (rest, 40, torch.float16))
        for (inputs, outputs, dtype), plan in itertools.product(cases, plans):
            weight = packed.pack(FORMATS[name](torch.randn(outputs, inputs)))
            held = torch.full((1, inputs + 2), torch.inf)
            held[:, 1:-1] = torch.randn(1, inputs)
            x = held.to(dtype)[:, 1:-1]
            y = matmul(x, arrange(weight), plan)
            off = (y.double() - packed.reference(x, weight)).abs()
            share = (off / packed.error_bound(x, weight, dtype)).max().item()
            yield f"{name}, columns, {str(dtype)[6:]}, {inputs} in {plan.split}", share


def undecoded() -> Iterator[tuple[str, float]]:
    """The kernel of the ablation, whose result is no product: over its bound."""
    weight = packed.pack(FORMATS["int4 g128"](torch.randn(32, 256)))
    x, y = torch.randn(1, 256).bfloat16(), torch.empty(1, 32, dtype=torch.bfloat16)
    run(x, arrange(weight), y, PLANS["deep"], decode=False)
    off = (y.double() - packed.reference(x, weight)).abs()
    yield "undecoded", (off / packed.error_bound(x, weight, y.dtype)).max().item()


def attention() -> Iterator[tuple[str, float]]:
    """Caches of every format: one token, a tail, several programs that share the context.

    No value is small beside its neighbors: e4m3's subnormal codes become subnormal bfloat16, which
    the interpreter turns into other numbers. A GPU's matrix units take them as they are.
    """
    for name in cache.LARGEST:
        for context, heads in ((1, 4), (130 + int(torch.randint(0, 200, ())), 3)):
            drawn = torch.randn(2, 2, 1, context, 128)
            keys, entries = drawn + drawn.sign() / 2
            kept = cache.quantize_cache(keys * torch.randn(128).exp(), entries, name)
            q = torch.randn(2, 1, heads, 128).bfloat16()
            y = attend(q, kept, CachePlan(64, 6, 2))
            off = (y.double() - cache.reference(q, kept)).abs()
            yield f"{name} cache of {context}", (off / cache.error_bound(q, kept)).max().item()


def eight_bits() -> Iterator[tuple[str, float]]:
    """fp8 tiles and int8 rows against float64: sums of float32, and one rounding to bfloat16."""
    x, w = torch.randn(70, 256), torch.randn(128, 256)
    for name, left, right, call in (
        ("fp8 tiles", fp8_rows(x), fp8_squares(w), fp8_product),
        ("int8 rows", int8_row_scales(x), int8_row_scales(w), int8_product),
    ):
        a, b = values(left, True), values(right, False)
        y, want = call(left, right, TILE_PLAN), a @ b.T
        bound = 2.0**-7 * want.abs() + (256 + 8) * 2.0**-23 * (a.abs() @ b.abs().T)
        yield name, ((y.double() - want).abs() / bound).max().item()


def values(operand: tuple[torch.Tensor, torch.Tensor], rows: bool) -> torch.Tensor:
    """Codes times scales in float64; fp8 scales are of tiles of 1 or of 128 rows."""
    codes, scale = operand[0].double(), operand[1].double()
    if scale.ndim == 1:
        return codes * scale[:, None]
    tall = scale.T if rows else scale.repeat_interleave(128, 0)
    return codes * tall.repeat_interleave(128, 1)


def floor() -> Iterator[tuple[str, float]]:
    """0 if the kernel that only reads has read every word once."""
    words = torch.randint(-100, 100, (3001,), dtype=torch.int32)
    sums = torch.zeros(8, dtype=torch.int32)
    read(words, sums, (256, 2, 4))
    yield "floor", float((sums.sum() - words.sum()).abs())


def tuned() -> Iterator[tuple[str, float]]:
    """0 if the tuner keeps a plan that it tried and that is right, and only such a one."""
    gpu_matmul.SAMPLES, gpu_matmul.WARM_UP, tune_kernels.ROTATED_BYTES = 2, 0, 1
    row = tune_kernels.fastest("int4 g32", 256, 32, 2, torch.device("cpu"), [PLANS["wide"]])
    assert row is not None and row["seconds"] > 0
    yield "tuned", float(row["plan"] != list(astuple(PLANS["wide"])))
    no_plan = Plan("deep", 3, 1, 1, 1, 1)  # rows are a power of two
    lost = tune_kernels.fastest("int8", 256, 32, 2, torch.device("cpu"), [no_plan])
    yield "untuned", float(lost is not None)


if __name__ == "__main__":
    torch.manual_seed(int(sys.argv[1]))
    parts = (products, one_row, one_row_of_int4, undecoded, attention, eight_bits, floor, tuned)
    print(json.dumps({name: value for part in parts for name, value in part()}))
