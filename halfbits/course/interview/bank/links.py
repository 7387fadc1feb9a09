"""What a question points at: proofs, lessons, exercises, sources and other questions must exist."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from halfbits.course.catalog import load_catalog
from halfbits.course.checklist import Check, read_checks
from halfbits.course.interview.bank.parse import Problem
from halfbits.course.interview.bank.question import Proof, Question
from halfbits.selectors import SelectorError, select


class MissingError(LookupError):
    """Something that a question names and that is not there."""


@dataclass(frozen=True)
class Checkout:
    """The files at `root` that questions point at."""

    root: Path

    def cell(self, path: str, name: str) -> dict[str, Any]:
        """The code cell called `name` of a notebook. Raises MissingError."""
        cells = _parsed(self.root / path, path)["cells"]
        for cell in cells:
            if cell.get("id") == name and cell["cell_type"] == "code":
                return cell
        known = ", ".join(cell["id"] for cell in cells if cell["cell_type"] == "code")
        raise MissingError(f"{path} has no code cell {name!r}; it has {known}")

    def function(self, path: str, name: str) -> ast.AST:
        """The function called `name` of a module of tests. Raises MissingError."""
        wanted = name.partition("[")[0].split("::")[-1]
        functions = _functions(self.root / path, path)
        if wanted not in functions:
            raise MissingError(f"{path} has no function {wanted!r}")
        return functions[wanted]

    def check(self, exercise: str, name: str) -> Check:
        """The check called `name` of an exercise, its own or a suite's. Raises MissingError."""
        topic, _, slug = exercise.partition("/")
        path = f"exercises/{topic}/test_{slug}.py"
        checks = {check.name: check for check in _checks(self.root / path, path)}
        if name not in checks:
            raise MissingError(f"{path} has no check {name!r}")
        return checks[name]

    def record(self, path: str, name: str) -> Any:
        """The value that a path of `halfbits.selectors` names in a file. Raises MissingError."""
        try:
            return select(_parsed(self.root / path, path), name)
        except SelectorError as error:
            raise MissingError(f"{path}#{name}: {error}") from error

    def proven(self, proof: Proof) -> Any:
        """The cell, function or value that a proof names. Raises MissingError."""
        find: dict[str, Callable[[str, str], Any]] = {
            "cell": self.cell,
            "check": self.check,
            "record": self.record,
            "test": self.function,
        }
        return find[proof.kind](proof.place, proof.name)


@cache
def _parsed(path: Path, name: str) -> Any:
    return json.loads(_read(path, name))


@cache
def _checks(path: Path, name: str) -> tuple[Check, ...]:
    _read(path, name)
    return read_checks(path)


@cache
def _functions(path: Path, name: str) -> dict[str, ast.AST]:
    nodes = ast.walk(ast.parse(_read(path, name)))
    return {node.name: node for node in nodes if isinstance(node, ast.FunctionDef)}


def _read(path: Path, name: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise MissingError(f"there is no file {name}") from error


def link_problems(questions: Sequence[Question], root: Path) -> Iterator[Problem]:
    """Every name in `questions` that leads nowhere, and every circle of prerequisites."""
    known = {
        "prerequisites": {question.slug for question in questions},
        "follow_ups": {question.slug for question in questions},
        "lessons": {path.stem for path in (root / "notebooks").glob("*.ipynb")},
        "exercises": {exercise.key for exercise in load_catalog(root).exercises},
    }
    cites = bibliography_keys(root)
    for question in questions:
        for name, names in known.items():
            for value in set(getattr(question, name)) - names:
                yield problem(question, name, f"there is no {value!r}")
            if question.slug in getattr(question, name):
                yield problem(question, name, "a question cannot name itself")
        for source in question.sources:
            if source.cite and source.cite not in cites:
                yield problem(question, "sources", f"references.bib has no {source.cite!r}")
        yield from proof_problems(question, Checkout(root))
    yield from circles(questions)


def proof_problems(question: Question, checkout: Checkout) -> Iterator[Problem]:
    for proof in question.proofs:
        try:
            checkout.proven(proof)
        except MissingError as error:
            yield problem(question, "proof", str(error))


def bibliography_keys(root: Path) -> set[str]:
    text = (root / "book" / "references.bib").read_text(encoding="utf-8")
    return set(re.findall(r"^@\w+\{([^,\s]+)", text, re.MULTILINE))


def circles(questions: Sequence[Question]) -> Iterator[Problem]:
    """Prerequisites that lead back to their question."""
    needs = {question.slug: question.prerequisites for question in questions}
    for question in questions:
        seen: set[str] = set()
        open_ = list(question.prerequisites)
        while open_:
            slug = open_.pop()
            if slug not in seen:
                seen.add(slug)
                open_ += needs.get(slug, ())
        if question.slug in seen:
            yield problem(question, "prerequisites", "lead back to the question itself")


def problem(question: Question, field: str, says: str) -> Problem:
    """A problem at the line where the field begins."""
    lines = question.path.read_text(encoding="utf-8").split("\n")
    line = next((n for n, text in enumerate(lines, 1) if text.startswith(f"{field}:")), 1)
    return Problem(question.path, line, field, says)
