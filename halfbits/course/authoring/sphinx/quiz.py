"""The directive `{quiz} quizzes/<name>.yaml`: questions that work and print without a script.

Each choice is a folded line; opening it tells in words whether it is right, and why. Nothing is
sent or stored. The path starts at book/.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

LETTERS = "ABCDEFGH"


class QuizError(ValueError):
    """A quiz file that cannot be shown; the text names the file, the question and the field."""


def load_quiz(path: Path) -> list[dict[str, Any]]:
    """The questions of a quiz file, checked. Raises QuizError."""
    try:
        questions = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise QuizError(f"{path.name}: cannot be read: {error}") from error
    if not isinstance(questions, list) or not questions:
        raise QuizError(f"{path.name}: expected a list of questions")
    for number, question in enumerate(questions, 1):
        _check(question, f"{path.name}, question {number}")
    return questions


def _check(question: Any, where: str) -> None:
    _check_fields(question, where, texts=("question",), others=("code", "choices"))
    if not isinstance(question.get("code", ""), str):
        raise QuizError(f"{where}: expected a text under `code`")
    choices = question.get("choices")
    if not isinstance(choices, list) or not 2 <= len(choices) <= len(LETTERS):
        raise QuizError(f"{where}: expected 2 to {len(LETTERS)} entries under `choices`")
    for letter, choice in zip(LETTERS, choices, strict=False):
        at = f"{where}, choice {letter}"
        _check_fields(choice, at, texts=("text", "because"), others=("correct",))
        if not isinstance(choice.get("correct", False), bool):
            raise QuizError(f"{at}: expected true or false under `correct`")
    if len({choice["text"] for choice in choices}) < len(choices):
        raise QuizError(f"{where}: two entries under `choices` have the same text")
    if not any(choice.get("correct") for choice in choices):
        raise QuizError(f"{where}: expected `correct: true` at one choice or more")


def _check_fields(entry: Any, where: str, texts: tuple[str, ...], others: tuple[str, ...]) -> None:
    if not isinstance(entry, dict):
        raise QuizError(f"{where}: expected the fields {', '.join(texts + others)}")
    if unknown := entry.keys() - {*texts, *others}:
        raise QuizError(f"{where}: unknown field `{min(map(str, unknown))}`")
    for name in texts:
        if not isinstance(entry.get(name), str) or not entry[name].strip():
            raise QuizError(f"{where}: expected a text under `{name}`")


def right_answers(question: dict[str, Any]) -> list[str]:
    """The texts of the choices that are right."""
    return [choice["text"] for choice in question["choices"] if choice.get("correct")]


class Quiz(SphinxDirective):
    """Render a quiz file as an ordered list of questions with folded choices."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        path = Path(self.env.srcdir) / "book" / self.arguments[0]
        self.env.note_dependency(str(path))
        try:
            questions = load_quiz(path)
        except QuizError as error:
            raise self.error(str(error)) from error
        quiz = nodes.container(classes=["hb-quiz"])
        for number, question in enumerate(questions, 1):
            quiz += self._question(number, question)
        return [quiz]

    def _question(self, number: int, question: dict[str, Any]) -> nodes.Node:
        box = nodes.container(classes=["hb-question"])
        box += self._markdown(f"**{number}.** {question['question']}")
        if code := question.get("code", "").rstrip():
            box += nodes.literal_block(code, code, language="python")
        if len(right_answers(question)) > 1:
            box += self._markdown("*More than one is right.*")
        for letter, choice in zip(LETTERS, question["choices"], strict=False):
            box += self._choice(letter, choice)
        return box

    def _choice(self, letter: str, choice: dict[str, Any]) -> list[nodes.Node]:
        kind, verdict = ("right", "Right.") if choice.get("correct") else ("wrong", "Wrong.")
        return [
            _html(f'<details class="hb-choice hb-{kind}"><summary><b>{letter}</b> '),
            *self._inline(choice["text"]),
            _html("</summary>"),
            *self._markdown(f"**{verdict}** {choice['because']}"),
            _html("</details>"),
        ]

    def _markdown(self, text: str) -> list[nodes.Node]:
        box = nodes.container()
        self.state.nested_parse(StringList(text.splitlines(), source=""), 0, box)
        return box.children

    def _inline(self, text: str) -> list[nodes.Node]:
        first = self._markdown(text)
        return first[0].children if first and isinstance(first[0], nodes.paragraph) else first


def _html(text: str) -> nodes.Node:
    return nodes.raw("", text, format="html")


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("quiz", Quiz)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
