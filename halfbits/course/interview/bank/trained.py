"""The questions that an exercise trains: those whose `exercises` name it."""

from __future__ import annotations

from pathlib import Path

from halfbits.course.interview.bank.bank import question_files
from halfbits.course.interview.bank.parse import read_question
from halfbits.course.interview.bank.question import Question


def questions_on(root: Path, key: str) -> list[Question]:
    """The questions that name exercise `key`, in the bank's order; none of a file with mistakes.

    Only files that hold the name are parsed, since a report has no time for the whole bank.
    """
    named = (path for path in question_files(root) if key.encode() in path.read_bytes())
    found = (read_question(path)[0] for path in named)
    trained = [question for question in found if question and key in question.exercises]
    return sorted(trained, key=lambda question: question.rank)
