"""The methods of `halfbits.methods` on the tiny language model: KL, perplexity and true bytes.

`python -m benchmarks.methods` writes book/data/methods.json, a row at a time: stopped and started
again, it goes on where it was (`--fresh` begins anew). A row keeps its mean KL of every document,
so that any two rows can be compared, paired (`halfbits.evaluate.paired_means`).
"""

from __future__ import annotations

import argparse
import datetime
import json
import platform
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.method_cases import (
    ADAROUND_STEPS,
    JUDGED,
    LENGTH,
    QAT_STEPS,
    SAMPLES,
    SWEEP_LENGTH,
    Case,
    Data,
    cases,
    load_data,
)
from halfbits.evaluate import compare, divergences, log_probabilities, summarize
from halfbits.models.llama import Llama
from halfbits.models.tiny_lm import load_tiny_lm

RECORD = Path(__file__).resolve().parents[1] / "book" / "data" / "methods.json"
Row = dict[str, str | int | float | list[float]]


class Judge:
    """Holds the model's own predictions, and every other model to them."""

    def __init__(self, model: Llama, judged: Tensor) -> None:
        self.judged = judged
        self.base = log_probabilities(model, judged, JUDGED)
        self.groups = torch.arange(judged.shape[0]).repeat_interleave(JUDGED)
        self.perplexity = summarize(self._losses(self.base), self.groups)

    def row(self, case: Case) -> Row:
        """One row: what the case says, its bytes, KL and perplexity with their standard errors."""
        model, nbytes = case.build()
        logs = log_probabilities(model, self.judged, JUDGED)
        kl = divergences(self.base, logs).mean(1)
        found = summarize(self._losses(logs), self.groups)
        change = compare(self.perplexity, found)
        return {
            "name": case.name,
            "kind": case.kind,
            **case.said,
            "bytes": round(nbytes),
            "kl": _rounded(kl.mean()),
            "kl_standard_error": _rounded(kl.std() / len(kl) ** 0.5),
            "perplexity": _rounded(found.value),
            "difference": _rounded(change.difference),
            "difference_standard_error": _rounded(change.standard_error),
            "kl_by_document": [_rounded(value) for value in kl],
        }

    def _losses(self, logs: Tensor) -> Tensor:
        return -logs.gather(-1, self.judged[:, 1:, None]).double().flatten()


def _rounded(value: Tensor | float) -> float:
    return float(f"{float(value):.5g}")


def settings(judge: Judge, data: Data) -> dict[str, object]:
    """What all rows share."""
    return {
        "unit": "KL in nats a token from the float32 model; standard errors over documents",
        "bytes": "of the stored model; kind cache: of one sequence's cache, mean while it grows",
        "perplexity_of_the_model": _rounded(judge.perplexity.value),
        "perplexity_standard_error": _rounded(judge.perplexity.standard_error),
        "documents": len(data.judged),
        "tokens_judged_of_each": JUDGED,
        "calibration_samples": SAMPLES,
        "calibration_tokens_a_sample": LENGTH,
        "sweep_tokens_a_sample": SWEEP_LENGTH,
        "adaround_steps": ADAROUND_STEPS,
        "qat_steps": QAT_STEPS,
        "torch": torch.__version__,
    }


def write(out: Path, record: dict[str, object], rows: list[Row]) -> None:
    """One row a line: a change of one is a change of one line."""
    lines = ",\n".join("  " + json.dumps(row) for row in rows)
    rest = json.dumps(record, indent=1)[2:]
    out.write_text('{\n "rows": [\n' + lines + "\n ],\n" + rest + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=RECORD)
    parser.add_argument("--kinds", nargs="*", help="only rows of these kinds: weights, ...")
    parser.add_argument("--fresh", action="store_true", help="measure every row again")
    asked = parser.parse_args()
    lm = load_tiny_lm()
    model, data = lm.model.requires_grad_(False), load_data(lm)
    judge = Judge(model, data.judged)
    record = settings(judge, data)
    kept: dict[str, Row] = {}
    if asked.out.exists() and not asked.fresh:
        before = json.loads(asked.out.read_text(encoding="utf-8"))
        same = all(before.get(key) == value for key, value in record.items())
        kept = {row["name"]: row for row in before["rows"]} if same else {}
    record |= {
        "threads": torch.get_num_threads(),
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "machine": platform.machine(),
        "date": datetime.date.today().isoformat(),
    }
    rows: list[Row] = []
    for case in cases(model, data):
        if asked.kinds and case.kind not in asked.kinds and case.name not in kept:
            continue
        row = kept.get(case.name) or judge.row(case)
        rows.append(row)
        print(row["name"], row["bytes"], row["kl"], row["kl_standard_error"], flush=True)
        later = [old for name, old in kept.items() if name not in {r["name"] for r in rows}]
        write(asked.out, record, rows + later)


if __name__ == "__main__":
    main()
