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
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from halfbits.evaluate import compare, divergences, log_probabilities, summarize
from halfbits.methods import (
    allocate,
    awq,
    gptq,
    kv_cache,
    llm_int8,
    low_rank,
    qat,
    rotation,
    rounding,
    rtn,
    smoothquant,
)
from halfbits.methods.activations import round_inputs
from halfbits.methods.calibration import windows
from halfbits.models.language_model import LanguageModel
from halfbits.models.llama import Llama
from halfbits.models.tiny_lm import END, load_text, load_tiny_lm

RECORD = Path(__file__).resolve().parents[1] / "book" / "data" / "methods.json"
DOCUMENTS, JUDGED = 16, 256
SAMPLES, LENGTH = 32, 256  # of every row that does not say otherwise
SWEEP_LENGTH, SWEEP = 64, (8, 32, 128, 512)
SEED_SAMPLES, MORE_SEEDS, SEED_TEXTS = 128, (1, 2), ("code", "austen")
TEXTS = ("code", "python_docs", "austen")
GROUP = 64
ADAROUND_STEPS, QAT_STEPS = 100, 30

Built = tuple[nn.Module, float]
Row = dict[str, str | int | float | list[float]]


class Case(NamedTuple):
    """A row's name and kind, what builds its model, and what else the row says."""

    name: str
    kind: str
    build: Callable[[], Built]
    said: dict[str, str | int]


class Data(NamedTuple):
    """`judged` int64 [documents, JUDGED + 1], and the calibration texts' tokens by name."""

    judged: Tensor
    texts: dict[str, Tensor]


def load_data(lm: LanguageModel) -> Data:
    """Even held-out documents to judge by, odd ones and two other texts to calibrate on."""
    rows = [
        torch.cat([torch.tensor([lm.end]), lm.encode(t)]) for t in load_text("heldout").split(END)
    ]
    even = [row[: JUDGED + 1] for row in rows[0::2] if len(row) > JUDGED][:DOCUMENTS]
    others = {name: lm.encode(load_text(name)) for name in TEXTS[1:]}
    return Data(torch.stack(even), {"code": torch.cat(rows[1::2]), **others})


def weights(model: Llama, data: Tensor) -> Iterator[Case]:
    """Weights alone, groups of 64, at 4 and 3 bits."""
    for bits in (4, 3):
        plain, name = partial(rtn.quantize, model, None, bits, GROUP), f"int{bits} g{GROUP}"
        learned = partial(gptq.quantize, model, data, bits, GROUP)
        scaled = partial(awq.quantize, model, data, bits, GROUP)
        builds: dict[str, Callable[[], Built]] = {
            "rtn": partial(plain, clip=1.0),
            "clip": plain,
            "gptq amax": partial(learned, clip=1.0),
            "gptq": learned,
            "awq scale": partial(scaled, clip=False),
            "awq": scaled,
        }
        for method, build in builds.items():
            yield Case(f"{name} {method}", "weights", build, {})
    yield from three_bits(model, data)


def three_bits(model: Llama, data: Tensor) -> Iterator[Case]:
    """What is looked at where a method matters most; then what takes other bytes."""
    plain = partial(rtn.quantize, model, None, 3, GROUP)
    learned = partial(gptq.quantize, model, data, 3, GROUP, 1.0)
    builds: dict[str, Callable[[], Built]] = {
        "int3 g64 octav": partial(plain, clip="octav"),
        "int3 g64 gptq amax, no act order": partial(learned, act_order=False),
        "int3 g64 adaround": partial(
            rounding.quantize, model, data, 3, GROUP, steps=ADAROUND_STEPS
        ),
        "int3 g64 qat": partial(qat.quantize, model, data, 3, GROUP, steps=QAT_STEPS),
        "int3 g64 low rank 8": partial(low_rank.quantize, model, data, 8, 3, GROUP),
        "int3 g64 affine": partial(plain, clip=1.0, symmetric=False),
        "int3 g64 affine gptq": partial(learned, symmetric=False),
        "int3 g32 clip": partial(rtn.quantize, model, None, 3, 32),
        "int3 g32 gptq": partial(gptq.quantize, model, data, 3, 32),
        "int3.5 g64 fisher": partial(allocate.quantize, model, data, 3.5, group=GROUP),
        "int3.5 g64 first layers 4": partial(half_and_half, model, True),
        "int3.5 g64 last layers 4": partial(half_and_half, model, False),
        "int4 g64 fisher": partial(allocate.quantize, model, data, 4.0, group=GROUP),
    }
    for name, build in builds.items():
        yield Case(name, "weights", build, {})


