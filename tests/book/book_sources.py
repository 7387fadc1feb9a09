"""The committed sources of the book, as its tests read them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def notebooks_in_toc() -> Iterator[str]:
    """The paths, without suffix, of the contents' entries that are notebooks."""
    toc = (ROOT / "book" / "_toc.yml").read_text(encoding="utf-8")
    for name in re.findall(r"file: (\S+)", toc):
        if not name.startswith("book/"):
            yield name


def code_cells(path: Path) -> list[dict[str, Any]]:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"]


def source(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


def tags(cell: dict[str, Any]) -> list[str]:
    return cell["metadata"].get("tags", [])
