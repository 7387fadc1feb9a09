"""The formats' table for the figures: `python -m halfbits.figures.widths` writes widths.mjs."""

from __future__ import annotations

import json

from halfbits.figures.bundle import FOLDER
from halfbits.format_table import FORMATS

MODULE = FOLDER / "widths.mjs"
HEAD = """// Name, exponent and fraction in bits, bias, and what the last codes mean.
// Made from halfbits/format_table.py by `python -m halfbits.figures.widths`.
"""


def module() -> str:
    """The module's text: one row for each of FORMATS."""
    rows = (
        [form.name, form.exponent, form.mantissa, form.bias, form.ends] for form in FORMATS.values()
    )
    lines = "".join(f"  {json.dumps(row)},\n" for row in rows)
    return f"{HEAD}export const WIDTHS = [\n{lines}];\n"


if __name__ == "__main__":
    MODULE.write_text(module(), encoding="utf-8")
