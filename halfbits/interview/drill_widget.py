"""The flashcards in JupyterLab: the same cards and the same schedule as in the terminal."""

from __future__ import annotations

from functools import partial
from html import escape
from typing import Any

import ipywidgets as widgets

from halfbits.interview.cards import Card
from halfbits.interview.drill import Drill
from halfbits.interview.drill_terminal import about
from halfbits.interview.phrases import phrases, span
from halfbits.interview.render import to_html
from halfbits.interview.schedule import RATINGS

STYLE = """<style>
.halfbits-card { max-width: 42rem; line-height: 1.5; }
.halfbits-card h3 { margin: 0 0 .6rem; font-size: 1.1rem; font-weight: 600; }
.halfbits-card pre { white-space: pre-wrap; }
.halfbits-card small { opacity: .75; }
</style>"""


class Flashcards(widgets.VBox):
    """A card with a button that turns it, then four that rate it."""

    def __init__(self, drill: Drill, language: str) -> None:
        self.drill, self.language, self.words = drill, language, phrases(language)
        self.card: Card | None = None
        self.text = widgets.HTML()
        self.turn = widgets.Button(description=self.words["show"], button_style="primary")
        self.turn.on_click(lambda _: self.show_back())
        self.ratings = [widgets.Button() for _ in RATINGS]
        for rating, button in enumerate(self.ratings, 1):
            button.on_click(partial(self._rated, rating))
        self.buttons = widgets.HBox(layout=widgets.Layout(flex_flow="row wrap"))
        super().__init__([self.text, self.buttons])
        self.show_front()

    def show_front(self) -> None:
        """The next question, or that nothing is left."""
        self.card = self.drill.next_card()
        if self.card is None:
            self._show(f"<p>{self.words['cards_done']} {self._next()}</p>")
            self.buttons.children = []
            return
        due, new = self.drill.left()
        head = f"{about(self.card)} · {due} {self.words['due']}, {new} {self.words['new']}"
        hint = f"<p><small>{self.words['say']}</small></p>"
        self._show(f"<small>{escape(head)}</small>{self._question()}{hint}")
        self.buttons.children = [self.turn]

    def show_back(self) -> None:
        """The answer, and how long each rating would put the card away."""
        if self.card is None:
            return
        points = "\n".join(f"- {point}" for point in self.card.points)
        full = to_html(self.card.question.texts[self.language].full)
        self._show(
            f"{self._question()}{to_html(self.card.back)}"
            f"<p><b>{self.words['points']}</b></p>{to_html(points)}"
            f"<details><summary>{self.words['full']}</summary>{full}</details>"
        )
        lengths = self.drill.schedule.intervals(self.card.id)
        for button, name, length in zip(self.ratings, RATINGS, lengths, strict=True):
            button.description = f"{self.words[name]} ({span(length, self.language)})"
        self.buttons.children = self.ratings

    def rate(self, rating: int) -> None:
        """Rate the card 1 to 4 and show the next."""
        if self.card is not None:
            self.drill.rate(self.card, rating)
            self.show_front()

    def _rated(self, rating: int, button: Any) -> None:
        self.rate(rating)

    def _question(self) -> str:
        return f"<h3>{to_html(self.card.front)}</h3>" if self.card else ""

    def _next(self) -> str:
        wait = self.drill.until_next()
        if wait is None:
            return ""
        return self.words["next_at"].format(span=span(wait, self.language))

    def _show(self, html: str) -> None:
        lang = {"en": "en", "zh": "zh-Hans"}[self.language]
        self.text.value = f'{STYLE}<div class="halfbits-card" lang="{lang}">{html}</div>'
