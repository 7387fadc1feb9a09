"""The interview's commands: anki, cards, mock, plan."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Language = Annotated[str, typer.Option("--lang", help="en or zh.")]


def anki(
    out: Annotated[Path, typer.Option(help="A folder for the decks.")] = Path(),
) -> None:
    """Write the questions as Anki decks; a newer deck keeps your progress in Anki."""
    from halfbits.course.interview.anki.deck import export

    raise typer.Exit(export(out))


def cards(
    lang: Language = "en",
    topic: Annotated[str | None, typer.Option(help="Only this topic, such as formats.")] = None,
    level: Annotated[
        str | None, typer.Option(help="Only this level: screening, onsite or staff.")
    ] = None,
    new: Annotated[int, typer.Option(min=0, help="New cards a day.")] = 10,
    stats: Annotated[bool, typer.Option("--stats", help="Show how far you have come.")] = False,
    restore: Annotated[bool, typer.Option("--restore", help="Show suspended cards again.")] = False,
    take: Annotated[
        Path | None, typer.Option("--import", help="Read the progress saved by the book's page.")
    ] = None,
    save: Annotated[
        Path | None, typer.Option("--export", help="Write the progress for the book's page.")
    ] = None,
) -> None:
    """Review flashcards of the interview questions."""
    from halfbits.course.interview.cards import terminal

    deck = terminal.Deck(lang, topic, level)
    if restore:
        raise typer.Exit(terminal.restore(deck))
    if stats:
        raise typer.Exit(terminal.statistics(deck))
    raise typer.Exit(terminal.run(deck, new, take, save))


def mock(
    minutes: Annotated[int, typer.Option(min=5, max=180, help="How long it may take.")] = 30,
    level: Annotated[str, typer.Option(help="screening, onsite or staff.")] = "onsite",
    lang: Language = "en",
    seed: Annotated[int | None, typer.Option(min=0, help="Draws the same questions again.")] = None,
    new: Annotated[bool, typer.Option("--new", help="Do not take up an interrupted one.")] = False,
    history: Annotated[bool, typer.Option("--history", help="Show earlier scores.")] = False,
) -> None:
    """Hold a mock interview; interrupt it whenever you like, and it goes on there."""
    from halfbits.course.interview.mock import terminal as mock_terminal

    if history:
        raise typer.Exit(mock_terminal.history(lang))
    raise typer.Exit(mock_terminal.run(minutes, level, lang, seed, new))


def plan(
    days: Annotated[int, typer.Option(min=1, max=365, help="Days left, today included.")],
    minutes: Annotated[
        int, typer.Option("--minutes-per-day", min=10, max=720, help="Minutes on each day.")
    ] = 60,
    lang: Language = "en",
    read: Annotated[
        list[str] | None, typer.Option(help="A lesson that you have read; it is remembered.")
    ] = None,
) -> None:
    """Lay lessons, exercises, flashcards and mock interviews over the days left."""
    from halfbits.course.interview.plan.terminal import run

    raise typer.Exit(run(days, minutes, lang, read or []))


def add_to(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    for command in (anki, cards, mock, plan):
        app.command()(command)
