"""The mock interview's draw, steps and report."""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path

import pytest
from fake_bank import make_bank, make_large_bank, make_question

from halfbits.course.interview.bank.bank import Bank
from halfbits.course.interview.mock import files as mock_files
from halfbits.course.interview.mock.draw import MIX, draw, random_numbers
from halfbits.course.interview.mock.interview import CHAIN, Interview, is_valid, probes
from halfbits.course.interview.mock.report import change, last_of_kind, report, score
from halfbits.errors import CourseError

BANK = make_large_bank()
SEEDS = range(60)


def hold(interview: Interview, choose: random.Random, seconds: float = 10.0) -> Interview:
    """Go through a whole interview with random ticks and answers."""
    while interview.step != "done":
        step(interview, choose, seconds)
    return interview


def step(interview: Interview, choose: random.Random, seconds: float = 10.0) -> None:
    if interview.step in ("ask", "probe"):
        interview.spend(seconds)
        interview.answered()
    elif interview.step == "rate":
        for place in range(len(interview.ticks)):
            if choose.random() < 0.6:
                interview.toggle(place)
        interview.rate()
    else:
        interview.judge(choose.random() < 0.5)


@pytest.mark.parametrize("level", MIX)
def test_draw_fits_the_minutes_and_follows_from_the_seed(level: str) -> None:
    for seed in SEEDS:
        drawn = draw(BANK.questions, 30, level, seed)
        assert 20 <= sum(question.minutes for question in drawn) <= 30
        assert drawn == draw(BANK.questions, 30, level, seed)
        assert len({question.slug for question in drawn}) == len(drawn)
        assert {question.level for question in drawn} <= set(MIX[level])


def test_seeds_draw_different_interviews() -> None:
    drawn = {tuple(q.slug for q in draw(BANK.questions, 30, "onsite", seed)) for seed in SEEDS}
    assert len(drawn) > 50


@pytest.mark.parametrize("level", MIX)
def test_topics_are_spread_and_the_level_is_kept(level: str) -> None:
    for seed in SEEDS:
        drawn = draw(BANK.questions, 30, level, seed)
        topics = Counter(question.topic for question in drawn)
        assert max(topics.values()) - min(topics.values()) <= 1
        easier = [question for question in drawn if question.level != level]
        assert len(easier) <= 2
        assert drawn[0].level == MIX[level][0]


@pytest.mark.parametrize("level", MIX)
def test_no_question_comes_before_what_it_builds_on(level: str) -> None:
    for seed in SEEDS:
        drawn = draw(BANK.questions, 90, level, seed)
        places = {question.slug: place for place, question in enumerate(drawn)}
        for question in drawn:
            for name in question.prerequisites:
                needed = BANK.find(name).level == level
                assert places.get(name, 99 if needed else -1) < places[question.slug]


def test_circle_of_prerequisites_does_not_hang_the_draw() -> None:
    a = make_question("a", prerequisites=("b",))
    b = make_question("b", prerequisites=("a",))
    assert draw([a, b, make_question("c")], 30, "screening", 1) == [make_question("c")]


def test_random_numbers_are_spread_evenly() -> None:
    below = random_numbers(7)
    counts = Counter(below(10) for _ in range(10_000))
    assert set(counts) == set(range(10))
    # 1,000 expected each; six standard deviations of a binomial are 180.
    assert all(abs(count - 1000) < 180 for count in counts.values())


def begin(bank: Bank, minutes: int = 30, level: str = "screening") -> Interview:
    return Interview.begin(bank, "en", level, minutes, seed=1)


def test_missed_point_is_probed_by_the_follow_up_nearest_to_it() -> None:
    interview = begin(make_bank(make_question("a"), make_question("b")))
    interview.answered()
    interview.toggle(0)
    interview.rate()
    assert interview.step == "probe"
    assert interview.probe[0] == "Which accumulator does it need?"  # point 2 names it
    interview.answered()
    interview.judge(True)
    assert interview.step == "ask"


def test_points_that_share_no_word_with_a_follow_up_take_the_first() -> None:
    assert probes(make_question("a")) == [1, 0, 1]


def test_all_points_lead_on_along_the_chain() -> None:
    deep = make_question("deep", level="staff")
    first = make_question("first", follow_ups=("deep",))
    interview = begin(make_bank(first, deep))
    interview.answered()
    for place in range(3):
        interview.toggle(place)
    interview.rate()
    assert (interview.step, interview.question.slug) == ("ask", "deep")
    assert interview.entry["chained"]


def test_without_a_chain_all_points_lead_to_the_last_follow_up() -> None:
    interview = begin(make_bank(make_question("a")))
    interview.answered()
    for place in range(3):
        interview.toggle(place)
    interview.rate()
    assert interview.probe[0] == "What is the bound on its format?"


def test_chains_stay_short_and_the_whole_within_the_minutes() -> None:
    for seed in SEEDS:
        interview = Interview.begin(BANK, "en", "onsite", 30, seed)
        while interview.step != "done":
            interview.answered() if interview.step in ("ask", "probe") else None
            if interview.step == "rate":
                interview.entry["ticks"] = [True] * 3
                interview.rate()
            elif interview.step == "judge":
                interview.judge(True)
        asked = interview.state["asked"]
        assert sum(BANK.find(entry["slug"]).minutes for entry in asked) <= 30
        chained = "".join("x" if entry["chained"] else "." for entry in asked)
        assert "x" * (CHAIN + 1) not in chained
        assert "x" in chained
        assert len({entry["slug"] for entry in asked}) == len(asked)


