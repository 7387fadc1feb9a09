"""Every quiz can be shown, has three questions, and is right about what its code prints."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from book_sources import ROOT

from halfbits.course.authoring.sphinx.quiz import QuizError, load_quiz, right_answers

FILES = sorted((ROOT / "book" / "quizzes").glob("*.yaml"))
CODES = [
    (path, number, question)
    for path in FILES
    for number, question in enumerate(load_quiz(path), 1)
    if question.get("code")
]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_quiz_has_three_questions(path: Path) -> None:
    assert len(load_quiz(path)) == 3


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_quiz_belongs_to_a_lesson(path: Path) -> None:
    lesson = ROOT / "notebooks" / f"{path.stem}.ipynb"
    assert f"quizzes/{path.name}" in lesson.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("path", "number", "question"),
    CODES,
    ids=[f"{path.stem}-{number}" for path, number, _ in CODES],
)
def test_the_code_of_a_question_prints_its_right_choice(
    path: Path, number: int, question: dict[str, Any], prints: dict[str, Future[str]]
) -> None:
    [right] = right_answers(question)
    assert prints[question["code"]].result() == right.replace("`", "").strip()


@pytest.fixture(scope="module")
def prints(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[str]]]:
    """What the code of each question prints that is asked for, two processes at a time."""
    folder = tmp_path_factory.mktemp("codes")
    cases = [getattr(item, "callspec", None) for item in request.session.items]
    codes = [case.params["question"]["code"] for case in cases if case and "number" in case.params]
    with ThreadPoolExecutor(2) as pool:
        yield {code: pool.submit(printed, code, folder) for code in codes}


def printed(code: str, folder: Path) -> str:
    environment = {**os.environ, "PYTHONUTF8": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


GOOD = """
- question: Which?
  choices:
    - {text: a, because: it is, correct: true}
    - {text: b, because: it is not}
"""


def test_a_whole_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "q.yaml"
    path.write_text(GOOD, encoding="utf-8")
    assert right_answers(load_quiz(path)[0]) == ["a"]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("question: Which?", "ask: Which?", "q.yaml, question 1: unknown field `ask`"),
        ("question: Which?", "question: 3", "question 1: expected a text under `question`"),
        ("because: it is not", "why: no", "question 1, choice B: unknown field `why`"),
        (", because: it is not", "", "question 1, choice B: expected a text under `because`"),
        ("text: a", "text: 1.0", "question 1, choice A: expected a text under `text`"),
        ("correct: true", "correct: 1", "choice A: expected true or false under `correct`"),
        (", correct: true", "", "question 1: expected `correct: true`"),
        ("text: b", "text: a", "question 1: two entries under `choices` have the same text"),
        ("- {text: b, because: it is not}", "", "question 1: expected 2 to 8 entries"),
        (GOOD, "questions: 3", "q.yaml: expected a list of questions"),
        ("choices:", "choices: [", "q.yaml: cannot be read"),
    ],
)
def test_a_broken_file_is_named_with_question_and_field(
    tmp_path: Path, old: str, new: str, says: str
) -> None:
    path = tmp_path / "q.yaml"
    path.write_text(GOOD.replace(old, new), encoding="utf-8")
    with pytest.raises(QuizError) as caught:
        load_quiz(path)
    assert says in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(QuizError, match=r"none\.yaml"):
        load_quiz(tmp_path / "none.yaml")
