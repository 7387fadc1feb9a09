"""The number that a lesson glued: what its stored outputs hold under a name."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

from halfbits.folders import find_root


def glued(notebook: str, name: str) -> float:
    """The number glued as `name` in notebooks/`notebook`.ipynb; 94.2 for "94.2%".

    Raises KeyError with the names that there are.
    """
    known = _glued(find_root() / "notebooks" / f"{notebook}.ipynb")
    if name not in known:
        raise KeyError(f"{notebook} glues no {name!r}; it glues {', '.join(known)}")
    number = re.fullmatch(r"'?([-+]?[\d,]*\.?\d+(?:e[-+]?\d+)?)%?'?", known[name])
    if number is None:
        raise ValueError(f"{notebook} glues {known[name]} as {name!r}, which is no number")
    return float(number[1].replace(",", ""))


@cache
def _glued(path: Path) -> dict[str, str]:
    """The plain texts of a notebook's glued values by name."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    return {
        output["metadata"]["scrapbook"]["name"]: "".join(
            next(text for kind, text in output["data"].items() if kind.endswith("text/plain"))
        )
        for output in outputs
        if "scrapbook" in output.get("metadata", {})
    }
