"""The questions of the bank as MyST: folded answers, what proves them, where to go on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from os.path import relpath
from pathlib import Path

from sphinx.errors import ExtensionError

from halfbits.course.interview.bank.bank import Bank, Proof, Question, Source, load_bank
from halfbits.course.interview.bank.question import KINDS, LEVELS
from halfbits.course.interview.words import LANG, words
from halfbits.errors import CourseError

OTHER = {"en": "zh", "zh": "en"}


@cache
def bank_of(source: Path) -> Bank:
    """The bank of the folder that holds book/, read once a build."""
    try:
        return load_bank(source)
    except CourseError as error:
        raise ExtensionError(str(error)) from error


def page_of(question: Question, language: str) -> str:
    """The page, without suffix, that shows a question."""
    return f"{folder(language)}/{question.topic}"


def folder(language: str) -> str:
    return "book/interview" if language == "en" else f"book/interview/{language}"


@dataclass(frozen=True)
class Writer:
    """Writes for one page in one language; `source` is the folder that holds book/."""

    bank: Bank
    source: Path
    page: str
    language: str

    @property
    def words(self) -> dict[str, str]:
        return words("pages", self.language)

    def topic(self, topic: str) -> Iterator[str]:
        """The questions whose first topic this is, under a heading for each level."""
        for level, names in LEVELS.items():
            chosen = [q for q in self.bank.questions if (q.topic, q.level) == (topic, level)]
            if chosen:
                yield f"\n## {names[self.language]}\n\n% id {level}\n"
            for question in chosen:
                yield from self.question(question)

    def question(self, question: Question) -> Iterator[str]:
        text = question.texts[self.language]
        yield f"\n### {text.question}\n\n% id {question.slug}\n"
        yield self.badges(question)
        yield from self.fold("short", [text.short])
        yield from self.fold("full", [text.full])
        yield from self.fold(
            "follow_ups",
            [f"::::{{fold}} {asked}\n{answer}\n::::" for asked, answer in text.follow_ups],
        )
        yield from self.fold("red_flags", bullets(f"**{a}** {b}" for a, b in text.red_flags))
        yield from self.fold("points", bullets(p[self.language] for p in question.points))
        yield from self.links(question)

    def fold(self, name: str, lines: Sequence[str]) -> Iterator[str]:
        yield f":::::{{fold}} {self.words[name]}\n:class: hb-{name.replace('_', '-')}\n"
        yield from lines
        yield ":::::\n"

    def badges(self, question: Question) -> str:
        said = [
            LEVELS[question.level][self.language],
            KINDS[question.kind][self.language],
            self.words["minutes"].format(question.minutes),
        ]
        if question.seed is not None:
            said.append(self.words["seed"].format(question.seed))
        spans = " ".join(f"<span>{escape(word)}</span>" for word in said)
        other = OTHER[self.language]
        there = self.link(question, self.words["other"], other)
        return f'<p class="hb-badges">{spans} {there}</p>\n'

    def links(self, question: Question) -> Iterator[str]:
        """What proves the answer, what trains it, what is asked next, and where to read more."""
        rows = {
            "proof": [self.proof(proof) for proof in question.proofs],
            "cited": [self.claim(source) for source in question.sources if source.says],
            "lessons": [self.notebook(f"notebooks/{name}") for name in question.lessons],
            "exercises": [self.notebook(f"exercises/{key}") for key in question.exercises],
            "prerequisites": self.titles(question.prerequisites),
            "next": self.titles(question.follow_ups),
            "sources": [cited(source) for source in question.sources],
        }
        yield "::::{container} hb-links"
        for name, entries in rows.items():
            if entries:
                yield self.row(name, entries)
        yield "::::\n"

    def row(self, name: str, entries: Sequence[str]) -> str:
        head = f"- **{self.words[name]}{self.words['colon']}**"
        if name == "cited":  # sentences, one below the other
            return "\n  - ".join([head, *entries])
        return f"{head} {self.words['comma'].join(entries)}"

    def proof(self, proof: Proof) -> str:
        return self.words[proof.kind].format(*PROVE[proof.kind](self, proof))

    def claim(self, source: Source) -> str:
        """What rests on a source alone, and the source."""
        return self.words["claim"].format(source.says[self.language], cited(source))

    def cell(self, proof: Proof) -> tuple[str, ...]:
        name = proof.place.removesuffix(".ipynb")
        address = escape(f"{self.path(name)}.html#cell-{proof.name}")
        return f'<a href="{address}"><code>{proof.name}</code></a>', self.notebook(name)

    def check(self, proof: Proof) -> tuple[str, ...]:
        return f"`{proof.name}`", self.notebook(f"exercises/{proof.place}")

    def test(self, proof: Proof) -> tuple[str, ...]:
        return (f"`{proof.target}`",)

    def record(self, proof: Proof) -> tuple[str, ...]:
        return f"`{proof.name}`", f"[`{proof.place}`]({self.path(proof.place)})"

    def notebook(self, name: str) -> str:
        """A link to the page of a notebook, named by its title."""
        return f'<a href="{escape(self.path(name))}.html">{title_of(self.source, name)}</a>'

    def titles(self, slugs: Sequence[str]) -> list[str]:
        """Links to other questions; one that is not there is left to the bank's test."""
        known = self.bank.by_slug
        return [
            self.link(known[slug], known[slug].texts[self.language].question)
            for slug in slugs
            if slug in known
        ]

    def link(self, question: Question, text: str, language: str | None = None) -> str:
        """A link to a question in this language or another."""
        address = f"{self.path(page_of(question, language or self.language))}.html"
        mark = f' lang="{LANG[language]}" hreflang="{LANG[language]}"' if language else ""
        return f'<a href="{address}#{question.slug}"{mark}>{text}</a>'

    def path(self, name: str) -> str:
        """The way from this page to a file or page below the folder that holds book/."""
        return Path(relpath(name, Path(self.page).parent)).as_posix()


PROVE: dict[str, Callable[[Writer, Proof], tuple[str, ...]]] = {
    "cell": Writer.cell,
    "check": Writer.check,
    "test": Writer.test,
    "record": Writer.record,
}


def bullets(entries: Iterator[str]) -> list[str]:
    return ["- " + entry.replace("\n", "\n  ") for entry in entries]


def cited(source: Source) -> str:
    return f"{{cite:t}}`{source.cite}`" if source.cite else f"[{source.title}]({source.url})"


@cache
def title_of(source: Path, name: str) -> str:
    """The first heading of a notebook."""
    notebook = json.loads((source / f"{name}.ipynb").read_text(encoding="utf-8"))
    for entry in notebook["cells"]:
        for line in "".join(entry["source"]).split("\n"):
            if entry["cell_type"] == "markdown" and line.startswith("# "):
                return line[2:].strip()
    return name
