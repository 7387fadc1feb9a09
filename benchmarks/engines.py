"""The tiny language model in other engines: quality, bytes and speed of the same codes.

`python -m benchmarks.engines --out book/data/engines_cpu_avx512.json` quantizes it by several
methods, writes each for every engine that is installed, and judges all on the same text. Two rows
more show what engines do by themselves: their own 4 bits, and a file whose rows are in the wrong
order. One thread; each time is a ratio to the course's own float32 loop, in turns.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch

from benchmarks.bench import versions
from benchmarks.turns import machine
from halfbits.checkpoints import gguf_export
from halfbits.checkpoints.exports import bytes_of, export
from halfbits.checkpoints.folder_export import write_folder
from halfbits.checkpoints.onnx_export import build
from halfbits.course.cli.engines import judged
from halfbits.course.cli.export import quantized
from halfbits.engines.comparison import Judge, Row
from halfbits.engines.installed import open_engine
from halfbits.engines.own import Own
from halfbits.models.language_model import LanguageModel
from halfbits.models.tiny_lm import load_tiny_lm

TOKENS = 6000
# Name of the codes -> method, bits, group, zero points.
CASES: dict[str, tuple[str, int, int, bool]] = {
    "float32": ("none", 8, 32, False),
    "int8 g32 rtn": ("rtn", 8, 32, False),
    "int4 g32 rtn": ("rtn", 4, 32, False),
    "int4 g32 rtn zeros": ("rtn", 4, 32, True),
    "int4 g32 gptq": ("gptq", 4, 32, False),
    "int4 g32 awq": ("awq", 4, 32, False),
    "int4 g32 autoround": ("autoround", 4, 32, False),
    "int4 g64 gptq": ("gptq", 4, 64, False),
}
OWN_KINDS = ("Q8_0", "Q5_1", "Q4_1", "Q4_0")
PACKAGES: tuple[str, ...] = ("torch", "transformers", "compressed-tensors", "onnxruntime")
PACKAGES += ("onnxruntime-genai", "cyllama", "gguf")


def main() -> None:
    """Measure and write the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    out: Path = parser.parse_args().out
    torch.set_num_threads(1)
    exact = load_tiny_lm()
    judge = Judge(exact, judged(exact, TOKENS))
    rows = []
    for row in measured(exact, judge):
        rows.append(row)
        print(json.dumps(row), file=sys.stderr, flush=True)
    record = {
        "hardware": machine(),
        "versions": versions(PACKAGES),
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "command": "python -m benchmarks.engines",
        "text": f"the first {TOKENS} tokens of every second held-out document",
        "perplexity": round(judge.reference.value, 4),
        "rows": rows,
    }
    lines = json.dumps(record, indent=1)
    out.write_text(lines + "\n", encoding="utf-8")


def measured(exact: LanguageModel, judge: Judge) -> Iterator[dict[str, Any]]:
    """A row for each case in each engine, then what engines do by themselves."""
    for name, case in CASES.items():
        made, kind = quantized(exact, *case), "F32" if name == "float32" else "F16"
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            for row in judge.rows(made, Path(folder), missing=tell, kind=kind):
                yield as_row(name, row)
    yield from by_themselves(exact, judge)


def by_themselves(exact: LanguageModel, judge: Judge) -> Iterator[dict[str, Any]]:
    """llama.cpp's own types of weights, ONNX Runtime's own 4 bits, and the wrong order of rows."""
    ours = judge.window(Own(exact.model))
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        folder = Path(scratch)
        for kind in OWN_KINDS:
            path = export(exact, "gguf", folder / kind, kind)
            with open_engine("llama.cpp", path) as engine:
                yield as_row(f"llama.cpp's {kind}", judge.row(engine, ours, "gguf", bytes_of(path)))
        write_folder(folder / "plain", exact)
        build(folder / "plain", folder / "int4", "int4", [])
        with open_engine("onnxruntime", folder / "int4") as engine:
            row = judge.row(engine, ours, "onnx", bytes_of(folder / "int4"))
            yield as_row("onnxruntime's int4", row)
        with patch.object(gguf_export, "neighbors", lambda weight, _: weight):
            path = export(exact, "gguf", folder / "wrong", "F32")
        with open_engine("llama.cpp", path) as engine:
            yield as_row("rows in the wrong order", judge.row(engine, ours, "gguf", bytes_of(path)))


def tell(sentence: str) -> None:
    """Say on stderr what is left out."""
    print(sentence, file=sys.stderr)


def as_row(codes: str, row: Row) -> dict[str, Any]:
    """The row as it is kept; its name is the codes' and the engine's."""
    return {
        "name": f"{codes}, {row.engine}",
        "codes": codes,
        "engine": row.engine,
        "form": row.form,
        "bytes": row.nbytes,
        "difference": round(row.change.difference, 5),
        "difference_standard_error": round(row.change.standard_error, 5),
        "largest_logit_difference": float(f"{row.apart:.3g}"),
        "same_prediction": round(row.same, 4),
        "prefill": quartiles(row.prefill),
        "decode": quartiles(row.decode),
        "ran": row.ran,
    }


def quartiles(ratio: Any) -> dict[str, float]:
    """Three figures of a ratio of times."""
    return {name: round(getattr(ratio, name), 3) for name in ("low", "median", "high")}


if __name__ == "__main__":
    main()
