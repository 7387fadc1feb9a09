"""The practice plan as a table: `python course.py plan`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from rich.console import Console
from rich.table import Table
from rich.text import Text

from halfbits.course.catalog import load_catalog
from halfbits.course.interview.bank.bank import load_bank
from halfbits.course.interview.cards.schedule import Schedule
from halfbits.course.interview.plan.items import read_lessons, remember_read
from halfbits.course.interview.plan.personal import Person, plan_for
from halfbits.course.interview.plan.plan import Day, Item, Plan, worth
from halfbits.course.interview.text.phrases import phrases
from halfbits.course.interview.text.render import as_text
from halfbits.course.lessons import load_lessons
from halfbits.course.progress.progress import read_progress

MOST_LEFT_OUT = 8


def run(days: int, minutes: int, language: str, read: Sequence[str]) -> int:
    """Print the plan from today on; lessons named in `read` are done. Raises CourseError."""
    bank, catalog, now = load_bank(), load_catalog(), datetime.now().astimezone()
    if read:
        remember_read(list(read), load_lessons(catalog.root))
    person = Person(Schedule.load(), read_progress(), read_lessons())
    print_plan(plan_for(person, bank, catalog, language, days, minutes, now), now, language)
    return 0


def print_plan(plan: Plan, start: datetime, language: str) -> None:
    """A row for each day, then what does not fit."""
    words = phrases(language)
    console = Console(highlight=False)
    table = Table(words["day"], words["what"], words["min"], title=words["plan"])
    table.columns[2].justify = "right"
    for number, day in enumerate(plan.days):
        date = (start + timedelta(days=number)).date().isoformat()
        first = f"{number + 1}  {date}"
        for text, minutes in day_rows(day, words):
            table.add_row(first, Text(text), str(minutes))
            first = ""
        table.add_section()
    console.print(table)
    print_left_out(console, plan, words)
    print_hint(console, plan, words)


def day_rows(day: Day, words: dict[str, str]) -> list[tuple[str, int]]:
    """The lines of a day with their minutes."""
    rows = []
    if day.reviews.minutes:
        text = words["cards"].format(due=day.reviews.due, new=day.reviews.new)
        rows.append((text, day.reviews.minutes))
    for item, part in day.work:
        share = "" if part == item.minutes else f" ({words['part']})"
        rows.append((f"{named(item, words)}{share}", part))
    if day.mock:
        command = f"python course.py mock --minutes {day.mock}"
        rows.append((words["hold_mock"].format(name=command), day.mock))
    if day.sheet:
        rows.append((words["sheet"].format(name="book/interview/cheat_sheet.md"), day.sheet))
    return rows


def print_left_out(console: Console, plan: Plan, words: dict[str, str]) -> None:
    waiting = plan.days[-1].reviews.waiting
    if waiting:
        console.print(Text(words["cards_wait"].format(count=waiting), style="yellow"))
    if not plan.left_out:
        console.print(words["all_fits"])
        return
    count, minutes = len(plan.left_out), sum(item.minutes for item in plan.left_out)
    text = words["left_out"].format(count=count, hours=round(minutes / 60) or 1)
    console.print(Text(text, style="yellow"))
    for item in sorted(plan.left_out, key=worth, reverse=True)[:MOST_LEFT_OUT]:
        text = words["left_out_item"].format(
            name=named(item, words), minutes=item.minutes, importance=item.importance
        )
        console.print(Text(f" - {text}"), soft_wrap=True)


def print_hint(console: Console, plan: Plan, words: dict[str, str]) -> None:
    """How to tell what was read, with the first that is to be read as an example."""
    to_read = [item for day in plan.days for item, _ in day.work if item.kind != "exercise"]
    if to_read:
        command = f"python course.py plan --days {len(plan.days)} --read {to_read[0].name}"
        console.print(f"{words['tell_read']}")
        console.print(Text(f"  {command}", style="cyan"), soft_wrap=True)


def named(item: Item, words: dict[str, str]) -> str:
    if item.kind == "questions":
        return words[item.kind].format(name="book/interview/index.md")
    folder = "notebooks" if item.kind == "lesson" else "exercises"
    return words[item.kind].format(name=f"{as_text(item.title)} ({folder}/{item.name}.ipynb)")
