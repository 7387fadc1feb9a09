"""Which numbers of an answer somebody typed, and which of those are inputs or stand in its proof.

An estimate's results come from its expressions. What may be typed is what it starts from: numbers
of the question, of claims that it cites and of the expressions, published limits of hardware, and
what the proof shows.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import astuple
from functools import cache
from typing import Any

import numpy as np
from prose_numbers import Typed, in_markdown

from halfbits.course.interview.bank.links import Checkout
from halfbits.course.interview.bank.parse import PLACEHOLDER
from halfbits.course.interview.bank.question import Proof, Question
from halfbits.course.interview.bank.sections import Section, split
from halfbits.formats import FORMATS, limits
from halfbits.perf.cost import llama_3

DIGITS = re.compile(r"(?<![\w.])\d[\d,_]*(?:\.\d+)?(?:e[-+]?\d+)?")
POWERS = (1e-12, 1e-9, 1e-6, 1e-3, 1e-2, 1, 1e2, 1e3, 1e6, 1e9, 1e12)


def bodies(question: Question) -> Iterator[tuple[str, Section]]:
    """The sections of a question file with their language, placeholders still in place."""
    _, _, body = question.path.read_text(encoding="utf-8").split("---\n", 2)
    for language, sections in split(body, 1):
        for section in sections:
            yield language, section


def typed(section: Section) -> Iterator[Typed]:
    """The numbers of a section's prose that were typed."""
    yield from in_markdown(PLACEHOLDER.sub("x", section.text), section.title)


def value(text: str) -> float:
    """What a written number is worth; percent as a share of a hundred."""
    return float(re.sub(r"[,_%\s]", "", text).replace("\N{MINUS SIGN}", "-"))


def shown(number: str, values: list[float], powers: tuple[float, ...] = POWERS) -> bool:
    """Whether a written number is one of `values`, rounded as it is written, in another unit."""
    mantissa, _, exponent = re.sub(r"[\s%]", "", number).lower().partition("e")
    half = 0.5 * 10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2]))
    with np.errstate(over="ignore"):
        in_units = np.multiply.outer(np.abs(values), powers)
    return bool((np.abs(in_units - abs(value(number))) <= half * (1 + 1e-9)).any())


def numbers_in(text: str) -> list[float]:
    return [value(found) for found in DIGITS.findall(text)]


LEVEL = 95.0  # percent, the usual level of an interval
LIMITS = [float(end) for name in FORMATS for end in vars(limits(name)).values()]


SIZES = [float(size) for billions in (8, 70) for size in astuple(llama_3(billions))]


def inputs(question: Question, expressions: dict[str, str], hardware: str) -> list[float]:
    """Numbers of the question, its sources and their claims, its expressions, published hardware
    and models, and the formats."""
    asked = [text.question for text in question.texts.values()]
    cited = [claim for source in question.sources for claim in source.says.values()]
    sources = [f"{source.title} {source.url}" for source in question.sources]
    given = numbers_in(" ".join([*asked, *cited, *sources, *expressions.values(), hardware]))
    return [*given, LEVEL, *SIZES, *LIMITS]


def proven(question: Question, checkout: Checkout) -> list[float]:
    """Numbers of the cells, values, checks and tests that a question names: of these alone, since
    a number elsewhere in the same file proves nothing."""
    return [number for proof in question.proofs for number in shown_by(proof, checkout)]


@cache
def shown_by(proof: Proof, checkout: Checkout) -> list[float]:
    """The numbers in what one proof names."""
    found = checkout.proven(proof)
    if proof.kind == "cell":
        return numbers_in("".join(found["source"]) + told(found["outputs"]))
    if proof.kind == "record":
        return numbers_in(json.dumps(found))
    source = ast.unparse(found) if isinstance(found, ast.AST) else str(found)
    return numbers_in(source)


def told(outputs: list[dict[str, Any]]) -> str:
    """The words of a cell's outputs, glued values among them; pictures have none."""
    texts = [output.get("text", "") for output in outputs]
    for output in outputs:
        data = output.get("data", {})
        texts += [text for kind, text in data.items() if kind.endswith("text/plain")]
    return " ".join("".join(text) for text in texts)
