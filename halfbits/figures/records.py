"""What a component is given to show, from the library's own tables."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from halfbits.figures.bundle import FOLDER
from halfbits.perf.cost import HARDWARE, Decoder, llama_3
from halfbits.perf.storage import storage

TINY_LM = FOLDER.parent / "models" / "tiny_lm" / "config.json"

SHOWN_MODELS = {
    **{f"Llama 3 {billions}B": llama_3(billions) for billions in (8, 70)},
    "tiny LM": Decoder.of(json.loads(TINY_LM.read_text(encoding="utf-8"))),
}
STORED = ("fp32", "bf16", "fp8", "int8", "int4", "mxfp4", "nvfp4")


def page_data(name: str) -> dict[str, Any]:
    """The data of the component `name`; empty for one that computes everything itself."""
    if name != "roofline":
        return {}
    machines = json.loads(HARDWARE.read_text(encoding="utf-8"))
    return {
        "machines": machines,
        "models": {known: asdict(sizes) for known, sizes in SHOWN_MODELS.items()},
        "storage": {known: asdict(storage(known)) for known in STORED},
    }
