"""The flashcards where they are used: a session, a notebook's widget, a real terminal."""

from __future__ import annotations

import json
import os
import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fake_bank import make_bank, make_large_bank, make_question

from halfbits.course.interview.cards.cards import make_cards
from halfbits.course.interview.cards.schedule import Schedule
from halfbits.course.interview.cards.session import Drill
from halfbits.course.interview.text.phrases import phrases, span
from halfbits.course.interview.words import LANGUAGES, table

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
COMMAND = ["-m", "halfbits", "cards"]


@pytest.fixture
def drill(tmp_path: Path) -> Drill:
    bank = make_bank(make_question("a", seed=1), make_question("b", seed=2))
    return Drill(make_cards(bank, "en"), Schedule.load(tmp_path / "cards.json"), new=2)


def test_session_shows_each_card_until_nothing_is_left(drill: Drill) -> None:
    assert drill.left(NOW) == (0, 2)
    shown = []
    while card := drill.next_card(NOW):
        shown.append(card.question.slug)
        drill.rate(card, 4, NOW)
    assert shown == ["a", "b"]
    assert drill.left(NOW) == (0, 0)
    assert drill.until_next(NOW) == timedelta(days=8)


def test_new_cards_of_today_stay_counted_in_the_next_session(drill: Drill) -> None:
    drill.new = 1
    card = drill.next_card(NOW)
    assert card is not None
    drill.rate(card, 4, NOW)
    again = Drill(drill.cards, Schedule.load(drill.schedule.path), new=1)
    assert again.next_card(NOW) is None
    assert again.left(NOW + timedelta(days=1)) == (0, 1)


@pytest.mark.parametrize(
    ("minutes", "english", "chinese"),
    [(0.2, "1 min", "1 分钟"), (59, "59 min", "59 分钟"), (90, "2 h", "2 小时"),
     (60 * 24 * 8, "8 d", "8 天")],
)  # fmt: skip
def test_spans_are_short(minutes: float, english: str, chinese: str) -> None:
    assert span(timedelta(minutes=minutes), "en") == english
    assert span(timedelta(minutes=minutes), "zh") == chinese


def test_every_language_says_the_same_things_with_the_same_gaps() -> None:
    english, *others = (table(language) for language in LANGUAGES)
    for other in others:
        assert {part: set(said) for part, said in other.items()} == {
            part: set(said) for part, said in english.items()
        }
        for part, said in english.items():
            for key, text in said.items():
                assert gaps(text) == gaps(other[part][key]), (part, key)


def gaps(text: str) -> list[str]:
    """The {gaps} of a text; one with a number is filled in order, as one without."""
    return sorted(re.sub(r"\d", "", gap) for gap in re.findall(r"\{\w*\}", text))


@pytest.mark.parametrize(
    ("language", "button"), [("en", "3 good (10 min)"), ("zh", "3 记得 (10 分钟)")]
)
def test_widget_turns_and_rates_a_card(tmp_path: Path, language: str, button: str) -> None:
    from halfbits.course.interview.cards.widget import Flashcards

    bank = make_bank(make_question("a", seed=1), make_question("b", seed=2))
    schedule = Schedule.load(tmp_path / "cards.json")
    shown = Flashcards(Drill(make_cards(bank, language), schedule), language)
    assert "<code>a</code>" in shown.view["html"]
    assert "<math" not in shown.view["html"]
    shown.press("4")  # not before the answer is shown
    shown.press(" ")
    assert "<math" in shown.view["html"]
    assert shown.view["buttons"][2] == ("3", button)
    shown.press("4")
    assert "<code>b</code>" in shown.view["html"]
    shown.press(" ")
    shown.press("4")
    assert phrases(language)["cards_done"] in shown.view["html"]
    assert shown.view["buttons"] == []
    assert set(Schedule.load(schedule.path).cards) == {f"{language}/a", f"{language}/b"}


