"""A small question bank for the tests of the drills: built in memory, both languages."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from halfbits.course.interview.bank.bank import Bank, Question, Text

POINTS = (
    {"en": "Names the format", "zh": "说出格式"},
    {"en": "Names the accumulator", "zh": "说出累加器"},
    {"en": "Gives the bound", "zh": "给出上界"},
)


def make_question(slug: str, path: Path = Path(__file__), **changes: Any) -> Question:
    """A question whose texts name its slug and language."""
    texts = {"en": make_text(slug, "en"), "zh": make_text(slug, "zh")}
    question = Question(
        slug=slug,
        level="screening",
        kind="explain",
        minutes=4,
        topics=("formats",),
        seed=None,
        prerequisites=(),
        follow_ups=(),
        lessons=("number_formats",),
        exercises=(),
        proofs=(),
        numbers={},
        sources=(),
        points=POINTS,
        texts=texts,
        path=path,
    )
    return dataclasses.replace(question, **changes)


def make_text(slug: str, language: str) -> Text:
    words = {"en": "What is", "zh": "什么是"}[language]
    return Text(
        question=f"{words} `{slug}`?",
        short=f"**{slug}** is $2^{{-25}}$ ({language}).",
        full=f"All about {slug}.\n\n| a | b |\n|---|---|\n| 1 | 2 |",
        follow_ups=(
            ("Which accumulator does it need?", "One of 32 bits."),
            ("What is the bound on its format?", "Half a step."),
        ),
        red_flags=(("It is exact.", "It rounds."), ("It is fast.", "It depends.")),
    )


def make_bank(*questions: Question) -> Bank:
    return Bank(tuple(sorted(questions, key=lambda question: question.rank)))


def make_large_bank() -> Bank:
    """Forty questions over topics, levels and kinds, with prerequisites and follow-ups."""
    topics = ("formats", "amp", "quantization", "methods", "evaluation", "performance", "systems")
    levels = ("screening", "onsite", "staff")
    kinds = ("explain", "compare", "estimate", "debug", "code")
    questions = []
    for number in range(42):
        topic, level = topics[number % 7], levels[(number // 7) % 3]
        before = (f"q{number - 7:02}",) if level != "screening" and number % 2 else ()
        after = (f"q{number + 7:02}",) if number + 7 < 42 else ()
        questions.append(
            make_question(
                f"q{number:02}",
                topics=(topic,),
                level=level,
                kind=kinds[number % 5],
                minutes=3 + number % 4,
                prerequisites=before,
                follow_ups=after,
                seed=number + 1 if number < 10 else None,
                exercises=("amp/amp_basics",) if topic == "amp" else (),
            )
        )
    return make_bank(*questions)
