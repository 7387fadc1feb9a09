"""The interview's words of the command line: anki, cards, mock, plan."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Language = Annotated[str, typer.Option("--lang", help="en or zh.")]


def anki(
    out: Annotated[Path, typer.Option(help="A folder for the decks.")] = Path(),
) -> None:
    """Write the questions as Anki decks; a newer deck keeps your progress in Anki."""
    from halfbits.interview.anki import export

    raise typer.Exit(export(out))


def cards(
    lang: Language = "en",
    topic: Annotated[str | None, typer.Option(help="Only this topic, such as formats.")] = None,
    new: Annotated[int, typer.Option(min=0, help="New cards a day.")] = 10,
    take: Annotated[
        Path | None, typer.Option("--import", help="Read the progress saved by the book's page.")
    ] = None,
    save: Annotated[
        Path | None, typer.Option("--export", help="Write the progress for the book's page.")
    ] = None,
) -> None:
    """Review flashcards of the interview questions."""
    from halfbits.interview.drill_terminal import run

    raise typer.Exit(run(lang, topic, new, take, save))


def add_to(app: typer.Typer) -> None:
    """Register the words with the command line."""
    for word in (anki, cards):
        app.command()(word)
