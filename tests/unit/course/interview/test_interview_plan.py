"""The practice plan: everything in its order, nothing twice, and what is left out is said."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fake_bank import make_bank, make_question

from halfbits.course.catalog import Catalog, Exercise, load_catalog
from halfbits.course.interview.cards.forecast import Reviews, forecast
from halfbits.course.interview.cards.schedule import Schedule
from halfbits.course.interview.plan import items as plan_items
from halfbits.course.interview.plan.plan import SMALLEST_PART, Item, Plan, cards_share, make_plan
from halfbits.course.lessons import Lesson, load_lessons, read_lesson
from halfbits.course.progress import learned
from halfbits.course.progress.progress import Record, changing_progress
from halfbits.errors import CourseError
from halfbits.folders import find_root

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
NO_CARDS = Reviews(0, 0, 0)


def item(name: str, minutes: int = 15, importance: int = 2, **changes: object) -> Item:
    values = {"kind": "lesson", "title": name, "asked": 1, "rank": float(ord(name[0]))}
    values |= {"needs": frozenset(), **changes}
    return Item(name=name, minutes=minutes, importance=importance, **values)  # type: ignore[arg-type]


def plan(*items: Item, days: int = 1, minutes: int = 60, cards: Reviews = NO_CARDS) -> Plan:
    return make_plan(items, [cards] * days, minutes)


def all_names(found: Plan) -> list[str]:
    return [name for day in names(found) for name in day]


def names(found: Plan) -> list[list[str]]:
    return [[placed.name for placed, _ in day.work] for day in found.days]


def test_days_are_filled_in_order_and_never_over() -> None:
    found = plan(*(item(letter) for letter in "abcde"), days=3, minutes=30)
    assert names(found)[0] == ["a", "b"]
    assert names(found)[1] == []  # the mock interview
    assert [day.mock for day in found.days] == [0, 30, 0]
    assert all(day.left >= 0 for day in found.days)
    assert len(found.left_out) == 1


def test_what_is_needed_comes_first_though_it_ranks_last() -> None:
    found = plan(item("a", needs=frozenset({"z"})), item("z"), days=4)
    assert all_names(found) == ["z", "a"]


def test_needs_that_are_done_already_do_not_hold_anything_up() -> None:
    assert names(plan(item("a", needs=frozenset({"read long ago"})), days=4))[0] == ["a"]


def test_least_important_is_left_out_first_and_nothing_that_is_needed() -> None:
    items = [
        item("a", 30, importance=1),
        item("b", 30, importance=3, needs=frozenset({"a"})),
        item("c", 30, importance=2),
        item("d", 30, importance=2, asked=9),
    ]
    assert [i.name for i in plan(*items, days=4, minutes=30).left_out] == ["c"]
    assert [i.name for i in plan(*items, days=3, minutes=30).left_out] == ["c", "d"]


def test_small_one_fits_into_what_a_large_one_left() -> None:
    items = [item("a", 25, 1), item("b", 50, 2), item("c", 50, 3)]
    found = make_plan(items, [Reviews(30, 0, 0), NO_CARDS], 60)
    assert [i.name for i in found.left_out] == ["b"]
    assert sorted(all_names(found)) == ["a", "c"]


def test_exercise_is_spread_over_days_in_parts_that_are_not_too_small() -> None:
    found = plan(item("a", 64, kind="exercise"), days=4, minutes=60)
    parts = [minutes for day in found.days for _, minutes in day.work]
    assert parts == [54, 10]
    assert min(parts) >= SMALLEST_PART
    assert found.left_out == ()


def parts(found: Plan, name: str) -> list[int]:
    return [part for day in found.days for placed, part in day.work if placed.name == name]


@pytest.mark.parametrize(
    ("minutes", "expected"), [(30, [30, 10]), (20, [20, 20]), (15, [15, 15, 10]), (10, [10] * 4)]
)
def test_lesson_that_is_longer_than_a_day_is_spread(minutes: int, expected: list[int]) -> None:
    found = plan(item("a", 40), days=7, minutes=minutes)
    assert parts(found, "a") == expected
    assert found.left_out == ()


def test_on_short_days_a_last_part_may_be_short() -> None:
    assert parts(plan(item("a", 35), days=7, minutes=10), "a") == [10, 10, 10, 5]


def test_lesson_that_needs_a_spread_one_waits_for_its_last_part() -> None:
    items = [item("b", 10, needs=frozenset({"a"})), item("a", 40)]
    assert names(plan(*items, days=8, minutes=20))[:3] == [["a"], ["a"], ["b"]]


def test_lesson_stays_whole() -> None:
    found = plan(item("a", 40), item("b", 40), days=4, minutes=60)
    assert names(found)[:2] == [["a"], ["b"]]


def test_flashcards_and_mock_take_their_time_from_the_day() -> None:
    found = plan(item("a", 30), days=3, minutes=60, cards=Reviews(10, 5, 0))
    assert [day.mock for day in found.days] == [0, 30, 0]
    assert names(found) == [["a"], [], []]


def test_cheat_sheet_takes_its_time_from_the_last_day() -> None:
    found = make_plan([item("a", 50)], [NO_CARDS] * 2, 60, sheet=15)
    assert [day.sheet for day in found.days] == [0, 15]
    assert found.days[1].left == 45
    assert make_plan([], [NO_CARDS], 10, sheet=15).days[0].sheet == 10


@pytest.mark.parametrize(("days", "share"), [(1, 10), (2, 10), (3, 20), (30, 20)])
def test_short_plan_keeps_its_time_for_lessons(days: int, share: int) -> None:
    assert cards_share(days, 60) == share


def test_what_is_begun_is_finished_before_anything_else() -> None:
    items = [item("a", 40), item("b", 90, kind="exercise"), item("c", 10)]
    assert names(plan(*items, days=4)) == [["a", "b"], ["b"], ["b", "c"], []]


@pytest.mark.parametrize(("days", "mocks"), [(1, []), (2, []), (3, [1]), (8, [3, 6])])
def test_mock_interviews_come_before_the_last_day_and_halfway(days: int, mocks: list[int]) -> None:
    found = plan(days=days)
    assert [place for place, day in enumerate(found.days) if day.mock] == mocks


def test_nothing_fits_into_a_day_of_cards() -> None:
    found = plan(item("a"), days=1, minutes=10, cards=Reviews(3, 0, 7))
    assert found.left_out == (item("a"),)


@pytest.fixture
def schedule(tmp_path: Path) -> Schedule:
    return Schedule.load(tmp_path / "cards.json")


def test_forecast_counts_overdue_cards_first_and_spreads_new_ones(schedule: Schedule) -> None:
    for number in range(4):
        schedule.review(f"en/old{number}", 4, NOW - timedelta(days=20))
    ids = [f"en/old{number}" for number in range(4)] + [f"en/new{number}" for number in range(9)]
    found = forecast(schedule, ids, 4, 20, NOW)
    assert found[0] == Reviews(due=4, new=3, waiting=0)
    assert [day.new for day in found] == [3, 3, 3, 0]
    assert found[2].due >= 3  # the new ones of the first day come back


def test_forecast_keeps_to_its_minutes_and_says_what_waits(schedule: Schedule) -> None:
    for number in range(30):
        schedule.review(f"en/{number}", 4, NOW - timedelta(days=20))
    found = forecast(schedule, [f"en/{number}" for number in range(30)], 2, 10, NOW)
    assert found == [Reviews(10, 0, 20), Reviews(10, 0, 10)]
    assert len(schedule.due(schedule.cards, NOW)) == 30  # nothing was reviewed by looking ahead


def exercise(key: str, **changes: object) -> Exercise:
    values = {"title": key, "minutes": 40, "difficulty": 1, "importance": 3, "tasks": ("f",)}
    return Exercise(key=key, time_limit=9, preload=(), **(values | changes))  # type: ignore[arg-type]


def test_items_leave_out_what_is_solved_or_read_and_shorten_what_is_begun() -> None:
    lessons = {
        stem: Lesson(stem, stem, 12, (), leads)
        for stem, leads in {"one": ("amp/x",), "two": ("amp/y",), "three": ()}.items()
    }
    catalog = Catalog(Path(), (exercise("amp/x"), exercise("amp/y"), exercise("amp/z")))
    records = {
        "amp/x": Record(passed=["a", "b"], total=2),
        "amp/y": Record(passed=["a"], total=4),
    }
    bank = make_bank(
        make_question("q", seed=1, lessons=("two", "three")), make_question("r", lessons=("three",))
    )
    items = plan_items.make_items(catalog, lessons, bank, records, {"one"})
    found = {i.name: i for i in items}
    assert set(found) == {"seed_questions", "two", "three", "amp/y", "amp/z"}
    assert min(items, key=lambda i: i.rank).name == "seed_questions"
    assert found["amp/y"].minutes == 30
    assert found["amp/y"].needs == {"two"}
    assert found["two"].rank < found["amp/y"].rank < found["three"].rank
    assert [found[n].importance for n in ("two", "three")] == [3, 2]
    assert [found[n].asked for n in ("two", "three")] == [1, 2]


def test_every_lesson_of_the_course_states_its_minutes_and_exercises() -> None:
    lessons = load_lessons(find_root())
    assert set(lessons) >= {"number_formats", "quantization_theory"}
    real = [lesson for lesson in lessons.values() if lesson.minutes]
    assert all(15 <= lesson.minutes <= 60 for lesson in real)
    assert "quantization_theory" in lessons["quantize_a_model"].needs
    assert "quantization/best_clip" in lessons["quantization_theory"].leads_to
    known = {e.key for e in load_catalog().exercises} | set(lessons)
    for lesson in real:
        assert set(lesson.needs) | set(lesson.leads_to) <= known, lesson.stem


def test_lesson_needs_what_its_first_cell_links(tmp_path: Path) -> None:
    needs = "[One](one.ipynb), [X](../exercises/amp/x.ipynb), [words](../book/glossary.md)"
    text = f"# Why?\n\n**Minutes.** 30\n\n**Before this.** {needs}\n"
    path = tmp_path / "two.ipynb"
    path.write_text(json.dumps({"cells": [{"cell_type": "markdown", "source": [text]}]}))
    assert read_lesson(path) == Lesson("two", "Why?", 30, ("one", "amp/x"), ())


@pytest.mark.parametrize("days", [1, 3, 10, 30])
@pytest.mark.parametrize("minutes", [15, 60, 240])
def test_real_course_is_laid_out_with_every_need_met(
    days: int, minutes: int, schedule: Schedule
) -> None:
    bank = make_bank(make_question("q", seed=1, lessons=("number_formats",)))
    catalog = load_catalog()
    items = plan_items.make_items(catalog, load_lessons(catalog.root), bank, {}, set())
    reviews = forecast(schedule, ["en/q"], days, minutes // 3, NOW)
    found = make_plan(items, reviews, minutes)
    done: list[str] = []
    for day in found.days:
        assert day.left >= 0
        for placed, _ in day.work:
            assert placed.needs <= set(done)
            spent = sum(m for d in found.days for i, m in d.work if i.name == placed.name)
            assert spent == placed.minutes
            done.append(placed.name)
    assert set(done) | {i.name for i in found.left_out} == {i.name for i in items}
    assert "seed_questions" in done
    assert set(done).isdisjoint(i.name for i in found.left_out)


def test_every_exercise_of_the_course_comes_after_a_lesson() -> None:
    catalog = load_catalog()
    lessons = load_lessons(catalog.root)
    items = plan_items.make_items(catalog, lessons, make_bank(make_question("q")), {}, set())
    for found in (i for i in items if i.kind == "exercise"):
        assert set(lessons) & found.needs, f"no lesson leads to {found.name}"


def test_lessons_that_were_read_are_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HALFBITS_DATA", str(tmp_path))
    lessons = {"one": Lesson("one", "One?", 12, (), ()), "two": Lesson("two", "Two?", 12, (), ())}
    plan_items.remember_read(["notebooks/one.ipynb"], lessons)
    plan_items.remember_read(["two", "seed_questions"], lessons)
    assert plan_items.read_lessons() == {"one", "two", "seed_questions"}
    with pytest.raises(CourseError, match="There is no lesson 'three'; the lessons are one, two"):
        plan_items.remember_read(["three"], lessons)


def test_lessons_that_are_ticked_in_the_book_are_read_as_long_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HALFBITS_DATA", str(tmp_path))
    ticked = {"read:notebooks/one": {"yes": True}, "read:notebooks/two": {"yes": False}}
    others = {"quiz:notebooks/three": {"opened": []}, "last": {"page": "notebooks/four"}}
    entries = {n: e | {"at": "2026-03-02T09:30:00Z"} for n, e in (ticked | others).items()}
    learned.keep({"entries": entries, "reports": []})
    assert plan_items.read_lessons() == {"one"}
    plan_items.remember_read(["two"], {"two": Lesson("two", "Two?", 12, (), ())})
    changed = {"read:notebooks/one": {"yes": False, "at": "2026-03-02T09:31:00Z"}}
    learned.keep({"entries": changed, "reports": []})
    assert plan_items.read_lessons() == {"two"}


@pytest.mark.parametrize(
    ("language", "title", "cards"),
    [
        ("en", "Practice plan", r"flashcards: \d+ due, \d+ new"),
        ("zh", "练习计划", r"卡片：\d+ 张到期，\d+ 张新卡"),
    ],
)
def test_command_prints_one_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, language: str, title: str, cards: str
) -> None:
    monkeypatch.setenv("HALFBITS_DATA", str(tmp_path))
    with changing_progress() as records:
        records["quantization/quantized_linear"] = Record(passed=["a"], total=1)
    words = ["plan", "--days", "20", "--lang", language, "--read", "number_formats"]
    env = {**os.environ, "PYTHONIOENCODING": "utf-8", "COLUMNS": "160"}
    done = subprocess.run(
        [sys.executable, "-m", "halfbits", *words],
        env=env,
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert title in done.stdout
    assert re.search(cards, done.stdout)
    assert "exercises/amp/amp_basics.ipynb" in done.stdout
    assert "quantized_linear" not in done.stdout
    assert "number_formats" not in done.stdout
    assert "python course.py mock --minutes" in done.stdout
