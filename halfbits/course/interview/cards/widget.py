"""The flashcards in JupyterLab: the same cards and the same schedule as in the terminal."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from halfbits.course.interview.cards.cards import Card
from halfbits.course.interview.cards.schedule import RATINGS
from halfbits.course.interview.cards.session import Drill
from halfbits.course.interview.cards.terminal import about
from halfbits.course.interview.text.phrases import phrases, span
from halfbits.course.interview.text.render import to_html
from halfbits.course.interview.words import LANG


class Flashcards(anywidget.AnyWidget):
    """A card that a button or the space key turns, and one of four rates; u undoes, s suspends.

    `view` is what is shown: HTML, its language, and each button's key with its label.
    """

    _esm = Path(__file__).with_suffix(".mjs")
    _css = """
    .halfbits-card { max-width: 42rem; padding: 0.4rem; line-height: 1.5; }
    .halfbits-card h3 { margin: 0 0 0.6rem; font-size: 1.1rem; font-weight: 600; }
    .halfbits-card pre { white-space: pre-wrap; }
    .halfbits-card small { opacity: 0.75; }
    .halfbits-card button { min-height: 2.2rem; margin-right: 0.5rem; padding: 0 0.9rem;
      border: 1px solid; border-radius: 0.3rem; background: none; color: inherit; font: inherit; }
    """
    view = traitlets.Dict().tag(sync=True)

    def __init__(self, drill: Drill, language: str) -> None:
        super().__init__()
        self.drill, self.language, self.words = drill, language, phrases(language)
        self.card: Card | None = None
        self.on_msg(lambda _widget, key, _buffers: self.press(key))
        self.show_front()

    def press(self, key: Any) -> None:
        """What a button's key does: space turns the card, 1 to 4 rate it."""
        if key not in [wanted for wanted, _ in self.view["buttons"]]:
            return  # pressed twice while the first was under way
        if key == " ":
            self.show_back()
        elif key in ("u", "s"):
            self.change(key)
        elif self.card is not None:
            self.drill.rate(self.card, int(key))
            self.show_front()

    def change(self, key: str) -> None:
        """Take the last rating back (u), or put this card away (s)."""
        if key == "u":
            self.drill.undo()
        elif self.card is not None:
            self.drill.schedule.suspend(self.card.id)
        self.show_front()

    def show_front(self) -> None:
        """The next question, or that nothing is left."""
        self.card = self.drill.next_card()
        if self.card is None:
            self._show(f"<p>{self.words['cards_done']} {self._next()}</p>", [])
            return
        due, new = self.drill.left()
        head = f"{about(self.card)} · {due} {self.words['due']}, {new} {self.words['new']}"
        text = f"<small>{escape(head)}</small>{self._question()}"
        self._show(
            f"{text}<p><small>{self.words['say']}</small></p>",
            [
                (" ", self.words["show"]),
                ("u", self.words["undo"]),
                ("s", self.words["suspend"]),
            ],
        )

    def show_back(self) -> None:
        """The answer, and how long each rating would put the card away."""
        if self.card is None:
            return
        points = "\n".join(f"- {point}" for point in self.card.points)
        full = to_html(self.card.question.texts[self.language].full)
        lengths = self.drill.schedule.intervals(self.card.id)
        buttons = [
            (str(key), f"{key} {self.words[name]} ({span(length, self.language)})")
            for key, (name, length) in enumerate(zip(RATINGS, lengths, strict=True), 1)
        ]
        self._show(
            f"{self._question()}{to_html(self.card.back)}"
            f"<p><b>{self.words['points']}</b></p>{to_html(points)}"
            f"<details><summary>{self.words['full']}</summary>{full}</details>",
            buttons,
        )

    def _question(self) -> str:
        return f"<h3>{to_html(self.card.front)}</h3>" if self.card else ""

    def _next(self) -> str:
        wait = self.drill.until_next()
        if wait is None:
            return ""
        return self.words["next_at"].format(span=span(wait, self.language))

    def _show(self, html: str, buttons: list[tuple[str, str]]) -> None:
        self.view = {"html": html, "lang": LANG[self.language], "buttons": buttons}
