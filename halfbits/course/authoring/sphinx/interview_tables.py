"""Tables and lists over the whole bank as MyST: front door, cheat sheet, index of terms."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from halfbits.course.authoring.sphinx.interview_pages import OTHER, Writer
from halfbits.course.authoring.sphinx.interview_shelf import shelf
from halfbits.course.interview.bank.question import LEVELS, TOPICS
from halfbits.course.interview.bank.terms import Term, load_terms, page_text
from halfbits.formats import limits, named

FORMATS = {
    **{name: name for name in ("fp32", "tf32", "bf16", "fp16")},
    **{"fp8_e4m3fn": "fp8 e4m3", "fp8_e5m2": "fp8 e5m2", "fp4_e2m1": "fp4 e2m1"},
    **{name: name for name in ("int8", "int4")},
}


def value(number: float) -> str:
    """Few digits; small numbers as powers of two, which they are."""
    if number < 0.1:
        return f"$2^{{{math.log2(number):.0f}}}$"
    return f"{number:,.6g}" if number < 1e6 else f"{number:.2e}".replace("e+", "e")


def seed(writer: Writer) -> Iterator[str]:
    """The seed's ten questions as a table."""
    yield row(writer, "number", "question", "topic", "level", "time")
    yield "|--:|---|---|---|--:|"
    for question in writer.bank.questions:
        if question.seed is not None:
            title = cell(question.texts[writer.language].question)
            topic, level = TOPICS[question.topic], LEVELS[question.level]
            yield (
                f"| {question.seed} | {writer.link(question, title)} | {topic[writer.language]} "
                f"| {level[writer.language]} | {question.minutes} |"
            )


def topics(writer: Writer) -> Iterator[str]:
    """The pages of questions as a table: how many questions of each level, how long."""
    levels = [names[writer.language] for names in LEVELS.values()]
    yield f"| {writer.words['topic']} | {' | '.join(levels)} | {writer.words['time']} |"
    yield "|---|--:|--:|--:|--:|"
    for topic, names in TOPICS.items():
        own = [question for question in writer.bank.questions if question.topic == topic]
        counts = [sum(question.level == level for question in own) for level in LEVELS]
        minutes = sum(question.minutes for question in own)
        cells = " | ".join(map(str, counts))
        yield f"| [{names[writer.language]}]({topic}.md) | {cells} | {minutes} |"


def formats(writer: Writer) -> Iterator[str]:
    """The limits of the formats that interviews ask for."""
    yield row(writer, "format", "layout", "largest", "normal", "eps")
    yield "|---|---|--:|--:|--:|"
    for name, short in FORMATS.items():
        form, ends = named(name), limits(name)
        layout = f"1 / {form.exponent} / {form.mantissa}"
        if form.ends == "integer":
            yield f"| {short} | {form.bits} | {ends.largest:.0f} | | |"
        else:
            yield (
                f"| {short} | {layout} | {value(ends.largest)} "
                f"| {value(ends.smallest_normal)} | {value(ends.eps)} |"
            )


def points(writer: Writer) -> Iterator[str]:
    """What a strong answer to each of the seed's questions says."""
    for question in writer.bank.questions:
        if question.seed is not None:
            points = [point[writer.language].rstrip(".。") for point in question.points]
            said = writer.words["join"].join(points) + writer.words["stop"]
            yield f"{question.seed}. **{question.texts[writer.language].question}** {said}"


def flags(writer: Writer) -> Iterator[str]:
    """The first wrong answer to each of the seed's questions."""
    for question in writer.bank.questions:
        if question.seed is not None:
            claim, why = question.texts[writer.language].red_flags[0]
            yield f"{question.seed}. **{claim}** {why}"


def terms(writer: Writer) -> Iterator[str]:
    """The index of terms: the name in both languages, the question, the page that treats it."""
    yield row(writer, "term", "term_other", "question", "page")
    yield "|---|---|---|---|"
    for term in load_terms(writer.source):
        question = writer.bank.find(term.question)
        link = writer.link(question, cell(question.texts[writer.language].question))
        own, other = term.names[writer.language], term.names[OTHER[writer.language]]
        yield f"| {own} | {other} | {link} | {place(writer, term)} |"


def place(writer: Writer, term: Term) -> str:
    """A link to the page that treats a term; without one, to the questions of its topic."""
    if not term.page:
        topic = writer.bank.find(term.question).topic
        return f"[{TOPICS[topic][writer.language]}]({topic}.md)"
    notebook = writer.source / f"{term.page}.ipynb"
    if notebook.is_file():
        return writer.notebook(term.page)
    first, _, _ = page_text(writer.source, term.page).partition("\n")
    return f'<a href="{writer.path(term.page)}.html">{first.removeprefix("# ")}</a>'


def row(writer: Writer, *names: str) -> str:
    return f"| {' | '.join(writer.words[name] for name in names)} |"


def cell(text: str) -> str:
    """Inline Markdown for a cell of a table."""
    return text.replace("\n", " ").replace("|", r"\|")


SHOW: dict[str, Callable[[Writer], Iterator[str]]] = {
    function.__name__: function for function in (seed, topics, formats, points, flags, terms, shelf)
}