def half_and_half(model: Llama, first: bool) -> Built:
    """Half the layers in 4 bits, the others in 3: the mixture that looks at nothing."""
    names = list(allocate.code_bytes(model, (3, 4)))
    half = set(names[: len(names) // 2] if first else names[len(names) // 2 :])
    return allocate.rounded(model, {name: 4 if name in half else 3 for name in names}, GROUP)


def activations(model: Llama, data: Tensor) -> Iterator[Case]:
    """int8 weights a row and int8 inputs; int4 weights of 64 and int4 inputs; scales from amax."""
    for bits, group in ((8, "channel"), (4, GROUP)):
        name = f"w{bits}a{bits}"
        options: dict[str, Any] = {"bits": bits, "granularity": group, "clip": 1.0}

        def plain(start: Llama, bits: int = bits, options: dict = options) -> Built:
            lossy, nbytes = rtn.quantize(start, None, **options)
            return round_inputs(lossy, bits), nbytes

        smooth = partial(smoothquant.quantize, model, data, activation_bits=bits, **options)
        turned = partial(rotation.quantize, model, None, activation_bits=bits, **options)
        builds: dict[str, Callable[[], Built]] = {
            "none": partial(plain, model),
            "smooth 0.5": partial(smooth, alpha=0.5),
            "smooth 0.9": partial(smooth, alpha=0.9),
            "gains folded": partial(plain, rotation.fold_gains(model)),
            "rotated, not down": partial(turned, down=None),
            "rotated, down in 64": partial(turned, down=64),
            "rotated": turned,
        }
        for method, build in builds.items():
            yield Case(f"{name} {method}", "activations", build, {})
    split = partial(llm_int8.quantize, model, data)
    yield Case("w8a8 llm.int8", "activations", split, {})
    best = partial(rotation.quantize, model, data, granularity=GROUP)
    yield Case("w4a4 rotated, gptq", "activations", best, {})


def caches(model: Llama) -> Iterator[Case]:
    """Keys or values alone, and both, with groups of 32; 16 bits until a group has passed."""
    for bits in (4, 2):
        keys: dict[str, Any] = {"key_bits": bits, "value_bits": 16}
        values: dict[str, Any] = {"key_bits": 16, "value_bits": bits}
        both: dict[str, Any] = {"key_bits": bits, "value_bits": bits}
        options: dict[str, dict[str, Any]] = {
            "keys by token": keys | {"key_axis": "token"},
            "keys by token, rotated": keys | {"key_axis": "token", "hadamard": True},
            "keys by channel": keys,
            "keys by channel before rope": keys | {"before_rope": True},
            "values by token": values,
            "values by channel": values | {"value_axis": "channel"},
            "both by token": both | {"key_axis": "token"},
            "kivi": both,
            "kivi, first 4": both | {"first": 4},
            "kivi, 32 more recent": both | {"recent": 32},
        }
        for name, chosen in options.items():
            yield Case(f"kv{bits} {name}", "cache", partial(cache, model, chosen), {})


def cache(model: Llama, options: dict) -> Built:
    """The model with such a cache, and the cache's bytes: the mean while a sequence grows."""
    lossy, _ = kv_cache.quantize(model, None, **options)
    sizes = [lossy.scheme.nbytes(model.config, tokens) for tokens in range(1, JUDGED + 1)]
    return lossy, sum(sizes) / len(sizes)


def calibrations(model: Llama, texts: dict[str, Tensor]) -> Iterator[Case]:
    """int3 g64 by GPTQ and AWQ on three texts, 8 to 512 samples; three seeds of 128."""
    methods: dict[str, Callable[..., Built]] = {"gptq": gptq.quantize, "awq": awq.quantize}
    plan = [(text, samples, 0) for text in TEXTS for samples in SWEEP]
    plan += [(text, SEED_SAMPLES, seed) for text in SEED_TEXTS for seed in MORE_SEEDS]
    for text, samples, seed in plan:
        data = windows(texts[text], samples, SWEEP_LENGTH, seed)
        for name, method in methods.items():
            said: dict[str, str | int] = {
                "method": name,
                "text": text,
                "samples": samples,
                "seed": seed,
            }
            title = f"int3 g{GROUP} {name}: {text} {samples}" + (f" seed {seed}" if seed else "")
            build = partial(method, model, data, bits=3, granularity=GROUP)
            yield Case(title, "calibration", build, said)


def cases(model: Llama, data: Data) -> Iterator[Case]:
    """All rows but the model's own, in the record's order."""
    code = windows(data.texts["code"], SAMPLES, LENGTH)
    yield from weights(model, code)
    yield from activations(model, code)
    yield from caches(model)
    yield from calibrations(model, data.texts)


class Judge:
    """Holds the model's own predictions, and every other model to them."""

    def __init__(self, model: Llama, judged: Tensor) -> None:
        self.judged = judged
        self.base = log_probabilities(model, judged, JUDGED)
        self.groups = torch.arange(judged.shape[0]).repeat_interleave(JUDGED)
        self.perplexity = summarize(self._losses(self.base), self.groups)

    def row(self, case: Case) -> Row:
        """One row: what the case says, its bytes, KL and perplexity with their standard errors."""
        began = time.perf_counter()
        model, nbytes = case.build()
        seconds = time.perf_counter() - began
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
            "seconds_to_quantize": round(seconds, 1),
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
