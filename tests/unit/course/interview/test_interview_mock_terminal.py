"""The mock interview in a real terminal, in both languages, interrupted and taken up again."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import sys
from pathlib import Path

import pytest
from processes import LIMIT

from halfbits.course.interview.mock import files as mock_files
from halfbits.course.interview.mock.terminal import history, run
from halfbits.course.interview.text.phrases import phrases
from halfbits.errors import CourseError

MOCK = ["-m", "halfbits", "mock"]


class Terminal:
    """The command in a terminal of its own, and the words of its language."""

    def __init__(self, data: Path, language: str, *words: str) -> None:
        pexpect = pytest.importorskip("pexpect")
        if not hasattr(pexpect, "spawn"):
            pytest.skip("pexpect has no terminals on this system")
        self.end, self.words = pexpect.EOF, phrases(language)
        env = {**os.environ, "HALFBITS_DATA": str(data), "TERM": "xterm", "COLUMNS": "90"}
        self.child = pexpect.spawn(
            sys.executable,
            [*MOCK, "--lang", language, *words],
            env=env,
            encoding="utf-8",
            timeout=LIMIT,
            dimensions=(50, 90),
        )

    def see(self, name: str) -> str:
        """Wait for a phrase; what was shown before it."""
        text = re.escape(self.words[name].partition("{")[0])
        self.child.expect(text)
        return self.child.before

    def ends(self) -> int:
        self.child.expect(self.end)
        self.child.close()
        return self.child.exitstatus

    def answer(self, ticks: str) -> None:
        """Answer the question that is shown and tick points."""
        self.see("keys_ask")
        self.child.send(" ")
        self.see("tick")
        self.child.send(ticks + "\r")

    def answer_follow_up(self, key: str) -> None:
        self.see("follow_up")
        self.see("keys_ask")
        self.child.send(" ")
        self.see("well")
        self.child.send(key)


def state(data: Path) -> dict[str, object]:
    return json.loads((data / "mock.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_interrupted_interview_goes_on_and_ends_with_a_report(tmp_path: Path, language: str):
    terminal = Terminal(tmp_path, language, "--seed", "3", "--minutes", "8")
    terminal.answer("1z2")
    terminal.see("follow_up")
    terminal.child.sendintr()
    terminal.see("interrupted")
    assert terminal.ends() == 0
    before = state(tmp_path)
    assert before["step"] == "probe"
    assert before["asked"][0]["ticks"][:3] == [True, True, False]
    terminal = Terminal(tmp_path, language)
    terminal.see("resume")
    terminal.answer_follow_up("y")
    while (
        seen := terminal.child.expect(
            [re.escape(terminal.words["report"]), re.escape(terminal.words["keys_ask"])]
        )
    ) == 1:
        terminal.child.send(" ")
        terminal.see("tick")
        terminal.child.send("\r")
        terminal.answer_follow_up("n")
    assert seen == 0
    for name in ("score", "total", "weakest", "missed", "lessons"):
        terminal.see(name)
    assert terminal.ends() == 0
    assert not (tmp_path / "mock.json").exists()
    (path,) = (tmp_path / "mocks").iterdir()
    kept = json.loads(path.read_text(encoding="utf-8"))
    assert kept["language"] == language
    assert kept["questions"][0]["got"] == 3
    assert all(entry["got"] == 0 for entry in kept["questions"][1:])


def test_closed_terminal_keeps_ticks_and_seconds(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, "en", "--seed", "3")
    terminal.see("keys_ask")
    terminal.child.expect("0:0[2-9]")
    terminal.child.send(" ")
    terminal.see("tick")
    terminal.child.send("2")
    terminal.child.expect(r"2 \[x\]")
    terminal.child.kill(signal.SIGHUP)
    terminal.ends()
    kept = state(tmp_path)
    assert (kept["step"], kept["asked"][0]["ticks"][:2]) == ("rate", [False, True])
    assert kept["asked"][0]["seconds"] > 1.5
    terminal = Terminal(tmp_path, "en", "--new", "--seed", "4")
    terminal.see("keys_ask")
    terminal.child.send("q")
    terminal.see("interrupted")
    assert terminal.ends() == 0
    assert state(tmp_path)["seed"] == 4
    (put_away,) = (tmp_path / "mocks").glob("unfinished-*.json")
    assert json.loads(put_away.read_text(encoding="utf-8"))["asked"] == kept["asked"]


@pytest.mark.parametrize(
    ("level", "language", "says"),
    [
        ("junior", "en", "There is no level 'junior'; expected one of screening, onsite, staff"),
        ("onsite", "fr", "There is no language 'fr'; expected one of en, zh"),
        ("onsite", "en", "This needs a terminal"),
    ],
)
def test_mistake_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, level: str, language: str, says: str
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    with pytest.raises(CourseError, match=says):
        run(30, level, language, None, False)


def test_earlier_interviews_are_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HALFBITS_DATA", str(tmp_path))
    scores = {"got": 3, "of": 4, "minutes": 30, "level": "onsite"}
    mock_files.keep_report({**scores, "began": "2026-03-02T09:00:00+00:00"})
    assert history("zh") == 0
    assert re.search(r"2026-03-02 09:00.*技术面.*30.*3 / 4.*75", capsys.readouterr().out)
