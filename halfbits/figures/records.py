"""What a component is given to show, from the library's own tables."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from halfbits.perf.cost import HARDWARE, Decoder

# The sizes of the tiny LM are in its config.json, those of Llama 3 in its cited report.
MODELS = {
    "Llama 3 8B": Decoder(32, 4096, 14336, 32, 8, 128, 128_256),
    "Llama 3 70B": Decoder(80, 8192, 28672, 64, 8, 128, 128_256),
    "tiny LM": Decoder(6, 256, 704, 8, 2, 32, 4096),
}


def page_data(name: str) -> dict[str, Any]:
    """The data of the component `name`; empty for one that computes everything itself."""
    if name != "roofline":
        return {}
    machines = json.loads(HARDWARE.read_text(encoding="utf-8"))
    return {
        "machines": machines,
        "models": {known: asdict(sizes) for known, sizes in MODELS.items()},
    }
