"""Reads one question file: front matter, then the same sections in English and in Chinese."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from halfbits.course.interview.bank.expression import BadExpressionError, evaluate
from halfbits.course.interview.bank.fields import FrontMatterError, complaints, read_front_matter
from halfbits.course.interview.bank.question import LANGUAGES, Proof, Question, Source, Text
from halfbits.course.interview.bank.sections import (
    Section,
    Sections,
    pairs,
    split,
    style_complaints,
)
from halfbits.course.interview.words import words
from halfbits.quantities import quantity

PARTS = ("short", "full", "follow_ups", "red_flags")
HEADINGS = {name: tuple(words("pages", name)[part] for part in PARTS) for name in LANGUAGES}
PLACEHOLDER = re.compile(r"\{\{(.*?)\}\}")
SLUG = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True, order=True)
class Problem:
    """One mistake in a question file: where it stands and what was expected there."""

    path: Path
    line: int
    field: str
    says: str

    def __str__(self) -> str:
        here = Path.cwd()
        path = self.path.relative_to(here) if self.path.is_relative_to(here) else self.path
        return f"{path.as_posix()}:{self.line}: {self.field}: {self.says}"


@dataclass
class Reading:
    """A file that is being read, its first line numbers, and the problems found so far."""

    path: Path
    lines: dict[str, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def note(self, name: str, says: str, line: int | None = None) -> None:
        """Remember a problem; without a line it is that of the field or of what holds it."""
        holder = name
        while line is None:
            line = self.lines.get(holder)
            holder = re.sub(r"(?:^|[.\[])[^.\[]*$", "", holder)
            if not holder:
                line = line or 1
        self.problems.append(Problem(self.path, line, name, says))


def read_question(path: Path) -> tuple[Question | None, list[Problem]]:
    """The question in a file, or None, with every problem found in it."""
    reading = Reading(path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reading.note("file", f"cannot be read as UTF-8: {error}")
        return None, reading.problems
    question = _read(text, reading)
    return (None if reading.problems else question), sorted(reading.problems)


def _read(text: str, reading: Reading) -> Question | None:
    if not SLUG.fullmatch(reading.path.stem):
        reading.note("file", "expected a name of lower-case letters, digits and _")
    found = re.match(r"---\n(.*?\n)---\n", text, re.DOTALL)
    if not found:
        reading.note("front matter", "expected it between two lines ---, at the file's beginning")
        return None
    values = _front_matter(found[1], reading)
    start = found[0].count("\n") + 1
    sections = _body(split(text[found.end() :], start), reading)
    if reading.problems:
        return None
    numbers = _numbers(values.get("numbers") or {}, reading)
    _check_placeholders(values, numbers, sections, reading)
    return None if reading.problems else _question(reading.path, values, numbers, sections)


def _front_matter(text: str, reading: Reading) -> dict[str, Any]:
    try:
        values, lines = read_front_matter(text)
    except FrontMatterError as error:
        reading.note("front matter", str(error), error.line + 1)
        return {}
    reading.lines.update({name: line + 1 for name, line in lines.items()})
    for name, says in complaints(values):
        reading.note(name, says)
    return values


def _body(sections: Sections, reading: Reading) -> dict[str, list[Section]]:
    """The five sections of each language: the question, then those under its headings."""
    if [language for language, _ in sections] != list(LANGUAGES):
        got = ", ".join(f"# {language}" for language, _ in sections) or "none"
        reading.note("headings", f"expected # en: and then # zh:, got {got}", 1)
    for language, parts in sections:
        expected = HEADINGS.get(language, ())
        titles = tuple(part.title for part in parts[1:])
        if titles != expected:
            says = f"expected the sections {', '.join(expected)}; got {', '.join(titles) or 'none'}"
            reading.note(language, says, parts[0].line)
            continue
        for part in parts:
            for line, says in style_complaints(part, language):
                reading.note(f"{language}, {part.title}", says, line)
    return dict(sections)


def _numbers(expressions: Mapping[str, str], reading: Reading) -> dict[str, float]:
    numbers: dict[str, float] = {}
    for name, expression in expressions.items():
        try:
            numbers[name] = evaluate(expression, numbers)
        except BadExpressionError as error:
            reading.note(f"numbers.{name}", str(error))
    return numbers


def _check_placeholders(
    values: Mapping[str, Any],
    numbers: Mapping[str, float],
    bodies: Mapping[str, list[Section]],
    reading: Reading,
) -> None:
    if reading.problems:
        return
    for language, parts in bodies.items():
        used: set[str] = set()
        for part in parts:
            for line, text in part.numbered():
                used.update(
                    _placeholders(text, numbers, f"{language}, {part.title}", line, reading)
                )
        for place, point in enumerate(values["points"], 1):
            name = f"points[{place}].{language}"
            used.update(_placeholders(point[language], numbers, name, None, reading))
        for name in numbers.keys() - used:
            reading.note(f"numbers.{name}", f"is not used in {language}")


def _placeholders(
    text: str, numbers: Mapping[str, float], name: str, line: int | None, reading: Reading
) -> Iterator[str]:
    """The names in `{{name:format}}`; a wrong one is noted."""
    for found in PLACEHOLDER.finditer(text):
        try:
            printed(found, numbers)
            yield found[1].strip().partition(":")[0]
        except KeyError as error:
            says = f"{found[0]} names no entry of numbers, and {error.args[0]}"
            reading.note(name, says, line)
        except ValueError as error:
            reading.note(name, f"{found[0]} has a bad format: {error}", line)


def filled(text: str, numbers: Mapping[str, float]) -> str:
    """`text` with every `{{name:format}}` replaced by its number."""
    return PLACEHOLDER.sub(lambda found: printed(found, numbers), text)


def printed(found: re.Match[str], numbers: Mapping[str, float]) -> str:
    """What a placeholder prints: an entry of `numbers`, or else a named quantity, which has a form
    of its own. Raises KeyError, ValueError."""
    name, _, form = found[1].strip().partition(":")
    if name in numbers:
        return format(numbers[name], form)
    known = quantity(name)
    if form:
        raise ValueError(f"the quantity {name} has a form of its own, {known.form}")
    return known.text


def _question(
    path: Path,
    values: Mapping[str, Any],
    numbers: Mapping[str, float],
    bodies: Mapping[str, list[Section]],
) -> Question:
    lists = ("topics", "prerequisites", "follow_ups", "lessons", "exercises")
    return Question(
        slug=path.stem,
        level=values["level"],
        kind=values["kind"],
        minutes=values["minutes"],
        seed=values.get("seed"),
        **{name: tuple(values.get(name) or ()) for name in lists},
        proofs=tuple(Proof(*entry) for item in values["proof"] for entry in item.items()),
        numbers=numbers,
        sources=tuple(Source(**entry) for entry in values["sources"]),
        points=tuple({k: filled(v, numbers) for k, v in p.items()} for p in values["points"]),
        texts={language: _text(parts, numbers) for language, parts in bodies.items()},
        path=path,
    )


def _text(parts: list[Section], numbers: Mapping[str, float]) -> Text:
    question, short, full, follow_ups, red_flags = (
        filled(part.text.strip(), numbers) for part in parts
    )
    return Text(question, short, full, tuple(pairs(follow_ups)), tuple(pairs(red_flags)))
