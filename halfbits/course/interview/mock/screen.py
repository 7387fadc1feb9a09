"""How a mock interview's report and the earlier ones look in a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from halfbits.course.catalog import load_catalog
from halfbits.course.interview.bank.bank import Bank
from halfbits.course.interview.bank.question import LEVELS, TOPICS
from halfbits.course.interview.cards.terminal import show
from halfbits.course.interview.mock.report import change, score
from halfbits.course.interview.text.phrases import phrases
from halfbits.course.lessons import load_lessons
from halfbits.course.progress.progress import read_progress


def print_report(
    console: Console, bank: Bank, report: Mapping[str, Any], last: Mapping[str, Any] | None
) -> None:
    """Scores by topic and since last time, missed points, what to read and do next."""
    language = report["language"]
    words = phrases(language)
    console.print(Rule(Text(f"{words['report']} · {LEVELS[report['level']][language]}")))
    console.print(scores(report, last, language))
    weak = [TOPICS[topic][language] for topic in report["weakest"]]
    weakest = words["weakest"].format(topics=words["comma"].join(weak))
    console.print(Text(weakest if weak else words["none_weak"], style="bold"))
    console.print()
    missed = list(missed_points(bank, report))
    if missed:
        show(console, f"**{words['missed']}**\n\n" + "\n".join(missed))
    todo = {"lessons": lesson_lines(report), "exercises": exercise_lines(report)}
    for name, lines in todo.items():
        if lines:
            console.print(Text(words[name], style="bold"))
            for line in lines:
                console.print(Text(f" - {line}"), soft_wrap=True)
    if report["not_reached"]:
        texts = [bank.find(slug).texts[language].question for slug in report["not_reached"]]
        show(console, f"**{words['not_reached']}**\n\n" + "\n".join(f"- {text}" for text in texts))


def scores(report: Mapping[str, Any], last: Mapping[str, Any] | None, language: str) -> Table:
    """A row for each topic, the weakest first, and one for all."""
    words = phrases(language)
    rises = change(report, last)
    compared = [words["change"]] if rises else []
    table = Table(words["topic"], words["score"], "%", *compared, words["time"])
    for column in table.columns[1:]:
        column.justify = "right"
    topics = report["topics"]
    for topic in sorted(topics, key=lambda name: score(topics[name])):
        table.add_row(TOPICS[topic][language], *_cells(topics[topic], rises, topic, words))
    table.add_section()
    table.add_row(words["total"], *_cells(report, rises, "", words))
    return table


def _cells(
    counts: Mapping[str, Any], rises: Mapping[str, float], topic: str, words: dict[str, str]
) -> list[str]:
    """Score, percent, change if any is known, and time."""
    shown = [f"{100 * rises[topic]:+.0f}" if topic in rises else ""] if rises else []
    minutes, seconds = divmod(int(counts["seconds"]), 60)
    of = f"{counts['got']} {words['of']} {counts['of']}"
    return [of, f"{100 * score(counts):.0f}", *shown, f"{minutes}:{seconds:02}"]


def missed_points(bank: Bank, report: Mapping[str, Any]) -> list[str]:
    """The points that were not said, below their questions, as a Markdown list."""
    language = report["language"]
    lines = []
    for entry in report["questions"]:
        question = bank.find(entry["slug"])
        if entry["missed"]:
            lines.append(f"- {question.texts[language].question}")
            lines += [f"    - {question.points[i][language]}" for i in entry["missed"]]
    return lines


def lesson_lines(report: Mapping[str, Any]) -> list[str]:
    lessons = load_lessons(load_catalog().root)
    return [
        f"{lessons[stem].title} (notebooks/{stem}.ipynb)"
        for stem in report["lessons"]
        if stem in lessons
    ]


def exercise_lines(report: Mapping[str, Any]) -> list[str]:
    """The exercises to do next; one that is solved already says so."""
    catalog, records = load_catalog(), read_progress()
    words = phrases(report["language"])
    lines = []
    for key in report["exercises"]:
        if exercise := catalog.by_key.get(key):
            solved = f", {words['solved']}" if key in records and records[key].is_solved else ""
            lines.append(f"{exercise.title} (exercises/{key}.ipynb{solved})")
    return lines


def print_history(reports: Sequence[Mapping[str, Any]], language: str) -> None:
    """A row for each interview, oldest first."""
    words = phrases(language)
    table = Table(words["earlier"], words["level"], words["minutes"], words["score"], "%")
    for report in reports:
        level = LEVELS[report["level"]][language]
        of = f"{report['got']} {words['of']} {report['of']}"
        moment = report["began"][:16].replace("T", " ")
        percent = f"{100 * score(report):.0f}"
        table.add_row(moment, level, str(report["minutes"]), of, percent)
    Console(highlight=False).print(table)
