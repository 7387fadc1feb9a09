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
# A whole question as its file; tests break it line by line.
GOOD = """\
---
level: onsite
kind: estimate
minutes: 5
topics: [performance, systems]
seed: 3
prerequisites: []
follow_ups: []
lessons: [a_lesson]
exercises: [topic/task]
proof:
  - cell: notebooks/a_lesson.ipynb#first
  - check: topic/task::test_half
  - record: book/data/a.json#rows[name=b].per.cent
  - test: tests/unit/test_a.py::test_it
numbers:
  cache: "2 * 32 * 8 * 128 * BITS['bf16'] / 8"
  kib: "cache / 1024"
sources:
  - cite: someone2020
  - {title: A page, url: "https://example.org/x", says: {en: Caches are bf16, zh: "缓存是 bf16"}}
points:
  - {en: Says {{kib:.0f}} KiB., zh: "说出 {{kib:.0f}} KiB。"}
  - {en: Names GQA., zh: "提到 GQA。"}
  - {en: Counts two., zh: "乘 2。"}
---
# en: How large is it for {{kib:.0f}}?

## Answer in 30 seconds
It is {{cache:,.0f}} bytes, $2 L H d$.

## Full answer
First.

```python
# no heading
x = 1
```

## Follow-ups
- **Why two?** Keys and values.
- **Why not all heads?** GQA
  shares them.

## Red flags
- **All heads.** GQA has fewer.
- **No factor.** There are two.

# zh: 它有多大？

## 30 秒回答
每个 token 占 {{cache:,.0f}} 字节，`BITS`。

## 完整回答
公式如下。

## 追问
- **为什么乘 2？** 键和值。
- **为什么不是全部头？** GQA 共享。

## 危险信号
- **按全部头算。** GQA 更少。
- **漏掉 2。** 有两份。
""".replace("{en: Says {{kib:.0f}} KiB.,", '{en: "Says {{kib:.0f}} KiB.",')


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
