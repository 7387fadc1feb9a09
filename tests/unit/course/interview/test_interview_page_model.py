"""What the book's pages compute in JavaScript: the same as Python, in node."""

from __future__ import annotations

import itertools
import json
import math
import os
import random
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import fsrs
import pytest
from fake_bank import make_large_bank

from halfbits.course.interview.bank.bank import Bank, load_bank
from halfbits.course.interview.cards.schedule import SCHEDULER
from halfbits.course.interview.mock.draw import MIX, draw
from halfbits.course.interview.mock.interview import Interview
from halfbits.course.interview.mock.page_data import mock_data
from halfbits.course.interview.mock.report import change, last_of_kind, report
from halfbits.course.interview.text.render import mathjax

STATIC = Path(__file__).parents[4] / "book" / "_static"
HERE = Path(__file__).parent
DAY = 86_400_000
START = 1_772_442_000_123


def in_node(script: str, content: Any, *modules: str) -> Any:
    """What a script prints for `content`, both JSON; skips, or fails by choice, without node."""
    node = shutil.which("node")
    if node is None:
        say = pytest.fail if os.environ.get("HALFBITS_REQUIRE_BROWSER") == "1" else pytest.skip
        say("Node was not found: install it (nodejs) to compare the pages with the library")
    done = subprocess.run(
        [node, str(HERE / script), *(str(STATIC / name) for name in modules)],
        input=json.dumps(content),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def make_history(choose: random.Random) -> list[tuple[int, int]]:
    """Ratings with their times: on the day they are due, sooner, or much later."""
    now, history = START, []
    gaps = (0, 1, 30_000, 600_000, 5 * 3_600_000, DAY - 1, DAY, 3 * DAY, 40 * DAY, 900 * DAY)
    for _ in range(choose.randint(1, 20)):
        history.append((choose.choice((1, 2, 3, 3, 3, 4)), now))
        now += int(choose.choice(gaps) * choose.uniform(0.5, 2))
    return history


def in_python(history: list[tuple[int, int]]) -> list[fsrs.Card]:
    card, cards = fsrs.Card(card_id=1), []
    for rating, moment in history:
        now = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=moment)
        card, _ = SCHEDULER.review_card(card, fsrs.Rating(rating), now)
        cards.append(card)
    return cards


def test_page_schedules_as_the_fsrs_library_over_hundreds_of_histories(times: int) -> None:
    choose = random.Random(20260302)
    histories = [make_history(choose) for _ in range(400 * times)]
    found = in_node("fsrs_in_node.mjs", histories, "fsrs.mjs")
    states = set()
    for history, cards in zip(histories, found, strict=True):
        for ours, theirs in zip(cards, in_python(history), strict=True):
            states.add((theirs.state, theirs.step))
            assert (ours["state"], ours["step"]) == (theirs.state, theirs.step), history
            assert datetime.fromisoformat(ours["due"]) == theirs.due, history
            assert datetime.fromisoformat(ours["last_review"]) == theirs.last_review
            # Both chain at most 20 powers of a few roundings each: 1e-12 would do.
            for name in ("stability", "difficulty"):
                assert math.isclose(ours[name], getattr(theirs, name), rel_tol=1e-9), history
    assert len(states) == 4


def test_page_uses_the_weights_and_steps_of_the_library() -> None:
    """A newer library with other defaults must be noticed, not half followed."""
    source = (STATIC / "fsrs.mjs").read_text(encoding="utf-8")
    weights = source.partition("const W = [")[2].partition("]")[0]
    assert tuple(json.loads(f"[{weights.strip().rstrip(',')}]")) == SCHEDULER.parameters
    assert SCHEDULER.learning_steps == (timedelta(minutes=1), timedelta(minutes=10))
    assert SCHEDULER.relearning_steps == (timedelta(minutes=10),)
    assert (SCHEDULER.desired_retention, SCHEDULER.maximum_interval) == (0.9, 36500)


def make_interviews(number_of: int) -> list[dict[str, Any]]:
    """Interviews of every level and several lengths, with what the candidate does in each."""
    choose, found = random.Random(7), []
    for number in range(number_of):
        limit = choose.choice((40, 100, 400, 1500))  # a slow candidate runs out of time
        options = {
            "language": choose.choice(("en", "zh")),
            "level": choose.choice(tuple(MIX)),
            "minutes": choose.choice((5, 12, 30, 45, 90)),
            "seed": choose.choice((number, choose.randrange(2**32))),
        }
        choices = [choose.randrange(limit) for _ in range(97)]
        began = f"2026-03-02T{number // 60:02}:{number % 60:02}:00.000Z"
        found.append({"options": options, "choices": choices, "began": began})
    return found


def held(bank: Bank, case: dict[str, Any]) -> Interview:
    interview = Interview.begin(bank, **case["options"])
    interview.state["began"] = case["began"]
    choices = itertools.cycle(case["choices"])
    while interview.step != "done":
        if interview.step in ("ask", "probe"):
            interview.spend(next(choices))
            interview.answered()
        elif interview.step == "rate":
            for place in range(len(interview.ticks)):
                if next(choices) > 20:
                    interview.toggle(place)
            interview.rate()
        else:
            interview.judge(next(choices) > 60)
    return interview


@pytest.mark.parametrize("which", ["small", "real"])
def test_page_draws_and_holds_the_same_interviews(which: str, times: int) -> None:
    bank = make_large_bank() if which == "small" else load_bank()
    cases = make_interviews(30 * times)
    content = {"questions": mock_data(bank, "en", math=mathjax), "interviews": cases}
    found = in_node("interview_in_node.mjs", content, "interview.mjs")
    reports: list[dict[str, Any]] = []
    chained = late = 0
    for case, theirs in zip(cases, found, strict=True):
        interview = held(bank, case)
        ours = report(bank, interview.state)
        options = case["options"]
        drawn = draw(bank.questions, options["minutes"], options["level"], options["seed"])
        assert theirs["drawn"] == [question.slug for question in drawn]
        assert theirs["state"] == interview.state, options
        assert theirs["report"] == ours
        assert theirs["rises"] == pytest.approx(change(ours, last_of_kind(reports, ours)))
        reports.append(ours)
        chained += any(entry["chained"] for entry in interview.state["asked"])
        late += bool(ours["not_reached"])
    assert chained > 2 * times
    assert late > 2 * times
