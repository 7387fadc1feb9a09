"""Why a check failed, in the four parts that a report shows."""

from __future__ import annotations

from typing import Any, NamedTuple

INDENT = " " * 11  # what continues a part stands below its text


class Failure(NamedTuple):
    """What was called, what was expected, what came instead, and why it matters."""

    called: str
    expected: str
    got: str
    why: str

    def __str__(self) -> str:
        """Four lines, their labels flush right."""
        rows = zip(self._fields, self, strict=True)
        return "\n".join(f"{label:>9}: {_indented(text)}" for label, text in rows)

    def shortened(self, most: int) -> Failure:
        """Each part cut to `most` characters."""
        return Failure(*(part[:most] for part in self))


def from_json(value: Any) -> Failure | str:
    """The failure whose fields `value` holds; anything else as a text."""
    if isinstance(value, dict) and value.keys() == set(Failure._fields):
        return Failure(**{name: str(part) for name, part in value.items()})
    return str(value)


def _indented(text: str) -> str:
    return text.replace("\n", "\n" + INDENT)
