"""The flashcards in a terminal: `python course.py cards`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rich import box
from rich.console import Console
from rich.markdown import Markdown
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from halfbits.course.interview.bank.bank import load_bank
from halfbits.course.interview.bank.question import KINDS, LEVELS, TOPICS
from halfbits.course.interview.cards.cards import Card, make_cards
from halfbits.course.interview.cards.schedule import RATINGS, Schedule
from halfbits.course.interview.cards.session import Drill
from halfbits.course.interview.cards.statistics import Counts, by_topic
from halfbits.course.interview.text.phrases import phrases, span
from halfbits.course.interview.text.render import without_tex
from halfbits.course.terminal.keys import Keys

WIDTH = 88
COLUMNS = ("cards", "seen", "known", "suspended", "reviews", "remembered")


@dataclass(frozen=True)
class Deck:
    """Which cards: of a language, and of a topic or a level if one is named."""

    language: str
    topic: str | None = None
    level: str | None = None

    def cards(self) -> tuple[Card, ...]:
        return make_cards(load_bank(), self.language, self.topic, self.level)


def run(deck: Deck, new: int, take: Path | None, save: Path | None) -> int:
    """Review until nothing is left or the person stops; or read or write a file of progress."""
    language = deck.language
    drill = Drill(deck.cards(), Schedule.load(), new)
    if take:
        print(phrases(language)["imported"].format(count=drill.schedule.merge(take)))
    if save:
        drill.schedule.save_as(save)
        print(save)
    return 0 if take or save else review(drill, language)


def statistics(deck: Deck) -> int:
    """Print how far the person has come, by topic; suspended cards come back with --restore."""
    cards, schedule, words = deck.cards(), Schedule.load(), phrases(deck.language)
    table = Table(box=box.SIMPLE)
    for name in ("topic", *(f"stat_{column}" for column in COLUMNS)):
        table.add_column(words[name], justify="left" if name == "topic" else "right")
    for topic, found in by_topic(cards, schedule).items():
        name = TOPICS[topic][deck.language] if topic else words["total"]
        table.add_row(name, *cells(found))
    Console(highlight=False).print(table)
    return 0


def cells(found: Counts) -> list[str]:
    share = "" if found.retention is None else f"{found.retention:.0%}"
    return [*(str(getattr(found, name)) for name in COLUMNS[:-1]), share]


def restore(deck: Deck) -> int:
    """Show the deck's suspended cards again."""
    schedule = Schedule.load()
    if back := [card.id for card in deck.cards() if card.id in schedule.suspended]:
        schedule.suspend(*back, away=False)
    return 0


def review(drill: Drill, language: str) -> int:
    """Show card after card. Each rating is on disk before the next card is shown."""
    console = Console(highlight=False)
    words = phrases(language)
    try:
        with Keys() as keys:
            while card := drill.next_card():
                if not _card(console, keys, drill, card):
                    break
    except KeyboardInterrupt:
        pass
    _end(console, drill, language, words)
    return 0


def _card(console: Console, keys: Keys, drill: Drill, card: Card) -> bool:
    """One card; False when the person stops."""
    words = phrases(card.language)
    due, new = drill.left()
    counts = f"{due} {words['due']}, {new} {words['new']}, {drill.reviewed} {words['reviewed']}"
    console.print(Rule(Text(f"{about(card)} · {counts}", style="dim"), align="left"))
    show(console, card.front, style="bold")
    console.print(Text(words["keys_card"], style="dim"))
    key = _wait_for(keys, " \nus")
    if key is None:
        return False
    if key in "us":
        drill.undo() if key == "u" else drill.schedule.suspend(card.id)
        return True
    show(console, card.back)
    show(console, f"**{words['points']}**\n\n" + "\n".join(f"- {p}" for p in card.points))
    return _rate(console, keys, drill, card)


def _rate(console: Console, keys: Keys, drill: Drill, card: Card) -> bool:
    words = phrases(card.language)
    lengths = drill.schedule.intervals(card.id)
    choices = [
        f"[b]{number}[/b] {words[name]} ({span(length, card.language)})"
        for number, (name, length) in enumerate(zip(RATINGS, lengths, strict=True), 1)
    ]
    console.print("   ".join(choices))
    console.print(Text(words["keys_rate"], style="dim"))
    while key := _wait_for(keys, "1234f"):
        if key != "f":
            drill.rate(card, int(key))
            return True
        show(console, card.question.texts[card.language].full)
    return False


def _wait_for(keys: Keys, wanted: str) -> str | None:
    """The first of the wanted keys that is pressed; None for q."""
    while True:
        key = keys.read(60.0)
        if key == "q":
            return None
        if key and key in wanted:
            return key


def _end(console: Console, drill: Drill, language: str, words: dict[str, str]) -> None:
    console.print(Rule())
    wait = drill.until_next()
    if drill.next_card() is None:
        console.print(words["cards_done"])
    if wait is not None:
        console.print(words["next_at"].format(span=span(wait, language)))
    console.print(words["saved"].format(count=drill.reviewed))


def about(card: Card) -> str:
    """Topic, level and kind in the card's language."""
    question, language = card.question, card.language
    names = (TOPICS[question.topic], LEVELS[question.level], KINDS[question.kind])
    return " · ".join(name[language] for name in names)


def show(console: Console, markdown: str, style: str = "none") -> None:
    """Markdown with its formulas as plain text, at most WIDTH columns wide."""
    width = min(WIDTH, console.width)
    console.print(Markdown(without_tex(markdown), style=style), width=width)
    console.print()
