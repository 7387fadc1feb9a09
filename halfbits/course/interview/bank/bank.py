"""The question bank: every file of book/interview/questions, read, checked, in its order.

`python -m halfbits.course.interview.bank.bank [FILES]` prints all that is wrong with them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from halfbits.course.interview.bank.parse import Problem, read_question
from halfbits.course.interview.bank.question import LANGUAGES, Proof, Question, Source, Text
from halfbits.errors import CourseError
from halfbits.folders import find_root

__all__ = ["LANGUAGES", "Bank", "Proof", "Question", "Source", "Text", "load_bank"]
QUESTIONS = Path("book") / "interview" / "questions"


@dataclass(frozen=True)
class Bank:
    """All questions: the seed's ten in the seed's order, then by topic, level and slug."""

    questions: tuple[Question, ...]

    @cached_property
    def by_slug(self) -> dict[str, Question]:
        return {question.slug: question for question in self.questions}

    def find(self, slug: str) -> Question:
        """The question of that slug. Raises CourseError."""
        if slug not in self.by_slug:
            raise CourseError(f"There is no question called {slug!r} in {QUESTIONS.as_posix()}.")
        return self.by_slug[slug]


def load_bank(root: Path | None = None) -> Bank:
    """The bank of the checkout at `root` (found when left out).

    Raises CourseError with file, line and field of the first mistake.
    """
    questions, problems = read_all(question_files(root or find_root()))
    if problems:
        raise CourseError(f"{problems[0]}.")
    return Bank(tuple(questions))


def question_files(root: Path) -> list[Path]:
    return sorted((root / QUESTIONS).glob("*.md"))


def read_all(files: Sequence[Path]) -> tuple[list[Question], list[Problem]]:
    """The whole questions among `files`, in the bank's order, and the problems of the others."""
    questions, problems = [], []
    for path in files:
        question, found = read_question(path)
        problems += found
        if question:
            questions.append(question)
    problems += twice_the_seed(questions)
    return sorted(questions, key=lambda question: question.rank), problems


def twice_the_seed(questions: Sequence[Question]) -> Iterator[Problem]:
    """Two questions cannot be the same one of the seed's ten."""
    taken: dict[int, str] = {}
    for question in questions:
        if question.seed is not None and question.seed in taken:
            says = f"{question.seed} is taken by {taken[question.seed]}"
            yield Problem(question.path, 1, "seed", says)
        elif question.seed is not None:
            taken[question.seed] = question.slug


def main(arguments: Sequence[str]) -> int:
    """Print every problem of the named files, or of all, and how many questions are whole."""
    from halfbits.course.interview.bank.links import link_problems

    root = find_root()
    files = question_files(root)
    wanted = [Path(name).resolve() for name in arguments] or files
    named, problems = read_all(wanted)
    others, _ = read_all([path for path in files if path not in wanted])
    links = link_problems([*named, *others], root)
    problems += [found for found in links if found.path in wanted]
    for problem in problems:
        print(problem)
    print(f"{len(named)} of {len(wanted)} questions are whole; {len(problems)} problems.")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
