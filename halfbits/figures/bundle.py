"""One file for each component: JupyterLab loads a module without its neighbors, a page faster.

Both come from the modules as they lie here.
"""

from __future__ import annotations

import re
from pathlib import Path

FOLDER = Path(__file__).parent
COMPONENTS = (
    "bit-explorer",
    "number-line",
    "accumulator",
    "roofline",
    "quantizer",
    "outliers",
    "precision-ladder",
)
IMPORT = re.compile(r'^import \{[^}]*\} from "\./([\w-]+)\.mjs";\n', re.MULTILINE)
EXPORT = re.compile(r"^export (?=const|function|class)", re.MULTILINE)


def bundled(name: str) -> str:
    """The module `name` with everything that it imports, as one module with one default export.

    Names at the top level must differ between modules that are loaded together.
    """
    parts: dict[str, str] = {}
    _collect(name, parts)
    return "\n".join(parts.values())


def _collect(name: str, parts: dict[str, str]) -> None:
    source = (FOLDER / f"{name}.mjs").read_text(encoding="utf-8")
    for other in IMPORT.findall(source):
        if other not in parts:
            _collect(other, parts)
    parts[name] = EXPORT.sub("", IMPORT.sub("", source))
