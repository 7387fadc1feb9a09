"""The precision ladder of the tiny language model: perplexity and true bytes of every format.

`python -m benchmarks.ladder` writes book/data/ladder.json in under 5 minutes on two CPU cores.
Every row is measured on the same tokens as fp32, so differences are paired: their standard
error (clustered by document) is far smaller than that of a perplexity.
"""

from __future__ import annotations

import argparse
import copy
import datetime
import json
import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from halfbits.evaluate import Perplexity, compare, summarize, window_losses
from halfbits.formats import FORMATS
from halfbits.methods.smoothquant import smooth
from halfbits.models.hooks import channel_amax
from halfbits.models.language_model import LanguageModel
from halfbits.models.llama import Llama
from halfbits.models.outliers import plant_outliers
from halfbits.models.quantized import w8a8, weight_only
from halfbits.models.surgery import block_linears
from halfbits.models.tiny_lm import END, load_text, load_tiny_lm
from halfbits.quantize import (
    Quantized,
    quantize_affine,
    quantize_fp8,
    quantize_mxfp4,
    quantize_nf4,
    quantize_symmetric,
)

RECORD = Path(__file__).resolve().parents[1] / "book" / "data" / "ladder.json"
CONTEXT, JUDGED = 512, 256
DOCUMENTS, CALIBRATION_DOCUMENTS = 32, 8
OUTLIER_CHANNELS = (17, 63, 128, 201)
OUTLIER_SCALES = (32, 128)  # powers of two: the planted model is the same to the last bit

Built = tuple[Llama, float]
WEIGHT_ONLY: dict[str, Callable[[Tensor], Quantized]] = {
    **{f"int{b} channel": partial(quantize_symmetric, bits=b) for b in (8, 6, 5, 4, 3)},
    "int4 tensor": partial(quantize_symmetric, bits=4, granularity="tensor"),
    "int4 g64": partial(quantize_symmetric, bits=4, granularity=64),
    "int4 g32": partial(quantize_symmetric, bits=4, granularity=32),
    "int4 g64 affine": partial(quantize_affine, bits=4, granularity=64),
    "int4 g32 affine": partial(quantize_affine, bits=4, granularity=32),
    "int3 g32 affine": partial(quantize_affine, bits=3, granularity=32),
    "nf4 g64": quantize_nf4,
    "mxfp4": quantize_mxfp4,
    "fp8 tensor": quantize_fp8,
}


@dataclass(frozen=True)
class Texts:
    """Openings of held-out documents, one a row: `judged` int64 [documents, CONTEXT + 1] and
    `calibration` int64 [documents, CONTEXT]; no document is in both."""

    judged: Tensor
    calibration: Tensor


def split_texts(lm: LanguageModel, documents: int = DOCUMENTS) -> Texts:
    """The openings of the first `documents` held-out files that are long enough, and of the last
    CALIBRATION_DOCUMENTS."""
    texts = load_text("heldout").split(END)
    ids = [torch.cat([torch.tensor([lm.end]), lm.encode(text)]) for text in texts]
    openings = torch.stack([row[: CONTEXT + 1] for row in ids if len(row) > CONTEXT])
    if documents + CALIBRATION_DOCUMENTS > len(openings):
        raise ValueError(f"{len(openings)} held-out files are long; {documents} are not free")
    return Texts(openings[:documents], openings[-CALIBRATION_DOCUMENTS:, :-1])


def cast(model: Llama, dtype: torch.dtype) -> Built:
    """Weights and computation in `dtype`."""
    copied = copy.deepcopy(model).to(dtype)
    return copied, sum(p.nbytes for p in copied.parameters())


def planted_rows(model: Llama, texts: Texts, scale: int) -> Iterator[tuple[str, Built]]:
    """W8A8 of the model with planted outliers, without and with smoothing."""
    planted = plant_outliers(model, OUTLIER_CHANNELS, scale)
    amax = channel_amax(planted, [texts.calibration], "layers.")
    name = f"outliers x{scale}"
    yield f"{name} fp32", cast(planted, torch.float32)
    yield f"{name} w8a8 tensor", w8a8(planted, amax)
    yield f"{name} w8a8 token", w8a8(planted)
    smoothed = smooth(planted, amax)
    calmed = channel_amax(smoothed, [texts.calibration], "layers.")
    yield f"{name} smoothed w8a8 tensor", w8a8(smoothed, calmed)
    yield f"{name} smoothed w8a8 token", w8a8(smoothed)


def rows(model: Llama, texts: Texts) -> Iterator[tuple[str, Built]]:
    """(name, (model, bytes)) of the whole ladder, fp32 first."""
    for name in ("fp32", "bf16", "fp16"):
        yield name, cast(model, getattr(torch, FORMATS[name].torch))
    for name, quantizer in WEIGHT_ONLY.items():
        yield name, weight_only(model, quantizer)
    yield "w8a8 tensor", w8a8(model, channel_amax(model, [texts.calibration], "layers."))
    yield "w8a8 token", w8a8(model)
    for scale in OUTLIER_SCALES:
        yield from planted_rows(model, texts, scale)


def judge(model: Llama, texts: Texts) -> Perplexity:
    """Perplexity of the last JUDGED tokens of each opening; a document is a cluster."""
    parts = [window_losses(model, rows, JUDGED) for rows in texts.judged.split(8)]
    losses = torch.cat(parts).flatten()
    return summarize(losses, torch.arange(len(losses)) // JUDGED)


def measure(lm: LanguageModel, texts: Texts, wanted: set[str] | None = None) -> list[dict]:
    """One table row for each model; `wanted` picks some by name (fp32 is always measured)."""
    table: list[dict] = []
    base: Perplexity | None = None
    for name, (model, nbytes) in rows(lm.model, texts):
        if wanted is not None and name not in wanted | {"fp32"}:
            continue
        found = judge(model, texts)
        base = base or found
        change = compare(base, found)
        table.append(
            {
                "name": name,
                "perplexity": round(found.value, 4),
                "standard_error": round(found.standard_error, 4),
                "difference": round(change.difference, 5),
                "difference_standard_error": round(change.standard_error, 5),
                "bytes": round(nbytes),
            }
        )
        print(table[-1], flush=True)
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=RECORD)
    out = parser.parse_args().out
    lm = load_tiny_lm()
    texts = split_texts(lm)
    began = time.perf_counter()
    table = measure(lm, texts)
    record = {
        "rows": table,
        "unit": "perplexity a token; standard errors clustered by document",
        "documents": DOCUMENTS,
        "tokens_judged_of_each": JUDGED,
        "tokens_before_them": f"{CONTEXT - JUDGED} to {CONTEXT - 1}",
        "block_matrix_weights": sum(m.weight.numel() for _, m in block_linears(lm.model)),
        "outlier_channels": len(OUTLIER_CHANNELS),
        "seconds": round(time.perf_counter() - began),
        "threads": torch.get_num_threads(),
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "machine": platform.machine(),
        "torch": torch.__version__,
        "date": datetime.date.today().isoformat(),
    }
    out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