def test_widget_is_made_from_the_real_bank(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from halfbits.course.interview import flashcards

    monkeypatch.setenv("HALFBITS_DATA", str(tmp_path))
    assert flashcards("zh").card.language == "zh"


def test_widget_undoes_and_suspends(tmp_path: Path) -> None:
    from halfbits.course.interview.cards.widget import Flashcards

    bank = make_bank(make_question("a", seed=1), make_question("b", seed=2))
    schedule = Schedule.load(tmp_path / "cards.json")
    shown = Flashcards(Drill(make_cards(bank, "en"), schedule), "en")
    for key in (" ", "4", "u"):
        shown.press(key)
    assert "<code>a</code>" in shown.view["html"] and not schedule.reviews
    shown.press("s")
    assert "<code>b</code>" in shown.view["html"] and schedule.suspended == {"en/a"}


def spawn(tmp_path: Path, *words: str):
    """The command in a real terminal of its own."""
    pexpect = pytest.importorskip("pexpect")
    if not hasattr(pexpect, "spawn"):
        pytest.skip("pexpect has no terminals on this system")
    env = {**os.environ, "HALFBITS_DATA": str(tmp_path), "TERM": "xterm", "COLUMNS": "90"}
    child = pexpect.spawn(
        sys.executable,
        [*COMMAND, *words],
        env=env,
        encoding="utf-8",
        timeout=60,
        dimensions=(40, 90),
    )
    return child, pexpect


def saved(tmp_path: Path) -> list[list[object]]:
    return json.loads((tmp_path / "cards.json").read_text(encoding="utf-8"))["reviews"]


@pytest.mark.parametrize(
    ("language", "front", "answer", "end"),
    [
        ("en", "space shows the answer", "A strong answer says", "2 reviewed; everything is saved"),
        ("zh", "空格显示答案", "好的回答会说到", "已复习 2 张"),
    ],
)
def test_keys_in_a_terminal(tmp_path: Path, language: str, front: str, answer: str, end: str):
    child, pexpect = spawn(tmp_path, "--lang", language)
    for rating in "3", "4":
        child.expect(front)
        child.send("x ")  # a wrong key is passed over
        child.expect(answer)
        child.send(rating)
    child.expect(front)
    child.send("\x1b[A")  # an arrow too
    child.send("q")
    child.expect(end)
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    assert [(i.split("/")[0], rating) for i, rating, _ in saved(tmp_path)] == [
        (language, 3),
        (language, 4),
    ]


def test_a_terminal_undoes_suspends_and_counts(tmp_path: Path) -> None:
    child, pexpect = spawn(tmp_path, "--level", "screening")
    for keys in (" 4", "u", "s"):
        child.expect("space shows")
        child.send(keys)
    child.expect("space shows")
    child.send("q")
    child.expect(pexpect.EOF)
    content = json.loads((tmp_path / "cards.json").read_text(encoding="utf-8"))
    assert content["reviews"] == [] and content["cards"] == {} and len(content["suspended"]) == 1
    child, pexpect = spawn(tmp_path, "--stats")
    child.expect("Suspended")
    child.expect(pexpect.EOF)
    child, pexpect = spawn(tmp_path, "--restore")
    child.expect(pexpect.EOF)
    assert "suspended" not in json.loads((tmp_path / "cards.json").read_text(encoding="utf-8"))


def test_interrupted_or_closed_terminal_keeps_what_was_rated(tmp_path: Path) -> None:
    child, pexpect = spawn(tmp_path)
    child.expect("space shows")
    child.send(" ")
    child.expect("again")
    child.send("4")
    child.expect("space shows")
    child.sendintr()
    child.expect("1 reviewed")
    child.expect(pexpect.EOF)
    child, pexpect = spawn(tmp_path)
    child.expect("space shows")
    child.send(" ")
    child.expect("again")
    child.send("2")
    child.expect("space shows")
    child.close(force=True)
    assert [rating for _, rating, _ in saved(tmp_path)] == [4, 2]


def test_without_a_terminal_it_is_one_sentence(tmp_path: Path) -> None:
    import subprocess

    env = {**os.environ, "HALFBITS_DATA": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, *COMMAND],
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert done.stderr == (
        "halfbits: This needs a terminal: run it without a pipe or a redirection.\n"
    )


def test_progress_moves_through_a_file(tmp_path: Path) -> None:
    from halfbits.course.interview.cards.terminal import Deck, run

    bank = make_large_bank()
    assert len(make_cards(bank, "en")) == 42
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("halfbits.course.interview.cards.terminal.load_bank", lambda: bank)
        patch.setenv("HALFBITS_DATA", str(tmp_path / "one"))
        Schedule.load().review("en/q00", 3, NOW)
        assert run(Deck("en"), 10, None, tmp_path / "progress.json") == 0
        patch.setenv("HALFBITS_DATA", str(tmp_path / "two"))
        assert run(Deck("en"), 10, tmp_path / "progress.json", None) == 0
        assert set(Schedule.load().cards) == {"en/q00"}
