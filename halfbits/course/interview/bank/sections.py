"""The Markdown of a question file: its sections, the pairs in a list, and the style of both."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

from halfbits.course.interview.words import words

HAN = r"[\u4e00-\u9fff]"
CODE = re.compile(r"(`+).+?\1|\$[^$\n]+\$|\{\{.*?\}\}")
ITEM = re.compile(r"- \*\*(?P<first>.+?)\*\*\s+(?P<second>\S.*)", re.DOTALL)
BANNED = {
    r"\{[\w:-]+\}[`\u2022]": "roles such as {cite} do not work on cards; use sources or lessons",
    r"\]\((?!https://)": "only links that begin with https:// work on cards; use lessons or proof",
    r"</?[a-zA-Z][^>]*>": "HTML does not work on cards",
}
LANGUAGE_RULES = {
    "en": {HAN: "Chinese characters in the English text"},
    "zh": {
        r"[０-９ａ-ｚＡ-Ｚ]": "full-width digits or letters; write 12 and fp16",
        rf"{HAN}[A-Za-z0-9]|[A-Za-z0-9%]{HAN}": "put a space between Chinese and Latin or digits",
        rf"{HAN} ?[,;:?!](?!\w)": "use Chinese punctuation after Chinese",
    },
}
MINIMUM = 2  # follow-ups and red flags


@dataclass(frozen=True)
class Section:
    """The lines below one heading; `line` is the heading's. The question's own title is empty."""

    title: str
    line: int
    text: str

    def numbered(self) -> Iterator[tuple[int, str]]:
        """The lines with their numbers; the question stands in the heading itself."""
        start = self.line if self.title == "question" else self.line + 1
        yield from enumerate(self.text.split("\n"), start)


Sections = list[tuple[str, list[Section]]]


def split(body: str, start: int) -> Sections:
    """The sections of each language, in the file's order; `start` is the body's first line."""
    languages: Sections = []
    lines: list[str] = []
    heading: tuple[str, int] | None = None

    def close() -> None:
        if heading and languages:
            languages[-1][1].append(Section(*heading, "\n".join(lines)))

    for number, line in outside_fences(body, start):
        top = re.match(r"# (\w+): *(.*)", line or "")
        below = re.match(r"## (.*)", line or "")
        if top or below:
            close()
            heading, lines = ((below[1].strip(), number) if below else ("question", number)), []
            if top:
                languages.append((top[1], []))
                lines = [top[2]]
        else:
            lines.append(body.split("\n")[number - start])
    close()
    return languages


def outside_fences(body: str, start: int) -> Iterator[tuple[int, str | None]]:
    """Each line's number with its text, or None for a line of fenced code."""
    fence = ""
    for number, line in enumerate(body.split("\n"), start):
        mark = re.match(r"\s*(`{3,}|~{3,})", line)
        if mark and (not fence or mark[1] == fence):
            fence = "" if fence else mark[1]
            yield number, None
        else:
            yield number, None if fence else line


def items(text: str) -> Iterator[tuple[int, str]]:
    """The entries of a top-level list, each with the number of its first line, from 0."""
    begun: list[tuple[int, list[str]]] = []
    for number, line in enumerate(text.split("\n")):
        if line.startswith("- ") or not begun:
            begun.append((number, []))
        begun[-1][1].append(line)
    for number, lines in begun:
        first, _, rest = "\n".join(lines).partition("\n")
        entry = f"{first}\n{textwrap.dedent(rest)}".rstrip()
        if entry.strip():
            yield number, entry


def pairs(text: str) -> Iterator[tuple[str, str]]:
    """What `- **first** second` lines pair up."""
    for _, entry in items(text):
        if found := ITEM.fullmatch(entry):
            yield found["first"], found["second"].strip()


def style_complaints(section: Section, language: str) -> Iterator[tuple[int, str]]:
    """All that is wrong with a section, each with its line."""
    if not section.text.strip():
        yield section.line, "is empty"
        return
    said = words("pages", language)
    if section.title in (said["follow_ups"], said["red_flags"]):
        yield from _list_complaints(section)
    for number, line in outside_fences(section.text, 0):
        at = number + next(section.numbered())[0]
        prose = CODE.sub("\N{BULLET}", line or "")
        if re.match(r"#{1,6} ", prose):
            yield at, f"unexpected heading {prose!r}"
        for pattern, says in {**BANNED, **LANGUAGE_RULES[language]}.items():
            if found := re.search(pattern, prose):
                yield at, f"{says} (at {found[0]!r})"
    if language == "zh" and not re.search(HAN, section.text):
        yield section.line, "expected a Chinese text"


def _list_complaints(section: Section) -> Iterator[tuple[int, str]]:
    entries = [(number, ITEM.fullmatch(entry)) for number, entry in items(section.text)]
    for number, found in entries:
        if not found:
            yield section.line + 1 + number, "expected lines such as: - **text** text"
    if len(entries) < MINIMUM:
        yield section.line, f"expected at least {MINIMUM} entries, got {len(entries)}"
