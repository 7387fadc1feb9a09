"""Perplexity of the tiny language model on its three texts, recorded in book/data/.

`python -m benchmarks.measure_tiny_lm` (a few minutes on two CPU cores).
"""

from __future__ import annotations

import datetime
import json
from pathlib import Path

import torch

from halfbits.evaluate import Perplexity
from halfbits.models.tiny_lm import TEXTS, load_text, load_tiny_lm

RECORD = Path(__file__).resolve().parents[1] / "book" / "data" / "tiny_lm_perplexity.json"


def row(found: Perplexity, text: str) -> dict:
    return {
        "perplexity": round(found.value, 4),
        "standard_error": round(found.standard_error, 4),
        "tokens": found.tokens,
        "clusters": found.clusters,
        # Comparable between tokenizers, as perplexity a token is not.
        "bits_per_byte": round(float(found.losses.sum()) / len(text.encode()) / 0.693147181, 4),
    }


def main() -> None:
    lm = load_tiny_lm()
    texts = {name: load_text(name) for name in TEXTS}
    record = {
        "texts": {name: row(lm.perplexity(text), text) for name, text in texts.items()},
        "unit": "perplexity a token, windows of 512 tokens every 256",
        "torch": torch.__version__,
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "date": datetime.date.today().isoformat(),
    }
    RECORD.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(record["texts"], indent=1))


if __name__ == "__main__":
    main()
