"""Anki decks of the bank, one file for each language.

A note is known by its slug and language and a note type by its language, so a newer deck updates
an older one in Anki and keeps the progress. The same questions give the same file, byte by byte.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path

import genanki

from halfbits.course.interview.anki.template import BACK, FRONT, STYLE
from halfbits.course.interview.bank.bank import LANGUAGES, QUESTIONS, Bank, load_bank
from halfbits.course.interview.bank.dates import changed
from halfbits.course.interview.bank.question import KINDS, LEVELS, TOPICS
from halfbits.course.interview.cards.cards import Card, make_cards
from halfbits.course.interview.text.render import mathjax, to_html
from halfbits.course.interview.words import words
from halfbits.errors import CourseError
from halfbits.folders import find_root

FIELDS = ("Question", "Answer", "Points", "Full answer", "About", "Name")
YEAR_2025 = 1_735_689_600_000  # milliseconds; Anki shows an id as the moment of creation


def export(folder: Path) -> int:
    """Write both decks into `folder` and name them."""
    for path in write_decks(load_bank(), folder, changed(find_root() / QUESTIONS)):
        print(path)
    return 0


def write_decks(bank: Bank, folder: Path, when: int) -> list[Path]:
    """Write halfbits-<language>.apkg for each language. Raises CourseError.

    `when`, in seconds, dates the notes: Anki takes only those that are newer than its own.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return [write_deck(bank, language, folder, when) for language in LANGUAGES]
    except OSError as error:
        raise CourseError(f"{folder} cannot be written ({error.strerror}).") from error


def write_deck(bank: Bank, language: str, folder: Path, when: int) -> Path:
    path = folder / f"halfbits-{language}.apkg"
    made = io.BytesIO()
    genanki.Package(make_deck(bank, language)).write_to_file(made, when)
    with zipfile.ZipFile(made) as plain, zipfile.ZipFile(path, "w") as package:
        for name in plain.namelist():
            # Entries with a date of their own, else two runs differ; genanki compresses nothing.
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            package.writestr(entry, plain.read(name), zipfile.ZIP_DEFLATED)
    return path


def make_deck(bank: Bank, language: str) -> genanki.Deck:
    """The deck of one language, its notes in the bank's order."""
    deck = genanki.Deck(stable_id("deck", language), words("anki", language)["deck"])
    note_type = make_note_type(language)
    for place, card in enumerate(make_cards(bank, language)):
        deck.add_note(_note(card, note_type, place))
    return deck


def make_note_type(language: str) -> genanki.Model:
    """The note type of one language: its labels and `lang` differ."""
    said = words("anki", language)
    return genanki.Model(
        stable_id("note type", language),
        words("anki", language)["deck"],
        fields=[{"name": name} for name in FIELDS],
        templates=[{"name": "Card", "qfmt": _fill(FRONT, said), "afmt": _fill(BACK, said)}],
        css=STYLE,
    )


def _fill(template: str, said: dict[str, str]) -> str:
    for name, word in said.items():
        template = template.replace(f"[{name}]", word)
    return template


class StableNote(genanki.Note):
    """A note whose ids, and its card's, follow from its guid."""

    def write_to_db(self, cursor, timestamp, deck_id, id_gen) -> None:  # type: ignore[no-untyped-def]
        ids = iter([stable_id("note", self.guid), stable_id("card", self.guid)])
        super().write_to_db(cursor, timestamp, deck_id, ids)


def _note(card: Card, note_type: genanki.Model, place: int) -> StableNote:
    question, language = card.question, card.language
    names = (TOPICS[question.topic], LEVELS[question.level], KINDS[question.kind])
    points = "\n".join(f"- {point}" for point in card.points)
    texts = (card.front, card.back, points, question.texts[language].full)
    about = " · ".join(name[language] for name in names)
    return StableNote(
        model=note_type,
        fields=[*(to_html(text, mathjax) for text in texts), about, card.id],
        guid=f"halfbits-{card.id}",
        tags=tags(card),
        due=place,
    )


def tags(card: Card) -> list[str]:
    """Topics, level and kind as Anki's nested tags."""
    question = card.question
    found = [f"halfbits::topic::{topic}" for topic in question.topics]
    found += [f"halfbits::level::{question.level}", f"halfbits::kind::{question.kind}"]
    return found + (["halfbits::seed"] if question.seed is not None else [])


def stable_id(*words: str) -> int:
    """An id that follows from the words: 13 digits, as Anki's own."""
    digest = hashlib.sha256("\0".join(("halfbits", *words)).encode()).digest()
    return YEAR_2025 + int.from_bytes(digest[:5], "big") % 30_000_000_000
