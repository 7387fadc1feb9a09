"""The value of a record by name: `rows[name=int4 g64].perplexity` means the one row so named.

A path is a list of steps joined by dots: a key of an object, or a key and, in brackets, the fields
that one entry of the list under it must have. Several fields are joined by commas; a value may hold
commas and dots itself: `products[way=int8, one fused kernel, batch=1, inputs=8192].error`. A place
in a list is no name, and is refused: an insertion would silently move it.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

FIELD = re.compile(r"(?:^|, *)(\w+)=")


class SelectorError(LookupError):
    """A path that does not lead to exactly one value; the message says what is there."""


def select(value: Any, path: str) -> Any:
    """The value at `path` under `value`. Raises SelectorError."""
    while path:
        value, path = _step(value, path)
    return value


@cache
def load_record(path: Path) -> Any:
    """The content of a JSON file, read once. Raises OSError, ValueError."""
    return json.loads(path.read_text(encoding="utf-8"))


def cited(target: str, root: Path) -> Any:
    """The value of `FILE#PATH`, with FILE under `root`. Raises SelectorError, OSError."""
    name, _, path = target.partition("#")
    return select(load_record(root / name), path)


def _step(value: Any, path: str) -> tuple[Any, str]:
    """The value behind the first step of `path`, and the rest of the path."""
    if isinstance(value, list):
        raise SelectorError(f"{len(value)} entries of a list need fields in brackets, not {path!r}")
    keys = sorted(value, key=len, reverse=True) if isinstance(value, dict) else []
    for key in keys:
        rest = path.removeprefix(key)
        if rest != path and rest[:1] in ("", ".", "["):
            return _behind(value[key], rest, key)
    known = ", ".join(keys) or "a plain value"
    raise SelectorError(f"there is no {path!r}; there is {known}")


def _behind(value: Any, rest: str, key: str) -> tuple[Any, str]:
    if rest[:1] != "[":
        return value, rest[1:]
    inside, closed, rest = rest[1:].partition("]")
    if not closed or not isinstance(value, list):
        raise SelectorError(f"{key} is no list, or the bracket after it is not closed")
    if rest and rest[0] != ".":
        raise SelectorError(f"expected a dot after {key}[{inside}], got {rest!r}")
    return _only(value, fields(inside), key), rest[1:]


def fields(text: str) -> dict[str, str]:
    """`way=int8, one fused kernel, batch=1` as a mapping. Raises SelectorError for none."""
    marks = list(FIELD.finditer(text))
    if not marks or marks[0].start():
        raise SelectorError(f"expected field=value in the brackets, got {text!r}")
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    return {m[1]: text[m.end() : end].strip() for m, end in zip(marks, ends, strict=True)}


def _only(rows: Sequence[Any], wanted: Mapping[str, str], key: str) -> Any:
    """The one entry of `rows` that has the wanted fields."""
    found = [row for row in rows if all(_is(row, name, text) for name, text in wanted.items())]
    if len(found) == 1:
        return found[0]
    said = ", ".join(f"{name}={text}" for name, text in wanted.items())
    raise SelectorError(f"{len(found)} entries of {key} have {said}; {_near(rows, wanted)}")


def _is(row: Any, name: str, text: str) -> bool:
    """Whether a field is the text, or the number that the text writes."""
    if not isinstance(row, dict) or name not in row:
        return False
    value = row[name]
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return value == float(text)
        except ValueError:
            return False
    return str(value) == text


def _near(rows: Sequence[Any], wanted: Mapping[str, str]) -> str:
    """For each field, the values near the wanted one, or all fields when it is in no row."""
    said = []
    for name, text in wanted.items():
        values = list(
            dict.fromkeys(str(r[name]) for r in rows if isinstance(r, dict) and name in r)
        )
        near = difflib.get_close_matches(text, values, n=4, cutoff=0.4) or values[:8]
        has = ", ".join(f"{value!r}" for value in near)
        said.append(f"{name} is {has}" if values else f"no entry has {name}")
    return "; ".join(said)
