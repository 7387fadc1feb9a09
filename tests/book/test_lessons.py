"""Every lesson keeps the lesson's contract: what a reader finds on each of their pages."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from book_sources import ROOT, notebooks_in_toc, source

from halfbits.course.authoring.minutes import study_minutes

Cell = dict[str, Any]

# What is no lesson below notebooks/: the executed listings of the FAQ.
LESSONS = sorted(
    path for path in (ROOT / "notebooks").glob("[!.]*.ipynb") if path.stem[:4] != "faq_"
)
LISTINGS = sorted((ROOT / "notebooks").glob("faq_listing_*.ipynb"))
OPENING = (
    r"# .+\?",
    r"\*\*Question\.\*\* .+",
    r"\*\*Minutes\.\*\* \d{1,2}",
    r"\*\*Before this\.\*\* .+",
    r"\*\*The answer in one sentence\.\*\* .+",
)
SECTIONS = ("Say it in an interview", "Check yourself", "Exercises", "Sources")
MOST_CELLS = 37  # assertions, tables and figures stand in cells of their own
MOST_LINES = 18

lesson = pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)


def cells(path: Path, kind: str = "") -> list[Cell]:
    found = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in found if kind in ("", cell["cell_type"])]


def outputs(path: Path) -> Iterator[tuple[Cell, Cell]]:
    for cell in cells(path, "code"):
        for output in cell["outputs"]:
            yield cell, output


@lesson
def test_a_lesson_is_in_the_contents(path: Path) -> None:
    assert f"notebooks/{path.stem}" in set(notebooks_in_toc())


@lesson
def test_a_lesson_opens_with_question_minutes_prerequisites_and_answer(path: Path) -> None:
    title = cells(path)[0]
    assert title["id"] == "title"
    paragraphs = re.split(r"\n\s*\n", source(title).strip())
    for paragraph, pattern in zip(paragraphs, OPENING, strict=False):
        assert re.fullmatch(pattern, paragraph, flags=re.DOTALL), (pattern, paragraph)
    assert len(paragraphs) >= len(OPENING)
    assert "{glue:text}`" in paragraphs[len(OPENING) - 1], "the answer holds no measured number"


@lesson
def test_a_lesson_ends_with_interview_quiz_exercises_and_sources(path: Path) -> None:
    text = "\n\n".join(source(cell) for cell in cells(path, "markdown"))
    headings = re.findall(r"^## (.+?)\s*$", text, flags=re.MULTILINE)
    assert headings[-len(SECTIONS) :] == list(SECTIONS)
    assert f"```{{quiz}} quizzes/{path.stem}.yaml\n" in text
    last = dict(zip(SECTIONS, re.split(r"^## ", text, flags=re.MULTILINE)[-4:], strict=True))
    assert "](../exercises/" in last["Exercises"], "no exercise is linked"
    assert "{cite" in last["Sources"], "no source is cited"


@lesson
def test_a_lesson_is_short(path: Path) -> None:
    assert len(cells(path)) <= MOST_CELLS
    long = {
        cell["id"]: lines
        for cell in cells(path, "code")
        if (lines := len(source(cell).strip().splitlines())) > MOST_LINES
    }
    assert not long, f"cells of more than {MOST_LINES} lines"


@lesson
def test_a_lesson_was_run_top_to_bottom_without_an_error(path: Path) -> None:
    counts = [cell["execution_count"] for cell in cells(path, "code")]
    assert counts == list(range(1, len(counts) + 1))
    assert any(True for _ in outputs(path))
    assert not [cell["id"] for cell, output in outputs(path) if output["output_type"] == "error"]


@lesson
def test_a_lesson_holds_no_time_of_execution_and_no_widget(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "iopub" not in text and "widget-view" not in text and '"widgets"' not in text


@lesson
def test_a_lesson_asserts_its_claims(path: Path) -> None:
    assert any(
        re.search(r"^\s*assert ", source(cell), re.MULTILINE) for cell in cells(path, "code")
    )


@lesson
def test_every_figure_of_a_lesson_has_a_text_alternative(path: Path) -> None:
    mute = [
        cell["id"]
        for cell, output in outputs(path)
        for kind in output.get("data", {})
        if kind.startswith("image/") and not output["metadata"].get(kind, {}).get("alt")
    ]
    assert not mute


@lesson
def test_a_lesson_glues_what_it_quotes(path: Path) -> None:
    text = "\n".join(source(cell) for cell in cells(path, "markdown"))
    quoted = set(re.findall(r"\{glue:text\}`([^`:/]+)(?::[^`]*)?`", text))
    glued = {
        output["metadata"].get("scrapbook", {}).get("name")
        for _, output in outputs(path)
        if "metadata" in output
    }
    assert not quoted - glued


@lesson
def test_a_lesson_states_the_minutes_that_the_rule_gives(path: Path) -> None:
    quiz = yaml.safe_load((ROOT / "book" / "quizzes" / f"{path.stem}.yaml").read_text("utf-8"))
    minutes = study_minutes(cells(path), len(quiz))
    assert f"\n**Minutes.** {minutes}\n" in source(cells(path)[0]), f"write {minutes} minutes"


@pytest.mark.parametrize("path", LISTINGS, ids=lambda path: path.stem)
def test_a_listing_of_the_faq_states_the_minutes_that_the_rule_gives(path: Path) -> None:
    minutes = study_minutes(cells(path), questions=0)
    assert f"\n*About {minutes} minutes." in source(cells(path)[0]), f"write {minutes} minutes"


@lesson
def test_the_start_page_lists_a_lesson_with_its_minutes(path: Path) -> None:
    minutes = re.search(r"\*\*Minutes\.\*\* (\d+)", source(cells(path)[0]))
    assert minutes is not None
    start = (ROOT / "book" / "start.md").read_text(encoding="utf-8")
    assert f"[](../notebooks/{path.name}) | {minutes[1]} minutes |" in start


@lesson
def test_a_lesson_is_linked_from_the_questions_or_statements_it_answers(path: Path) -> None:
    faq = [page.read_text(encoding="utf-8") for page in (ROOT / "book" / "faq").glob("*.md")]
    assert any(f"notebooks/{path.name}" in text for text in faq)
