"""The mock interview in a terminal: `python course.py mock`. Every step is saved at once."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.live import Live
from rich.rule import Rule
from rich.text import Text

from halfbits.course.interview.bank.bank import LANGUAGES, Bank, load_bank
from halfbits.course.interview.cards.cards import Card, known
from halfbits.course.interview.cards.terminal import about, show
from halfbits.course.interview.mock import files as mock_files
from halfbits.course.interview.mock.draw import MIX
from halfbits.course.interview.mock.interview import Interview, is_valid
from halfbits.course.interview.mock.report import last_of_kind, report
from halfbits.course.interview.mock.screen import print_history, print_report
from halfbits.course.interview.text.phrases import phrases
from halfbits.course.interview.text.render import as_text
from halfbits.course.terminal.keys import ENTER, Keys

HEARTBEAT = 5.0  # seconds of thinking that a power cut may lose


def run(minutes: int, level: str, language: str, seed: int | None, fresh: bool) -> int:
    """Begin an interview, or take up the one that was interrupted. Raises CourseError."""
    known("level", level, tuple(MIX))
    known("language", language, LANGUAGES)
    bank = load_bank()
    with Keys() as keys, mock_files.alone():
        interview, resumed = _interview(bank, minutes, level, language, seed, fresh)
        console = Console(highlight=False)
        words = phrases(interview.state["language"])
        if resumed:
            console.print(Text(words["resume"], style="cyan"))
        try:
            MockSession(interview, console, keys, words).hold()
        except KeyboardInterrupt:
            console.print()
        finally:
            mock_files.save_current(interview.state)
        if interview.step != "done":
            console.print(words["interrupted"])
            console.print(Text("  python course.py mock", style="cyan"))
            return 0
        finish(interview, console)
    return 0


def history(language: str) -> int:
    """Print the scores of all interviews so far."""
    known("language", language, LANGUAGES)
    print_history(mock_files.reports(), language)
    return 0


def _interview(
    bank: Bank, minutes: int, level: str, language: str, seed: int | None, fresh: bool
) -> tuple[Interview, bool]:
    """The interview to hold, and whether it was interrupted before."""
    state = mock_files.read_current()
    if state and not fresh and is_valid(bank, state):
        return Interview(bank, state), True
    if state:
        mock_files.put_away(state)
    number = secrets.randbelow(10_000) if seed is None else seed
    return Interview.begin(bank, language, level, minutes, number), False


def finish(interview: Interview, console: Console) -> None:
    """Print the report and keep it; an interview without a question leaves none."""
    words = phrases(interview.state["language"])
    if not interview.state["asked"]:
        mock_files.current().unlink()
        console.print(words["nothing_fits"])
        return
    ended = report(interview.bank, interview.state)
    before = [r for r in mock_files.reports() if r["began"] != ended["began"]]
    print_report(console, interview.bank, ended, last_of_kind(before, ended))
    mock_files.keep_report(ended)


@dataclass
class MockSession:
    """An interview on a screen: shows each step, reads keys, saves."""

    interview: Interview
    console: Console
    keys: Keys
    words: dict[str, str]

    def hold(self) -> None:
        """Go through the steps until the interview is done or the person stops."""
        steps: dict[str, Callable[[], bool]] = {
            "ask": self.ask,
            "rate": self.rate,
            "probe": self.ask_follow_up,
            "judge": self.judge,
        }
        mock_files.save_current(self.interview.state)
        while self.interview.step != "done" and steps[self.interview.step]():
            mock_files.save_current(self.interview.state)

    def ask(self) -> bool:
        """The question, with the clock running until the candidate has answered."""
        interview, state = self.interview, self.interview.state
        number = f"{self.words['question']} {len(state['asked'])}"
        if interview.entry["chained"]:
            number = f"{self.words['asks_on']} · {number}"
        head = f"{number} · {about(self._card())} · {interview.question.minutes} "
        self._rule(head + self.words["min"])
        show(self.console, self._card().front, style="bold")
        return self._speak()

    def rate(self) -> bool:
        """The answer and the points to tick."""
        card = self._card()
        show(self.console, f"**{self.words['answer']}**\n\n{card.back}")
        with self._live() as screen:
            for key in self._pressed():
                if key == ENTER:
                    self.interview.rate()
                    return True
                if key in map(str, range(1, len(card.points) + 1)):
                    self.interview.toggle(int(key) - 1)
                    mock_files.save_current(self.interview.state)
                screen.update(self._points(card), refresh=True)
        return False

    def ask_follow_up(self) -> bool:
        """The follow-up, about what was missed if something was."""
        ticks = self.interview.entry["ticks"]
        self._rule(f"{self.words['follow_up']} · {about(self._card())}")
        if not all(ticks):
            missed = self._card().points[ticks.index(False)]
            show(self.console, self.words["missing"].format(point=missed))
        show(self.console, self.interview.probe[0], style="bold")
        return self._speak()

    def judge(self) -> bool:
        """The answer to the follow-up, and whether it was given."""
        show(self.console, f"**{self.words['answer']}**\n\n{self.interview.probe[1]}")
        self.console.print(f"{self.words['well']} ({self.words['keys_judge']})")
        for key in self._pressed():
            if key in ("y", "n"):
                self.interview.judge(key == "y")
                return True
        return False

    def _card(self) -> Card:
        return Card(self.interview.question, self.interview.state["language"])

    def _rule(self, text: str) -> None:
        state = self.interview.state
        seed = f"{self.words['seed'].lower()} {state['seed']}"
        self.console.print(Rule(Text(f"{text} · {seed}", style="dim"), align="left"))

    def _speak(self) -> bool:
        with self._live() as screen:
            for key in self._pressed():
                if key in (" ", ENTER):
                    self.interview.answered()
                    return True
                screen.update(self._clock(), refresh=True)
        return False

    def _clock(self) -> Text:
        spent, on_this = self.interview.seconds, self.interview.entry["seconds"]
        late = spent > 60 * self.interview.state["minutes"]
        whole = f"{clock(spent)} {self.words['of']} {clock(60 * self.interview.state['minutes'])}"
        text = Text(f"{clock(on_this)}", style="bold red" if late else "bold green")
        return text.append(f"  ({whole})  {self.words['keys_ask']}", style="not bold dim")

    def _points(self, card: Card) -> Text:
        ticks = self.interview.ticks
        lines = Text(f"{self.words['tick']} ", style="bold")
        lines.append(f"({self.words['keys_tick'].format(n=len(ticks))})\n", style="not bold dim")
        for number, (point, ticked) in enumerate(zip(card.points, ticks, strict=True), 1):
            mark = "x" if ticked else " "
            lines.append(
                f" {number} [{mark}] {as_text(point)}\n", style="not bold" + " green" * ticked
            )
        return lines

    @contextmanager
    def _live(self) -> Iterator[Live]:
        with Live(console=self.console, auto_refresh=False, transient=False) as screen:
            yield screen

    def _pressed(self) -> Iterator[str]:
        """Keys as they come, and "" every second; q ends. Time is counted and saved meanwhile."""
        saved = last = time.monotonic()
        key = ""
        while key != "q":
            yield key
            key = self.keys.read(1.0)
            now = time.monotonic()
            if self.interview.step in ("ask", "probe"):
                self.interview.spend(now - last)
            last = now
            if now - saved > HEARTBEAT:
                mock_files.save_current(self.interview.state)
                saved = now


def clock(seconds: float) -> str:
    """Minutes and seconds, such as 3:07."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"
