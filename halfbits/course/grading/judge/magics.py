"""What IPython adds to Python, for the cells of an answer: magics and shell lines do nothing."""

from __future__ import annotations

import difflib
import re
from typing import Any

KEEP_BODY = {"time", "timeit", "capture", "prun"}
RUN_LINE = {"time", "prun"}


class QuietShell:
    """What `get_ipython()` gives an answer: line magics do nothing, shell lines are never run."""

    def __init__(self, namespace: dict[str, Any], notes: list[str]) -> None:
        self.namespace, self.notes = namespace, notes

    def run_line_magic(self, name: str, line: str, *_: object, **__: object) -> Any:
        if name in RUN_LINE and line.strip():
            return self._value(name, line)
        if name == "run":
            self.notes.append("%run lines were not run: paste what they define")
        return None

    def _value(self, name: str, line: str) -> Any:
        for mode in ("eval", "exec"):
            try:
                code = compile(line.strip(), f"%{name}", mode)
            except (SyntaxError, ValueError):
                continue
            return eval(code, self.namespace)
        self.notes.append(f"a %{name} line was not run: it holds more than a statement")
        return None

    def getoutput(self, *_: object, **__: object) -> list[str]:
        self.notes.append("shell lines (!) were not run")
        return []

    def system(self, *_: object, **__: object) -> None:
        self.getoutput()

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: None


class Captured:
    """What `%%capture name` binds: nothing was captured, and showing it does nothing."""

    stdout = stderr = ""
    outputs: tuple[object, ...] = ()

    def show(self) -> None:
        """Does nothing."""

    __call__ = show


def plain_python(source: str, shell: QuietShell, label: str) -> str:
    """`source` with its magics turned into calls of `get_ipython()`, line for line.

    The body of `%%time` and its like is kept; a cell of any other `%%` magic becomes empty
    and is named in the shell's notes.
    """
    from IPython.core.inputtransformer2 import TransformerManager

    kept = source
    while magic := re.match(r"\s*%%(\w+)([^\n]*)\n?", kept):
        if magic[1] not in KEEP_BODY:
            shell.notes.append(f"{label} was left out: it is a %%{magic[1]} cell")
            return ""
        if magic[1] == "capture":
            shell.namespace |= {
                word: Captured() for word in magic[2].split() if word.isidentifier()
            }
        kept = "\n" * magic[0].count("\n") + kept[magic.end() :]
    return _aligned(kept, TransformerManager().transform_cell(kept))


def _aligned(before: str, after: str) -> str:
    """`after` with blank lines put where it has fewer lines than `before`."""
    old, new = before.splitlines(), after.splitlines()
    lines: list[str] = []
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for _, i, i_end, j, j_end in matcher.get_opcodes():
        lines += new[j:j_end] + [""] * max(0, (i_end - i) - (j_end - j))
    return "\n".join(lines) + "\n"
