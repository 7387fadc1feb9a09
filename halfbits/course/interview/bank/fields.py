"""The front matter of a question file: which fields there are, and what each has to hold."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator
from typing import Any

import yaml

from halfbits.course.interview.bank.question import KINDS, LANGUAGES, LEVELS, PROOFS, TOPICS

Complaint = tuple[str, str]  # a field, such as `points[2].en`, and what is wrong with it
Check = Callable[[Any, str], Iterator[Complaint]]


class FrontMatterError(ValueError):
    """Front matter that is no YAML; `line` counts from its first line, 1."""

    def __init__(self, line: int, text: str) -> None:
        super().__init__(text)
        self.line = line


def one_of(names: Any) -> Check:
    def check(value: Any, field: str) -> Iterator[Complaint]:
        if not isinstance(value, str) or value not in names:
            yield field, f"expected one of {', '.join(names)}, got {value!r}"

    return check


def whole(low: int, high: int) -> Check:
    def check(value: Any, field: str) -> Iterator[Complaint]:
        if type(value) is not int or not low <= value <= high:
            yield field, f"expected a whole number from {low} to {high}, got {value!r}"

    return check


def words(shape: str, means: str) -> Check:
    def check(value: Any, field: str) -> Iterator[Complaint]:
        if not isinstance(value, str) or not re.fullmatch(shape, value):
            yield field, f"expected {means}, got {value!r}"

    return check


def several(low: int, high: int, entry: Check) -> Check:
    """A list of `low` to `high` entries, no two of them alike."""

    def check(value: Any, field: str) -> Iterator[Complaint]:
        if not isinstance(value, list) or not low <= len(value) <= high:
            number = len(value) if isinstance(value, list) else repr(value)
            yield field, f"expected a list of {low} to {high} entries, got {number}"
            return
        for place, part in enumerate(value):
            yield from entry(part, f"{field}[{place + 1}]")
            if part in value[:place]:
                yield f"{field}[{place + 1}]", f"{part!r} stands there twice"

    return check


def record_of(**entries: Check) -> Check:
    """A mapping that has exactly these keys."""

    def check(value: Any, field: str) -> Iterator[Complaint]:
        if not isinstance(value, dict) or set(value) != set(entries):
            yield field, f"expected exactly the fields {', '.join(entries)}, got {value!r}"
            return
        for name, entry in entries.items():
            yield from entry(value[name], f"{field}.{name}")

    return check


def proof(value: Any, field: str) -> Iterator[Complaint]:
    if not isinstance(value, dict) or len(value) != 1 or not set(value) <= set(PROOFS):
        yield field, f"expected one of {', '.join(PROOFS)} with its target, got {value!r}"
        return
    [(kind, target)] = value.items()
    mark = "#" if kind in ("cell", "record") else "::"
    if not isinstance(target, str) or not all(target.partition(mark)):
        yield f"{field}.{kind}", f"expected a place and a name joined by {mark!r}, got {target!r}"


def source(value: Any, field: str) -> Iterator[Complaint]:
    given = set(value) if isinstance(value, dict) else set()
    place = {"cite": KEY} if "cite" in given else {"title": TEXT, "url": URL}
    claim = {"says": IN_EVERY_LANGUAGE} if "says" in given else {}
    for name, says in record_of(**place, **claim)(value, field):
        expected = f"expected cite, or title and url, and says if it is for a claim, got {value!r}"
        yield name, says if name != field else expected


def expressions(value: Any, field: str) -> Iterator[Complaint]:
    if not isinstance(value, dict):
        yield field, f"expected names with an expression each, got {value!r}"
        return
    for name, expression in value.items():
        yield from NAME(name, f"{field}.{name}")
        if not isinstance(expression, str):
            yield f"{field}.{name}", f"expected an expression in quotes, got {expression!r}"


TEXT = words(r"(?s)\s*\S.*", "a text")
KEY = words(r"[\w:.-]+", "a key of book/references.bib")
URL = words(r"https://\S+", "a URL that begins with https://")
SLUG = words(r"[a-z][a-z0-9_]*", "a slug of lower-case letters, digits and _")
NAME = words(r"[a-z][a-z0-9_]*", "a name of lower-case letters, digits and _")
IN_EVERY_LANGUAGE = record_of(**dict.fromkeys(LANGUAGES, TEXT))
EXERCISE = words(r"[a-z_]+/[a-z0-9_]+", "an exercise as topic/slug")

REQUIRED: dict[str, Check] = {
    "level": one_of(LEVELS),
    "kind": one_of(KINDS),
    "minutes": whole(1, 30),
    "topics": several(1, 3, one_of(TOPICS)),
    "proof": several(1, 8, proof),
    "sources": several(1, 8, source),
    "points": several(3, 6, IN_EVERY_LANGUAGE),
}
OPTIONAL: dict[str, Check] = {
    "seed": whole(1, 10),
    "prerequisites": several(0, 5, SLUG),
    "follow_ups": several(0, 3, SLUG),
    "lessons": several(0, 5, SLUG),
    "exercises": several(0, 4, EXERCISE),
    "numbers": expressions,
}


def complaints(values: dict[str, Any]) -> Iterator[Complaint]:
    """All that is wrong with the fields of a question."""
    for name in REQUIRED.keys() - values.keys():
        yield name, "is missing"
    for name, value in values.items():
        check = {**REQUIRED, **OPTIONAL}.get(name)
        if check is None:
            near = difflib.get_close_matches(str(name), [*REQUIRED, *OPTIONAL], n=1)
            yield str(name), f"is unknown; did you mean {near[0]}?" if near else "is unknown"
        else:
            yield from check(value, name)
    if values.get("kind") == "estimate" and not values.get("numbers"):
        yield "numbers", "an estimate question needs at least one"
    if values.get("kind") == "code" and not values.get("exercises"):
        yield "exercises", "a code question needs at least one"


def read_front_matter(text: str) -> tuple[dict[str, Any], dict[str, int]]:
    """The fields and the line of each, counted from 1. Raises FrontMatterError."""
    try:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)
        node = loader.get_single_node()
        lines = dict(_lines(node, ""))
        values = loader.construct_document(node) if node else None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise FrontMatterError(line, f"cannot be read: {error.problem}") from error
    except yaml.YAMLError as error:
        raise FrontMatterError(1, f"cannot be read: {error}") from error
    if not isinstance(values, dict):
        raise FrontMatterError(1, "expected fields, such as level: screening")
    return values, lines


def _lines(node: yaml.Node | None, field: str) -> Iterator[tuple[str, int]]:
    if node is not None:
        yield field, node.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode):
        for place, part in enumerate(node.value, 1):
            yield from _lines(part, f"{field}[{place}]")
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            name = f"{field}.{key.value}".lstrip(".")
            yield from _lines(value, name)
            yield name, key.start_mark.line + 1
