"""Finds numbers that somebody typed into the prose of a page (MyST markdown).

A number of a page is glued from an executed cell or stands in a sentence with a citation. Code,
formulas, quotations, headings, links, formats such as fp16, bit widths, years, versions, the
declared minutes, and zero, one and powers of two without a unit are no statements of measured
facts and are left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CITED = "\N{BULLET}"  # stands where a citation stood; it occurs in no page
# Fenced directives whose text is prose; every other fence holds code, a formula or a file name.
PROSE_DIRECTIVES = "admonition|card|dropdown|grid|important|note|tab-item|tab-set|tip|warning"
NUMBER = re.compile(
    r"(?<![\w.,/^\-])[-+\N{MINUS SIGN}]?\d+(?:,\d{3})*(?:\.\d+)?(?:[eE][-+]?\d+)?(?:\s?%)?(?![\w/])"
)
NOT_MEASURED = [
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"\b(?:1|2|3|4|5|6|7|8|10|16|19|32|64|128)[- ]bits?\b",
        r"\b(?:(?:1|2|3|4|5|6|7|8|10|16|32|64), )*\d+ (?:or|and|to) \d+ bits\b",
        r"\b(?:19|20)\d\d(?:-\d\d){0,2}\b",
        r"\b\d{1,2} minutes\b|^\*\*Minutes\.\*\* \d{1,2}$",
        r"\b(?:listing|section|question|part|step|level|hint|exercise|table|figure|version)s? "
        r"\d+(?:\.\d+)*(?:(?:,| and| or| to) \d+)*",
        r"\b(?:Python|PyTorch|torch|TensorFlow|Keras|RTX|CUDA|AVX|SSE)[- ]?\d[\d.]*",
        r"\b(?:Llama|Qwen|Gemma|GPT)[- ]?\d[\d.]*",
        r"\bAVX-512\b|\bISO \d+\b|\bIEEE 754\b|\bApache-2\.0\b",
    )
]


# "1,024 inputs" says how something was made; "4 times" and "2 dB" are results.
UNIT = re.compile(
    r"\s*(?:%|(?:times|x|dB|bits|percent|points|nats|tokens?/s|tokens per|[mnµ]?s|seconds)\b)"
    r"|\s*[kMGT]i?B\b"
)


@dataclass(frozen=True)
class Typed:
    """A number that was typed, where, and the line it stands in."""

    page: str
    line: int
    number: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}: {self.number} in: {self.text.strip()[:110]}"


def typed_numbers(path: Path, root: Path) -> Iterator[Typed]:
    """The typed numbers of a page; a notebook's line is counted in the cell that is named."""
    page = path.relative_to(root).as_posix()
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        yield from in_markdown(text, page)
        return
    for cell in json.loads(text)["cells"]:
        if cell["cell_type"] == "markdown":
            yield from in_markdown("".join(cell["source"]), f"{page}#{cell['id']}")


def in_markdown(text: str, page: str = "page") -> Iterator[Typed]:
    """The typed numbers of MyST markdown."""
    lines = text.splitlines()
    for number, line in sentences(prose(text)):
        for found in NUMBER.finditer(line):
            if UNIT.match(line, found.end()) or not is_plain(found[0]):
                yield Typed(page, number, found[0].strip(), lines[number - 1])


def is_plain(number: str) -> bool:
    """Whether `number` is zero, one or a power of two."""
    digits = number.replace(",", "")
    return digits.isdecimal() and int(digits).bit_count() <= 1


def prose(text: str) -> str:
    """`text` with everything blanked that is no prose; lines keep their number."""
    text = without_fences(text)
    text = re.sub(r"<!--.*?-->", blank, text, flags=re.DOTALL)
    text = re.sub(r"\$\$.*?\$\$", blank, text, flags=re.DOTALL)
    text = re.sub(r"\{cite(?::\w)?\}`[^`]*`", CITED, text)
    text = re.sub(r"\{[\w:-]+\}`[^`]*`", "x", text)
    text = re.sub(r"(`+).+?\1", "x", text)
    text = re.sub(r"(?<!\\)\$[^$\n]+\$", "x", text)
    text = re.sub(r"!?\[([^\]]*)\](?:\([^)]*\)|\{[^}]*\})", "x", text)
    text = re.sub(r"^ *(?:#+ |>|:\w+:|\(.+\)=|\|[-:| ]+\|$).*", "", text, flags=re.MULTILINE)
    text = re.sub(r"^ *(?:\d+\.|[-*]|\| \d+(?:\.\d+)? \|) ", "", text, flags=re.MULTILINE)
    text = re.sub(r"</?\w[^>]*>", "", text)
    for pattern in NOT_MEASURED:
        text = re.sub(pattern.pattern, "x", text, flags=re.IGNORECASE | re.MULTILINE)
    return text


def without_fences(text: str) -> str:
    """`text` with code, formulas and the options of directives blanked."""
    kept, closing = [], ""
    for line in text.splitlines():
        mark = re.match(r"\s*(`{3,}|~{3,}|:{3,})(.*)", line)
        if closing:
            kept.append("")
            if mark and mark[1] == closing and not mark[2].strip():
                closing = ""
        elif mark and mark[2].strip() and not re.match(rf"\{{(?:{PROSE_DIRECTIVES})", mark[2]):
            kept.append("")
            closing = mark[1]
        elif mark:
            kept.append(re.sub(r"^\{[^}]*\}", "", mark[2]))
        else:
            kept.append(line)
    return "\n".join(kept)


def sentences(text: str) -> Iterator[tuple[int, str]]:
    """The sentences without a citation, each cut at line ends, with their line."""
    line = 1
    for sentence in re.split(r"(?<=[.!?:;])(?=\s)(?=\s+[^a-z])|(?=\n\s*\n)|(?=\n\|)", text):
        for offset, part in enumerate(sentence.split("\n")):
            if CITED not in sentence:
                yield line + offset, part
        line += sentence.count("\n")


def blank(found: re.Match[str]) -> str:
    return "\n" * found[0].count("\n")
