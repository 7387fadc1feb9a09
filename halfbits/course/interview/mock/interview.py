"""A mock interview as a state that can be saved after every step and taken up again.

A question goes through the steps ask, rate (tick the points that were said) and, if a point was
missed, probe and judge: a follow-up about that point. If nothing was missed, the interviewer asks
the next question of the chain, while there is time. The page's interview.mjs does the same.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from halfbits.course.interview.bank.bank import Bank
from halfbits.course.interview.bank.question import Question
from halfbits.course.interview.mock.draw import draw
from halfbits.errors import CourseError

# So many questions of one chain follow each other; more would unbalance the interview.
CHAIN = 2


@dataclass
class Interview:
    """The state as it is saved, over the bank that it draws from."""

    bank: Bank
    state: dict[str, Any]

    @classmethod
    def begin(cls, bank: Bank, language: str, level: str, minutes: int, seed: int) -> Interview:
        """Draw the questions and ask the first. No question fits: the interview is done."""
        queue = [question.slug for question in draw(bank.questions, minutes, level, seed)]
        state = {
            "version": 1,
            "language": language,
            "level": level,
            "minutes": minutes,
            "seed": seed,
            "began": datetime.now(UTC).isoformat(timespec="seconds"),
            "queue": queue,
            "asked": [],
            "step": "done",
        }
        interview = cls(bank, state)
        interview._go_on()
        return interview

    @property
    def step(self) -> str:
        """What to do now: ask, rate, probe, judge, or done."""
        return str(self.state["step"])

    @property
    def entry(self) -> dict[str, Any]:
        """What is kept of the question that is being asked."""
        entry: dict[str, Any] = self.state["asked"][-1]
        return entry

    @property
    def question(self) -> Question:
        return self.bank.find(self.entry["slug"])

    @property
    def probe(self) -> tuple[str, str]:
        """The follow-up that is being asked, and its answer, as Markdown."""
        return self.question.texts[self.state["language"]].follow_ups[self.entry["probe"]]

    @property
    def seconds(self) -> float:
        """Time spent so far, on all questions."""
        return float(sum(entry["seconds"] for entry in self.state["asked"]))

    def spend(self, seconds: float) -> None:
        """Add time to the question that is being asked."""
        if self.step != "done":
            self.entry["seconds"] = round(self.entry["seconds"] + seconds, 3)

    def answered(self) -> None:
        """The candidate is done speaking: ask becomes rate, probe becomes judge."""
        self.state["step"] = {"ask": "rate", "probe": "judge"}[self.step]

    @property
    def ticks(self) -> list[bool]:
        """Which points of the question are ticked so far."""
        ticks: list[bool] | None = self.entry["ticks"]
        return ticks or [False] * len(self.question.points)

    def toggle(self, place: int) -> None:
        """Tick a point that was said, or take the tick back."""
        ticks = self.ticks
        self.entry["ticks"] = [ticked ^ (i == place) for i, ticked in enumerate(ticks)]

    def rate(self) -> None:
        """The ticks are final; what is asked next depends on them."""
        ticks = self.entry["ticks"] = self.ticks
        if all(ticks) and self._chain():
            self._go_on(chained=True)
            return
        count = len(self.question.texts[self.state["language"]].follow_ups)
        missed = ticks.index(False) if not all(ticks) else None
        self.entry["probe"] = count - 1 if missed is None else probes(self.question)[missed]
        self.state["step"] = "probe"

    def judge(self, good: bool) -> None:
        """Whether the follow-up was answered well; then the next question, or the end."""
        self.entry["good"] = good
        self._go_on()

    def _chain(self) -> bool:
        """Put the next question of the chain in front of the queue, if one is left and fits."""
        asked = {entry["slug"] for entry in self.state["asked"]}
        depth = 0
        for entry in reversed(self.state["asked"]):
            if not entry["chained"]:
                break
            depth += 1
        spent = sum(self.bank.find(slug).minutes for slug in asked)
        for slug in self.question.follow_ups:
            if slug in asked or slug not in self.bank.by_slug or depth == CHAIN:
                continue
            if spent + self.bank.find(slug).minutes <= self.state["minutes"]:
                rest = [other for other in self.state["queue"] if other != slug]
                self.state["queue"] = self._fitting([slug, *rest], self.state["minutes"] - spent)
                return True
        return False

    def _fitting(self, queue: list[str], minutes: int) -> list[str]:
        while sum(self.bank.find(slug).minutes for slug in queue) > minutes:
            queue = queue[:-1]
        return queue

    def _go_on(self, chained: bool = False) -> None:
        queue = self.state["queue"]
        if not queue or self.seconds >= 60 * self.state["minutes"]:
            self.state["step"] = "done"
            return
        entry = {"slug": queue[0], "chained": chained, "seconds": 0.0}
        self.state["asked"].append({**entry, "ticks": None, "probe": None, "good": None})
        self.state["queue"] = queue[1:]
        self.state["step"] = "ask"


def probes(question: Question) -> list[int]:
    """For each point the follow-up that is nearest to it by the words they share, in English."""
    texts = [words(f"{asked} {answer}") for asked, answer in question.texts["en"].follow_ups]
    return [
        max(range(len(texts)), key=lambda i: (len(texts[i] & words(point["en"])), -i))
        for point in question.points
    ]


def words(text: str) -> set[str]:
    """The words that tell texts apart: three letters or more, without the s of a plural."""
    return {word.rstrip("s") for word in re.findall(r"[a-z0-9]{3,}", text.lower())} - {"the", "and"}


def is_valid(bank: Bank, state: dict[str, Any]) -> bool:
    """Whether a saved interview can go on: this version, and its questions are as they were."""
    try:
        queue = all(slug in bank.by_slug for slug in state["queue"])
        return state["version"] == 1 and queue and all(_fits(bank, e) for e in state["asked"])
    except (KeyError, TypeError, CourseError):
        return False


def _fits(bank: Bank, entry: dict[str, Any]) -> bool:
    """Whether the question still has the points and follow-ups that the entry counts."""
    question = bank.find(entry["slug"])
    ticks, probe = entry["ticks"], entry["probe"] or 0
    same = ticks is None or len(ticks) == len(question.points)
    return same and probe < len(question.texts["en"].follow_ups)
