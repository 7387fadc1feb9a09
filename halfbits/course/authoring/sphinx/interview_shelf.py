"""The shelf of papers and releases as MyST: one table for each year, the newest first."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from halfbits.course.authoring.sphinx.interview_pages import Writer
from halfbits.course.interview.bank.shelf import Work, load_shelf


def shelf(writer: Writer) -> Iterator[str]:
    """Date, work, claim, and the questions and lessons that treat it."""
    heads = " | ".join(writer.words[name] for name in ("date", "work", "claims", "used"))
    for year, works in groupby(load_shelf(writer.source), key=lambda work: work.year):
        yield f"\n## {year}\n\n% id y{year}\n"
        yield f"| {heads} |"
        yield "|---|---|---|---|"
        for work in works:
            claim = work.claims[writer.language]
            yield f"| {work.date} | {named(work)} | {claim} | {used(writer, work)} |"


def named(work: Work) -> str:
    """The name, as a link or beside its citation."""
    return f"**{work.name}** {{cite}}`{work.cite}`" if work.cite else f"[{work.name}]({work.url})"


def used(writer: Writer, work: Work) -> str:
    """Links to questions in the page's language, and to lessons."""
    found = (writer.bank.find(slug) for slug in work.questions)
    links = [writer.link(one, one.texts[writer.language].question) for one in found]
    links += [writer.notebook(f"notebooks/{name}") for name in work.lessons]
    return "<br>".join(link.replace("|", r"\|") for link in links)
