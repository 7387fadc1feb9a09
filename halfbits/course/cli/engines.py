"""`python course.py engines`: one quantized model in all engines that are installed here."""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from halfbits.course.cli.export import quantized
from halfbits.errors import CourseError

if TYPE_CHECKING:
    from halfbits.engines.comparison import Row, Text
    from halfbits.models.language_model import LanguageModel


def run(
    method: str, bits: int, group: int, zeros: bool, only: list[str], tokens: int, as_json: bool
) -> int:
    """Print the table, or JSON; CourseError in one sentence."""
    from halfbits.engines import ENGINES
    from halfbits.models.tiny_lm import load_tiny_lm

    unknown = [name for name in only if name not in ENGINES]
    if unknown:
        raise CourseError(f"there is no engine {unknown[0]!r}; there are {', '.join(ENGINES)}.")
    exact = load_tiny_lm()
    found = measure(exact, quantized(exact, method, bits, group, zeros), only, tokens)
    if as_json:
        print(json.dumps([asdict(row) for row in found]))
    else:
        show(found)
    return 0


def measure(exact: LanguageModel, made: LanguageModel, only: list[str], tokens: int) -> list[Row]:
    """The rows, on one thread, which is given back; missing engines are told on stderr."""
    from halfbits.course.checks.threads import one_thread
    from halfbits.engines import ENGINES
    from halfbits.engines.comparison import Judge

    with one_thread(), tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        judge = Judge(exact, judged(exact, tokens))
        return list(judge.rows(made, Path(folder), only or ENGINES, _say))


def judged(exact: LanguageModel, tokens: int) -> Text:
    """The first `tokens` tokens of every second held-out document; calibration saw the others."""
    from halfbits.engines.comparison import Text
    from halfbits.models.tiny_lm import END, END_ID, load_text

    documents = load_text("heldout").split(END)
    return Text(exact.encode(END + END.join(documents[::2]))[:tokens], END_ID)


def show(found: list[Row]) -> None:
    """One row an engine: what changed against float32, bytes, speed, and what it multiplied."""
    table = Table(box=None, pad_edge=False)
    for title in ("engine", "perplexity", "MB", "prefill", "decode", "logits", "what ran"):
        table.add_column(title, justify="left" if title in ("engine", "what ran") else "right")
    for row in found:
        table.add_row(*cells(row))
    Console(width=None if sys.stdout.isatty() else 120).print(table)
    print("perplexity: minus that of float32, with its standard error on the same tokens.")
    print("prefill, decode: times faster than this course's own float32 loop in the same run.")
    print("logits: the largest difference to the same codes, computed in float32.")


def cells(row: Row) -> tuple[str, ...]:
    """The row as a person reads it."""
    change = f"{row.change.difference:+.3f} ± {row.change.standard_error:.3f}"
    size = f"{row.nbytes / 1e6:.2f}" if row.nbytes else "-"
    speeds = (f"{ratio.median:.2f}" for ratio in (row.prefill, row.decode))
    return row.engine, change, size, *speeds, f"{row.apart:.1g}", row.ran


def _say(sentence: str) -> None:
    print(f"halfbits: {sentence}", file=sys.stderr)
