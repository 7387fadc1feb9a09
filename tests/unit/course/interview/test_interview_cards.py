"""Flashcards and their schedule: nothing is lost, whoever writes and whenever it stops."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fake_bank import make_bank, make_large_bank, make_question

from halfbits.course.interview.cards.cards import make_cards
from halfbits.course.interview.cards.schedule import Schedule, parse
from halfbits.course.interview.cards.statistics import Counts, by_topic, count
from halfbits.errors import CourseError
from halfbits.folders import find_root

NOW = datetime(2026, 3, 2, 9, 30, 0, 123456, tzinfo=UTC)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
IDS = ["en/a", "en/b", "en/c"]


@pytest.fixture
def schedule(tmp_path: Path) -> Schedule:
    return Schedule.load(tmp_path / "cards.json")


def test_cards_of_two_languages_have_different_names_in_the_same_order() -> None:
    bank = make_bank(make_question("bf16"), make_question("amp", seed=1))
    assert [card.id for card in make_cards(bank, "en")] == ["en/amp", "en/bf16"]
    assert [card.id for card in make_cards(bank, "zh")] == ["zh/amp", "zh/bf16"]
    assert make_cards(bank, "zh")[0].front == "什么是 `amp`?"


def test_cards_of_a_topic_include_those_it_is_second_in() -> None:
    bank = make_bank(make_question("one", topics=("amp", "systems")), make_question("two"))
    assert [card.id for card in make_cards(bank, "en", "systems")] == ["en/one"]


@pytest.mark.parametrize(("language", "topic"), [("fr", None), ("en", "cooking")])
def test_unknown_language_or_topic_is_one_sentence(language: str, topic: str | None) -> None:
    with pytest.raises(CourseError, match="expected one of"):
        make_cards(make_large_bank(), language, topic)


def test_due_cards_come_before_new_ones_longest_due_first(schedule: Schedule) -> None:
    schedule.review("en/b", 3, NOW)
    schedule.review("en/a", 3, NOW + MINUTE)
    assert schedule.next_card(IDS, 9, NOW + 2 * MINUTE) == "en/c"
    assert schedule.next_card(IDS, 9, NOW + 12 * MINUTE) == "en/b"


def test_only_so_many_cards_begin_on_a_day(schedule: Schedule) -> None:
    assert schedule.next_card(IDS, 1, NOW) == "en/a"
    schedule.review("en/a", 4, NOW)
    assert schedule.next_card(IDS, 1, NOW + MINUTE) is None
    assert schedule.next_card(IDS, 1, NOW + DAY) == "en/b"


def test_card_being_learned_comes_early_rather_than_end_the_session(schedule: Schedule) -> None:
    schedule.review("en/a", 1, NOW)
    assert schedule.next_card(IDS, 1, NOW) == "en/a"
    assert schedule.next_card(IDS, 1, NOW + DAY) == "en/a"


def test_the_intervals_shown_are_those_that_follow(schedule: Schedule) -> None:
    for rating in (1, 2, 3, 4):
        promised = schedule.intervals(f"en/{rating}", NOW)[rating - 1]
        card = schedule.review(f"en/{rating}", rating, NOW)
        assert card.due - card.last_review == promised
    assert schedule.intervals("en/new", NOW) == (MINUTE, 5.5 * MINUTE, 10 * MINUTE, 8 * DAY)


def test_reviews_are_on_disk_at_once_and_read_back(schedule: Schedule) -> None:
    for step, rating in enumerate((3, 3, 1, 3, 2)):
        schedule.review("en/a", rating, NOW + step * DAY)
    again = Schedule.load(schedule.path)
    assert again.cards == schedule.cards
    assert again.reviews == schedule.reviews
    assert [rating for _, rating, _ in again.reviews] == [3, 3, 1, 3, 2]


def test_two_windows_do_not_undo_each_other(schedule: Schedule) -> None:
    other = Schedule.load(schedule.path)
    schedule.review("en/a", 3, NOW)
    other.review("en/b", 3, NOW)
    assert set(Schedule.load(schedule.path).cards) == {"en/a", "en/b"}


WRITER = """
import sys
from pathlib import Path
from halfbits.course.interview.cards.schedule import Schedule, parse
from halfbits.course.interview.cards.statistics import Counts, by_topic, count
schedule = Schedule.load(Path(sys.argv[1]))
print("ready", flush=True)
for number in range(10_000):
    schedule.review(f"en/{number % 50}", 3)
