"""Which answers are judged by luck is found by judging them on many seeds."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_course import make_course

from halfbits.course.authoring.seeds import main
from halfbits.course.catalog import load_catalog

ANSWERS = """
from halfbits.course.authoring.contract import swap
WRONG = {
    "test_doubles_numbers": [
        ("wrong on every seed", "", "def double(x):\\n    return 3 * x"),
        ("wrong for odd seeds", "", "def double(x):\\n    return x if x > 3 and x % 2 else 2 * x"),
    ],
}
"""

RIGHT = """
RIGHT = {
    "right on every seed": "def double(x):\\n    return x + x",
    "right for even seeds": "def double(x):\\n    return x if x > 3 and x % 2 else 2 * x",
}
"""


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = make_course(tmp_path / "course")
    for slug in ("double", "halve"):
        path = root / "tests" / "wrong_answers" / "numbers" / f"{slug}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(ANSWERS if slug == "double" else "WRONG = {}", encoding="utf-8")
        right = root / "tests" / "right_answers" / "numbers" / f"{slug}.py"
        right.parent.mkdir(parents=True, exist_ok=True)
        right.write_text(RIGHT if slug == "double" else "RIGHT = {}", encoding="utf-8")
    monkeypatch.setenv("HALFBITS_ROOT", str(root))
    return root


def test_a_verdict_that_depends_on_the_seed_is_named(course: Path, capsys) -> None:
    assert main(["double", "--seeds", "8"]) == 1
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("numbers/double: 'right for even seeds' by all checks: ")
    assert said[1].startswith("numbers/double: 'wrong for odd seeds' by test_doubles_numbers: ")
    assert said[-1] == "numbers/double: 5 answers, 2 with a false verdict"


def test_a_solution_that_every_seed_accepts_is_not_named(course: Path, capsys) -> None:
    assert load_catalog(course).find("halve").tasks == ("halve",)
    assert main(["halve", "--seeds", "4"]) == 0
    assert capsys.readouterr().out == "numbers/halve: 1 answers, 0 with a false verdict\n"