def test_time_that_is_up_ends_the_interview_after_the_question() -> None:
    interview = hold(Interview.begin(BANK, "en", "onsite", 30, 1), random.Random(1), seconds=600)
    assert interview.seconds >= 1800
    assert interview.state["queue"] != []
    assert report(BANK, interview.state)["not_reached"] == interview.state["queue"]


def test_interview_goes_on_from_its_saved_state_at_every_step() -> None:
    for seed in range(10):
        whole = hold(Interview.begin(BANK, "zh", "staff", 45, seed), random.Random(seed))
        pieces = Interview.begin(BANK, "zh", "staff", 45, seed)
        choose = random.Random(seed)
        while pieces.step != "done":
            state = json.loads(json.dumps(pieces.state))
            assert is_valid(BANK, state)
            pieces = Interview(BANK, state)
            step(pieces, choose)
        assert pieces.state | {"began": ""} == whole.state | {"began": ""}


CHANGED = {"slug": "q00", "ticks": [True], "probe": None}


@pytest.mark.parametrize(
    "state",
    [
        {},
        {"asked": 3},
        {"version": 1, "asked": [], "queue": ["gone"]},
        {"version": 1, "queue": [], "asked": [{**CHANGED, "slug": "gone", "ticks": None}]},
        {"version": 1, "queue": [], "asked": [CHANGED]},
        {"version": 1, "queue": [], "asked": [{**CHANGED, "ticks": None, "probe": 2}]},
    ],
)
def test_state_that_cannot_go_on_is_told(state: dict[str, object]) -> None:
    assert not is_valid(BANK, state)


def entry(slug: str, ticks: list[bool] | None, good: bool | None = None, seconds: float = 5.0):
    return {"slug": slug, "ticks": ticks, "good": good, "seconds": seconds, "chained": False}


def ended(*asked: dict[str, object], **changes: object) -> dict[str, object]:
    state = {"version": 1, "language": "en", "level": "onsite", "minutes": 30, "seed": 1}
    state |= {"began": "2026-03-02T09:00:00+00:00", "queue": [], "asked": list(asked)}
    return report(BANK, state | changes)


def test_report_counts_points_and_follow_ups_by_topic() -> None:
    found = ended(
        entry("q00", [True, False, True], good=True),
        entry("q07", [True, True, True]),
        entry("q01", [False, False, False], good=False),
        entry("q02", None),
    )
    assert (found["got"], found["of"], found["seconds"]) == (6, 11, 20)
    assert found["topics"]["formats"] == {"got": 6, "of": 7, "seconds": 10}
    assert found["topics"]["amp"] == {"got": 0, "of": 4, "seconds": 5}
    assert found["weakest"] == ["amp"]
    assert [e["missed"] for e in found["questions"]] == [[1], [], [0, 1, 2]]
    assert found["not_reached"] == ["q02"]


def test_report_names_what_to_study_weakest_first() -> None:
    bank = make_bank(
        make_question("weak", lessons=("one", "two"), exercises=("amp/x",)),
        make_question("fair", lessons=("three", "one")),
        make_question("full", lessons=("four",), exercises=("amp/y",)),
    )
    state = {"version": 1, "language": "en", "level": "onsite", "minutes": 30, "seed": 1}
    state |= {"began": "", "queue": []}
    state["asked"] = [
        entry("full", [True] * 3),
        entry("fair", [True, True, False], good=True),
        entry("weak", [False] * 3, good=False),
    ]
    found = report(bank, state)
    assert found["lessons"] == ["one", "two", "three"]
    assert found["exercises"] == ["amp/x"]


def test_change_compares_with_the_last_of_the_same_level_and_language() -> None:
    old = ended(entry("q00", [False, False, True], False), began="2026-03-01T09:00:00+00:00")
    other = ended(entry("q00", [True] * 3, True), began="2026-03-01T10:00:00+00:00", level="staff")
    now = ended(entry("q00", [True, True, True], True), entry("q01", [True, False, False], False))
    assert last_of_kind([old, other], now) == old
    assert change(now, old) == {"": score(now) - 0.25, "formats": 0.75}
    assert change(now, last_of_kind([other], now)) == {}


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HALFBITS_DATA", str(tmp_path))
    return tmp_path


def test_reports_are_kept_and_the_state_goes(data: Path) -> None:
    for minute in (2, 1):
        found = ended(entry("q00", [True] * 3), began=f"2026-03-02T09:0{minute}:00+00:00")
        mock_files.save_current({"version": 1})
        mock_files.keep_report(found)
        mock_files.keep_report(found)  # a crash in between repeats it
    assert [r["began"][15] for r in mock_files.reports()] == ["1", "2"]
    assert mock_files.read_current() is None


def test_unfinished_interview_is_put_away_not_lost(data: Path) -> None:
    mock_files.save_current({"version": 1, "seed": 5})
    path = mock_files.put_away({"version": 1, "seed": 5})
    assert json.loads(path.read_text(encoding="utf-8"))["seed"] == 5
    assert mock_files.read_current() is None
    assert mock_files.reports() == []


def test_two_interviews_at_once_are_refused(data: Path) -> None:
    with mock_files.alone(), pytest.raises(CourseError, match="another window"), mock_files.alone():
        pass
    with mock_files.alone():
        pass