"""


def test_killed_writer_leaves_a_whole_file(schedule: Schedule) -> None:
    command = [sys.executable, "-c", WRITER, str(schedule.path)]
    for reviews in (5, 30):
        writer = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert writer.stdout is not None
        writer.stdout.readline()
        while len(schedule.reviews) < reviews:
            schedule.reload()
        writer.kill()
        writer.wait()
        writer.stdout.close()
        before = len(Schedule.load(schedule.path).reviews)
        schedule.review("en/after", 3)
        assert len(Schedule.load(schedule.path).reviews) == before + 1
    assert list(schedule.path.parent.glob("*unreadable*")) == []


@pytest.mark.parametrize("content", ['{"version": 1, "ca', "[]", '{"version": 9}', "{}", "\udcff"])
def test_unreadable_file_is_moved_aside_not_lost(
    tmp_path: Path, content: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "cards.json"
    path.write_bytes(content.encode(errors="surrogateescape"))
    schedule = Schedule.load(path)
    schedule.review("en/a", 3)
    (kept,) = tmp_path.glob("cards-unreadable-*.json")
    assert kept.read_bytes() == content.encode(errors="surrogateescape")
    assert str(kept) in capsys.readouterr().err
    assert set(Schedule.load(path).cards) == {"en/a"}


def test_merging_the_pages_export_keeps_the_later_state_and_every_review(
    schedule: Schedule, tmp_path: Path
) -> None:
    page = Schedule.load(tmp_path / "export.json")
    page.review("en/a", 3, NOW)
    page.review("en/b", 3, NOW + DAY)
    as_page_writes = page.path.read_text(encoding="utf-8").replace("+00:00", "Z")
    page.path.write_text(as_page_writes, encoding="utf-8")
    schedule.review("en/a", 1, NOW + DAY)
    mine = schedule.cards["en/a"]
    assert schedule.merge(page.path) == 1
    assert schedule.cards == {"en/a": mine, "en/b": page.cards["en/b"]}
    assert len(schedule.reviews) == 3
    assert schedule.merge(page.path) == 0
    assert len(Schedule.load(schedule.path).reviews) == 3


@pytest.mark.parametrize(
    "content",
    ["no JSON", "[]", '{"version": 1, "cards": {"en/a": {}}, "reviews": []}', '{"version": 2}'],
)
def test_file_of_something_else_is_refused_and_nothing_changes(
    schedule: Schedule, tmp_path: Path, content: str
) -> None:
    schedule.review("en/a", 3, NOW)
    before = schedule.path.read_bytes()
    (tmp_path / "else.json").write_text(content, encoding="utf-8")
    with pytest.raises(CourseError, match="no file of flashcards"):
        schedule.merge(tmp_path / "else.json")
    assert schedule.path.read_bytes() == before


def test_the_file_is_plain_json(schedule: Schedule) -> None:
    schedule.review("en/a", 3, NOW)
    saved = json.loads(schedule.path.read_text(encoding="utf-8"))
    assert saved["reviews"] == [["en/a", 3, "2026-03-02T09:30:00.123+00:00"]]
    assert saved["cards"]["en/a"]["due"] == "2026-03-02T09:40:00.123000+00:00"


def test_undo_makes_a_card_what_its_other_reviews_make_of_it(schedule: Schedule) -> None:
    before = schedule.review("en/a", 3, NOW)
    schedule.review("en/a", 1, NOW + DAY)
    schedule.review("zh/a", 2, NOW + 2 * DAY)
    assert schedule.undo(IDS) == "en/a"
    assert Schedule.load(schedule.path).cards["en/a"] == before
    assert [entry[:2] for entry in schedule.reviews] == [["en/a", 3], ["zh/a", 2]]
    assert schedule.undo(IDS) == "en/a" and "en/a" not in schedule.cards
    assert schedule.undo(IDS) is None and "zh/a" in schedule.cards


def test_suspended_cards_are_not_shown_until_they_are_taken_back(schedule: Schedule) -> None:
    schedule.review("en/a", 1, NOW)
    schedule.suspend("en/a")
    schedule.suspend("en/b")
    assert schedule.next_card(IDS, 9, NOW + DAY) == "en/c" and schedule.due(IDS, NOW + DAY) == []
    again = Schedule.load(schedule.path)
    again.suspend("en/a", away=False)
    assert again.next_card(IDS, 9, NOW + DAY) == "en/a" and again.suspended == {"en/b"}


def test_suspended_cards_come_with_a_file(schedule: Schedule, tmp_path: Path) -> None:
    other = Schedule.load(tmp_path / "other.json")
    other.suspend("en/b")
    schedule.suspend("en/a")
    schedule.merge(other.path)
    assert Schedule.load(schedule.path).suspended == {"en/a", "en/b"}


def test_cards_of_a_level() -> None:
    bank = make_large_bank()
    levels = {card.question.level for card in make_cards(bank, "en", level="screening")}
    assert levels == {"screening"}
    with pytest.raises(CourseError, match="expected one of"):
        make_cards(bank, "en", level="intern")


def test_statistics_count_what_was_seen_known_put_away_and_remembered(schedule: Schedule) -> None:
    bank = make_bank(make_question("a"), make_question("b", topics=("amp",)))
    cards = make_cards(bank, "en")
    for days in (0, 8, 40):
        schedule.review("en/a", 4, NOW + days * DAY)
    schedule.review("en/b", 1, NOW + 40 * DAY)
    schedule.suspend("en/b")
    found = by_topic(cards, schedule, NOW + 41 * DAY)
    assert found[""] == Counts(2, 2, 1, 1, 2, 1) and found[""].retention == 0.5
    assert found["amp"] == Counts(1, 1, 0, 1, 1, 0)
    assert count(cards, schedule, NOW + 400 * DAY).retention is None


@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node")
def test_the_page_undoes_suspends_and_counts_as_python_does(schedule: Schedule) -> None:
    for step, rating in enumerate((3, 3, 1, 4)):
        schedule.review("en/a", rating, NOW + step * DAY)
    schedule.review("en/b", 4, NOW + 5 * DAY)
    schedule.suspend("en/c")
    static = find_root() / "book" / "_static"
    program = f"""
import {{ suspend, undo }} from {json.dumps((static / "progress.mjs").as_uri())};
import {{ count }} from {json.dumps((static / "card_stats.mjs").as_uri())};
const content = {json.dumps(schedule.content())};
undo(content, new Set({json.dumps(IDS)}));
undo(content, new Set({json.dumps(IDS)}));
suspend(content, ["en/b"]);
const counts = count({json.dumps(IDS)}, content, {(NOW + 6 * DAY).timestamp() * 1000});
console.log(JSON.stringify([content, counts]));
"""
    command = ["node", "--input-type=module", "-e", program]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    content, counts = json.loads(done.stdout)
    schedule.undo(IDS)
    schedule.undo(IDS)
    schedule.suspend("en/b")
    page = parse(content)[0]["en/a"]
    assert page.due == schedule.cards["en/a"].due and set(content["cards"]) == {"en/a"}
    assert content["suspended"] == ["en/b", "en/c"]
    cards = make_cards(make_bank(*map(make_question, "abc")), "en")
    assert counts == asdict(count(cards, schedule, NOW + 6 * DAY))
