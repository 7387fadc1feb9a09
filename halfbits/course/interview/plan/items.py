"""The lessons, exercises and questions a plan is made of, less what is read and solved already."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from statistics import median_low

from halfbits.course.catalog import Catalog, Exercise
from halfbits.course.interview.bank.bank import Bank
from halfbits.course.interview.bank.question import Question
from halfbits.course.interview.plan.plan import Item
from halfbits.course.lessons import Lesson, before, leading_to
from halfbits.course.progress import learned, store
from halfbits.course.progress.progress import Record
from halfbits.errors import CourseError

SEED_QUESTIONS = "seed_questions"
SEED_SHARE = 3  # minutes for each: say the answer, open the short one, compare


def make_items(
    catalog: Catalog,
    lessons: Mapping[str, Lesson],
    bank: Bank,
    records: Mapping[str, Record],
    read: set[str],
) -> list[Item]:
    """The seed's questions, the lessons not read and the exercises not solved.

    An exercise needs what it builds on, and the first lesson of its part of the book that leads
    to it.
    """
    chosen = {key for path in catalog.paths if path.name == "interview" for key in path.exercises}
    ranks = {stem: float(place) for place, stem in enumerate(lessons)}
    items = [
        _lesson(lesson, bank, ranks[stem])
        for stem, lesson in lessons.items()
        if lesson.minutes and stem not in read
    ]
    for place, exercise in enumerate(catalog.exercises):
        record = records.get(exercise.key, Record())
        if not record.is_solved:
            rank = _rank(exercise, lessons, ranks) + place / 100
            item = _exercise(exercise, record, bank, rank)
            first = {one.stem for one in before(catalog.root, exercise.key, lessons.values())[:1]}
            items.append(replace(item, needs=item.needs | first, core=exercise.key in chosen))
    return [*_seed_questions(bank, read), *items]


def _seed_questions(bank: Bank, read: set[str]) -> list[Item]:
    """The FAQ's own questions, first of all; none once they are read."""
    asked = [question for question in bank.questions if question.seed is not None]
    if not asked or SEED_QUESTIONS in read:
        return []
    minutes = SEED_SHARE * len(asked)
    # Nothing is asked more often: all questions rank behind them.
    return [Item(SEED_QUESTIONS, "questions", "", minutes, 3, len(bank.questions), -1.0, core=True)]


def _lesson(lesson: Lesson, bank: Bank, rank: float) -> Item:
    asked = [question for question in bank.questions if lesson.stem in question.lessons]
    importance = max((_weight(lesson.stem, question) for question in asked), default=1)
    return Item(
        name=lesson.stem,
        kind="lesson",
        title=lesson.title,
        minutes=lesson.minutes,
        importance=importance,
        asked=len(asked),
        rank=rank,
        needs=frozenset(lesson.needs),
        core=importance == 3,
    )


def _weight(stem: str, question: Question) -> int:
    """3 for the first lesson of one of the seed's ten questions, 2 for its others, else 1."""
    if question.seed is None:
        return 1
    return 3 if question.lessons[0] == stem else 2


def _exercise(exercise: Exercise, record: Record, bank: Bank, rank: float) -> Item:
    """What is left of an exercise: checks that pass already count as time spent."""
    done = len(record.passed) / record.total if record.total else 0.0
    return Item(
        name=exercise.key,
        kind="exercise",
        title=exercise.title,
        minutes=max(5, round(exercise.minutes * (1 - done))),
        importance=exercise.importance,
        asked=sum(exercise.key in question.exercises for question in bank.questions),
        rank=rank,
        needs=frozenset(exercise.prerequisites),
    )


def _rank(exercise: Exercise, lessons: Mapping[str, Lesson], ranks: Mapping[str, float]) -> float:
    """Right after the middle one of the lessons that lead to it."""
    leading = [ranks[one.stem] for one in leading_to(exercise.key, lessons.values())]
    return (median_low(leading) if leading else len(ranks)) + 0.5


def read_lessons() -> set[str]:
    """The lessons that the person said are read, to the command or in the book."""
    entries = learned.kept()["entries"].items()
    ticked = (name for name, entry in entries if name.startswith("read:") and entry.get("yes"))
    return _told() | {Path(name.removeprefix("read:")).stem for name in ticked}


def _told() -> set[str]:
    content = store.read(_path()) or {}
    return {str(stem) for stem in content.get("read", [])}


def remember_read(names: list[str], lessons: Mapping[str, Lesson]) -> None:
    """Remember lessons as read. Raises CourseError for one that does not exist."""
    stems = [Path(name).stem for name in names]
    for stem in stems:
        if stem not in lessons and stem != SEED_QUESTIONS:
            known = ", ".join(stem for stem, lesson in lessons.items() if lesson.minutes)
            raise CourseError(f"There is no lesson {stem!r}; the lessons are {known}.")
    with store.locked(_path()):
        store.write(_path(), {"version": 1, "read": sorted(_told() | set(stems))})


def _path() -> Path:
    return store.folder() / "lessons.json"
