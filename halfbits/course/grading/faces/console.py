"""How reports, hints and progress look in a terminal."""

from __future__ import annotations

from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markdown import Markdown
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from halfbits.course.catalog import Exercise
from halfbits.course.grading.looks import look_of_all
from halfbits.course.grading.report import Report, clean, lines
from halfbits.course.progress.following import Following
from halfbits.course.progress.hints import LEVELS, Hint
from halfbits.course.progress.leaderboard import Entry


def print_report(report: Report) -> None:
    """The report of one exercise: what failed, the summary, the next step."""
    console = Console(highlight=False)
    head = Text(report.exercise.slug, style=f"bold {look_of_all(report).color}")
    console.print(head + Text(f": {report.summary()}", style="not bold"))
    for line in lines(report):
        console.print(Text(line.rstrip()))
    if step := report.next_step():
        console.print(Text(f"next: {step}", style="cyan"))
    console.print()


def print_hint(exercise: Exercise, hint: Hint) -> None:
    """One hint as rendered Markdown."""
    console = Console()
    console.print(Panel(Markdown(hint.text), title=f"{hint.task}: {hint.title}", width=80))
    if hint.level < LEVELS[-1]:
        again = f"python course.py hint {exercise.slug} {hint.task}"
        console.print(Text(f"the next level: {again}", style="cyan"))


def print_progress(
    rows: list[dict[str, Any]], totals: dict[str, int], following: Following | None
) -> None:
    """The table of exercises, by topic, and the one to take next."""
    table = Table(box=SIMPLE_HEAD, padding=0)  # narrow: no name is cut off in 80 columns
    for column in ("exercise", "kind", "checks", "tries", "hints", "minutes", "solved", "hardened"):
        counted = column in ("checks", "tries", "hints", "minutes")
        table.add_column(column, justify="right" if counted else "left", no_wrap=True)
    for place, row in enumerate(rows):
        exercise, record = row["exercise"], row["record"]
        if place and exercise.topic != rows[place - 1]["exercise"].topic:
            table.add_section()
        table.add_row(
            exercise.slug,
            exercise.kind,
            f"{len(record.passed)} of {totals[exercise.key]}",
            str(record.tries),
            str(sum(record.hints.values())),
            f"{row['minutes']}/{exercise.minutes}",
            record.solved or ("started" if record.tries else "-"),
            "yes" if record.is_hardened else "-",
        )
    Console(highlight=False).print(table)
    print_following(following)


def print_following(following: Following | None) -> None:
    """The exercise to take next, and why."""
    console = Console(highlight=False)
    if following is None:
        console.print("All exercises are solved and hardened.")
        return
    exercise = following.exercise
    place = f"next: exercises/{exercise.key}.ipynb ({exercise.title}, {exercise.minutes} minutes)"
    console.print(Text(place, style="cyan"))
    console.print(Text(following.why))


def print_leaderboard(entries: list[Entry]) -> None:
    """One row for each person and exercise, best first."""
    console = Console(highlight=False)
    if not entries:
        console.print("No score yet: grade capstone/within_budget.")
        return
    table = Table(box=SIMPLE_HEAD, padding=0)
    for column in ("exercise", "name", "medal", "ratio", "bytes", "speed", "date"):
        counted = column in ("ratio", "bytes", "speed")
        table.add_column(column, justify="right" if counted else "left")
    for one in entries:
        exercise, name = (Text(clean(text)) for text in (one.exercise.split("/")[-1], one.name))
        figures = (f"{one.ratio:.3f}", f"{one.bytes:,}", f"{one.speed:.2f}")
        table.add_row(exercise, name, Text(one.medal), *figures, Text(one.date))
    console.print(table)
