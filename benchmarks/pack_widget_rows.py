"""Some numbers of the tiny LM for the components `quantizer` and `outliers`, in base64.

`python -m benchmarks.pack_widget_rows` writes in seconds, into halfbits/figures/: weights.mjs
(float32, exact), activations.mjs (rounded to float16), and stand_ins.json, the library's results
that a page shows where no script runs.
"""

from __future__ import annotations

import base64
import itertools
import json
from pathlib import Path

import torch
from torch import Tensor

from halfbits.figures.bundle import FOLDER
from halfbits.methods.smoothquant import smoothing_factors
from halfbits.models.hooks import record_inputs
from halfbits.models.tiny_lm import load_text, load_tiny_lm
from halfbits.quantize import quantize_affine, quantize_symmetric

LAYER, ROWS, TOKENS = "layers.2.mlp.gate_proj", 16, 24
CHANNELS = (17, 63, 128, 201)  # as in benchmarks/ladder.py
# One scale for, strength of smoothing, rotation.
CURES: tuple[tuple[str, float | None, bool], ...] = (
    ("tensor", None, False),
    ("token", None, False),
    ("tensor", 0.5, False),
    ("tensor", None, True),
)
QUANTIZERS = {"symmetric": quantize_symmetric, "affine": quantize_affine}
MODULE = """// {what}
// Made by benchmarks/pack_widget_rows.py; {kind}, row after row, little end first.

export const {name} = {{
  rows: {rows},
  columns: {columns},
  {kind}: "{text}",
}};
"""


def rows_of_the_tiny_lm() -> tuple[Tensor, Tensor]:
    """Weights float32 [ROWS, features] of LAYER, and its input, float16 [TOKENS, features]."""
    lm = load_tiny_lm()
    ids = lm.encode(load_text("heldout"))[:TOKENS][None]
    with torch.inference_mode(), record_inputs(lm.model, LAYER) as seen:
        lm.model(ids)
    weight = dict(lm.model.named_modules())[LAYER].weight.detach()
    return weight[:ROWS].clone(), seen[LAYER][0].half()


def sqnr(exact: Tensor, near: Tensor) -> float:
    """Signal-to-quantization-noise ratio in dB."""
    signal, noise = exact.double().square().sum(), (exact - near).double().square().sum()
    return 10 * float(torch.log10(signal / noise))


def sqnr_rows(weights: Tensor) -> list[list[str]]:
    """Bits, kind of codes, and the SQNR for every granularity."""
    made = []
    for bits, (kind, quantizer) in itertools.product((8, 4, 3), QUANTIZERS.items()):
        kinds = [quantizer(weights, bits, size) for size in ("tensor", "channel", 64, 32, 16)]
        values = [f"{sqnr(weights, one.dequantize()):.1f}" for one in kinds]
        made.append([f"{bits} bits, {kind}", *values])
    return made


def hadamard(size: int) -> Tensor:
    """The Walsh-Hadamard matrix of a power of two, float64, times 1 / sqrt(size)."""
    made = torch.ones(1, 1, dtype=torch.float64)
    while len(made) < size:
        made = torch.cat([torch.cat([made, made], 1), torch.cat([made, -made], 1)])
    return made / size**0.5


def in_int8(x: Tensor, dim: int | None) -> Tensor:
    """x rounded to int8 and back; one scale for everything (None) or along `dim`."""
    amax = x.abs().amax() if dim is None else x.abs().amax(dim, keepdim=True)
    return (x / (amax / 127)).round().clamp(-127, 127) * (amax / 127)


def output_error(
    x: Tensor, weights: Tensor, planted: int, scaling: str, alpha: float | None, rotate: bool
) -> float:
    """Relative error of int8 times int8 when CHANNELS of x are `planted` times larger.

    x [tokens, features], weights [rows, features]. `alpha` is the strength of smoothing.
    """
    factor = torch.ones(x.shape[1], dtype=torch.float64)
    factor[list(CHANNELS)] = planted
    left, right = x.double() * factor, weights.double() / factor
    if alpha is not None:
        shares = smoothing_factors(left.abs().amax(0), right.abs().amax(0), alpha)
        left, right = left / shares, right * shares
    if rotate:
        left, right = left @ hadamard(x.shape[1]), right @ hadamard(x.shape[1])
    exact = x.double() @ weights.double().T
    made = in_int8(left, None if scaling == "tensor" else 1) @ in_int8(right, 1).T
    return float((made - exact).norm() / exact.norm())


def error_rows(x: Tensor, weights: Tensor) -> list[list[str]]:
    """How large the channels are, and the output's error without and with each cure."""
    return [
        [f"{size} times", *(f"{output_error(x, weights, size, *cure):.1%}" for cure in CURES)]
        for size in (1, 8, 32, 128)
    ]


def module(name: str, what: str, values: Tensor) -> str:
    """The text of a JavaScript module that holds a matrix."""
    text = base64.b64encode(values.contiguous().numpy().tobytes()).decode("ascii")
    kind = {torch.float32: "float32", torch.float16: "float16"}[values.dtype]
    rows, columns = values.shape
    return MODULE.format(name=name, what=what, kind=kind, rows=rows, columns=columns, text=text)


def write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")
    print(f"{path.name}: {len(text):,} bytes")


def main() -> None:
    weights, activations = rows_of_the_tiny_lm()
    what = f"The first {ROWS} rows of the tiny LM's {LAYER}."
    write(FOLDER / "weights.mjs", module("WEIGHTS", what, weights))
    what = f"What {LAYER} of the tiny LM reads for {TOKENS} tokens of held-out Python."
    write(FOLDER / "activations.mjs", module("ACTIVATIONS", what, activations))
    tables = {
        "quantizer": sqnr_rows(weights),
        "outliers": error_rows(activations, weights),
    }
    write(FOLDER / "stand_ins.json", json.dumps(tables, indent=1) + "\n")


if __name__ == "__main__":
    main()
