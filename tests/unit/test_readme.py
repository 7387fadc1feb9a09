"""The README's figures are those of the records and of the bank."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from halfbits.course.interview.bank.bank import question_files
from halfbits.folders import find_root

ROOT = find_root(Path(__file__).parent)
README = (ROOT / "README.md").read_text(encoding="utf-8")


def medians(record: str) -> dict[str, float]:
    rows = json.loads((ROOT / "book" / "data" / record).read_text(encoding="utf-8"))["rows"]
    return {row["way"]: row["median_s"] for row in rows}


def row(start: str) -> list[str]:
    lines = [line for line in README.splitlines() if line.startswith(f"| {start}")]
    assert len(lines) == 1, start
    return [cell.strip() for cell in lines[0].strip("|").split("|")][1:]


@pytest.mark.parametrize(
    ("start", "ways"),
    [
        ("`grade()` in a notebook", ("grade(), a worker waits",)),
        ("`watch`", ("watch, a worker waits",)),
        ("`pytest exercises/", ("pytest, a worker waits",)),
        ("the same, none waits", ("pytest, none waits",)),
    ],
)
def test_the_time_to_a_verdict_is_the_recorded_median(start: str, ways: tuple[str]) -> None:
    found = medians("grader_latency.json")
    recorded = [found[f"{ways[0]}, {framework}"] for framework in ("torch", "tensorflow")]
    assert row(start) == [f"{value:.2f} s" for value in recorded]


def test_the_imports_and_the_class_are_recorded_medians() -> None:
    found = medians("grader_latency.json")
    imports = [found["import torch"], found["import tensorflow"]]
    assert row("the framework's import alone") == [f"{value:.2f} s" for value in imports]
    whole = found["grade-class, 20 submissions, workers wait"]
    assert row("`grade-class` with 20")[0] == f"{whole:.2f} s"


def test_the_peers_are_recorded_medians() -> None:
    found = medians("grader_peers.json")
    for start, way in (
        ("`grade()` |", "grade(), a worker waits"),
        ("`pytest` |", "pytest, a worker waits"),
        ("nbgrader", "nbgrader autograde"),
        ("otter-grader", "otter run"),
    ):
        assert row(start) == [f"{found[way]:.2f} s"], start


def test_the_number_of_questions_is_that_of_the_bank_rounded_down_to_tens() -> None:
    found = re.search(r"more than (\d+) questions", README)
    assert found and int(found[1]) == (len(list(question_files(ROOT))) - 1) // 10 * 10
