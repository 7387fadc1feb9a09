"""Records what the lesson `cpu_and_gpu` measures on this CPU, by running that lesson's own cells.

`python -m benchmarks.cpu_formats NAME` writes book/data/formats_cpu_NAME.json: the speed of each
type and of each implementation, as a multiple of float32's on one thread of the same CPU.
"""

from __future__ import annotations

import datetime
import json
import sys
from pathlib import Path
from typing import Any

from benchmarks.bench import versions
from benchmarks.cpu_levels import cpu_name
from halfbits.folders import find_root
from halfbits.perf.measure import Ratio, cpu_report

CELLS = ("setup", "cpu-products", "cpu-product-rates", "ways", "decode", "decode-check", "copies")


def measured() -> dict[str, Any]:
    """The names that the lesson's cells leave: `here`, `on_cpu` and `copies` hold the ratios."""
    path = find_root() / "notebooks" / "cpu_and_gpu.ipynb"
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    names: dict[str, Any] = {}
    for cell in cells:
        if cell["id"] in CELLS:
            exec("".join(cell["source"]), names)
    return names


def rows(ratios: dict[Any, Ratio], key: str) -> list[dict[str, Any]]:
    return [
        {key: name, "speed": {"low": r.low, "median": r.median, "high": r.high}, "pairs": r.pairs}
        for name, r in ratios.items()
    ]


def record() -> dict[str, Any]:
    """Hardware, versions, date, and the three parts of the lesson."""
    names = measured()
    return {
        "hardware": {"device": cpu_name(), **cpu_report()},
        "versions": versions(),
        "date": datetime.date.today().isoformat(),
        "command": "python -m benchmarks.cpu_formats NAME",
        "speed": "times the speed of float32 in the same pair; low and high are quartiles",
        "products": rows(names["here"], "way"),
        "one_token": rows(names["on_cpu"], "way"),
        "copies": rows(names["copies"], "side"),
    }


def main(arguments: list[str]) -> None:
    [name] = arguments
    target = find_root() / "book" / "data" / f"formats_cpu_{name}.json"
    made = json.dumps(record(), indent=1, default=float)
    Path(target).write_text(made + "\n", encoding="utf-8")
    print(target.name)


if __name__ == "__main__":
    main(sys.argv[1:])
