"""Stubs made from solutions, and `sync` and `reset`, which write them."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest
from fake_course import BROKEN_HALVE, make_course, with_a_repair

from halfbits.course.authoring.stub import is_pristine, make_exercise, stub_source, stub_text
from halfbits.course.catalog import Catalog, load_catalog
from halfbits.course.cli import grading as commands
from halfbits.course.lessons import load_lessons
from halfbits.course.rules import rules_of
from halfbits.errors import CourseError

ANSWER = '''from __future__ import annotations
import math
import torch
EPS = 1e-6
SECRET = 42

def _helper(x):
    return x * SECRET

@torch.no_grad()
def scaled(
    x: torch.Tensor,  # any shape
    eps: float = EPS,
) -> dict[str, float]:
    """Scale x.

    More words.
    """
    # the trick
    y = _helper(x)

    return {"y": math.sqrt(y)}
'''


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Catalog:
    root = make_course(tmp_path / "course")
    monkeypatch.setenv("HALFBITS_ROOT", str(root))
    monkeypatch.setenv("HALFBITS_DATA", str(tmp_path / "data"))
    return load_catalog(root)


def test_function_stub_keeps_signature_and_docstring_and_drops_the_rest() -> None:
    assert (
        stub_source(ANSWER, ("scaled",))
        == '''from __future__ import annotations
import torch
EPS = 1e-6


@torch.no_grad()
def scaled(
    x: torch.Tensor,  # any shape
    eps: float = EPS,
) -> dict[str, float]:
    """Scale x.

    More words.
    """
    raise NotImplementedError("scaled: not written yet (about 4 lines)")'''
    )


def test_class_stub_keeps_public_methods_and_fields() -> None:
    source = (
        'class Layer(Base):\n    """A layer."""\n\n    size: int\n\n    def __init__(self, n):\n'
        "        self.n = n\n\n    @classmethod\n    def of(cls, x):\n"
        '        """From x."""\n        return cls(x)\n\n    def _private(self): return 1\n'
    )
    stub = stub_source(source, ("Layer",))
    assert "size: int" in stub
    assert "@classmethod" in stub
    assert "_private" not in stub
    assert "self.n" not in stub
    assert 'raise NotImplementedError("Layer.of: not written yet (about 1 line)")' in stub
    ast.parse(stub)


def test_one_line_function_gets_a_stub() -> None:
    stub = stub_source("def f(x: int = 3) -> int: return x", ("f",))
    assert stub.splitlines()[0] == "def f(x: int = 3) -> int:"
    ast.parse(stub)


@pytest.mark.parametrize("source", ["x = 1", "def f(): pass\ndef g(): pass"])
def test_answer_cell_must_define_exactly_one_task(source: str) -> None:
    with pytest.raises(CourseError, match="exactly one task"):
        stub_source(source, ("f", "g"))


def test_exercise_has_no_outputs_no_answers_and_a_link_to_the_solution(course: Catalog) -> None:
    made = make_exercise(course, course.find("double"))
    text = json.dumps(made)
    assert "return x + x" not in text
    assert "../../solutions/numbers/double.ipynb" in text
    code = [cell for cell in made["cells"] if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
    assert is_pristine(made)


def test_repair_shows_the_broken_program_in_place_of_the_answer(course: Catalog) -> None:
    course = load_catalog(with_a_repair(course.root))
    made = make_exercise(course, course.find("halve"))
    (program,) = [cell for cell in made["cells"] if cell["cell_type"] == "code"]
    assert "".join(program["source"]) == BROKEN_HALVE.rstrip()
    assert program["metadata"]["tags"] == ["answer"]


def test_exercise_lists_every_rule_that_can_fail_it_before_it_is_graded(course: Catalog) -> None:
    exercise = course.find("double")
    cells = {c["id"]: "".join(c["source"]) for c in make_exercise(course, exercise)["cells"]}
    assert rules_of(course, exercise) in cells["rules"]
    assert list(cells).index("rules") < list(cells).index("grade")


@pytest.mark.parametrize(
    ("name", "calls"),
    [
        ("double", ['grade("numbers/double", task="double")', 'task="Counter")']),
        ("halve", ['grade("numbers/halve")']),
    ],
)
def test_each_answer_is_followed_by_the_cell_that_grades_it(
    course: Catalog, name: str, calls: list[str]
) -> None:
    cells = make_exercise(course, course.find(name))["cells"]
    answers = [i for i, c in enumerate(cells) if "answer" in c["metadata"].get("tags", [])]
    below = [cells[i + 1] for i in answers]
    assert [c["metadata"]["tags"] for c in below] == [["grade"]] * len(calls)
    assert all("".join(c["source"]).endswith(call) for c, call in zip(below, calls, strict=True))


def test_exercise_links_the_lessons_of_its_part_that_lead_to_it(course: Catalog) -> None:
    root = course.root
    parts = [("Numbers", "numbers/double", "grids"), ("Speed", "numbers/halve", "clocks")]
    toc = [f"- caption: {p}\n  - file: exercises/{e}\n  - file: notebooks/{n}" for p, e, n in parts]
    (root / "book").mkdir(exist_ok=True)
    (root / "book" / "_toc.yml").write_text("\n".join(toc), encoding="utf-8")
    for _, _, stem in parts:
        text = f"# On {stem}\n\n## Exercises\n\n- [Twice](../exercises/numbers/double.ipynb)"
        lesson = {"cells": [{"cell_type": "markdown", "source": [text]}]}
        (root / "notebooks").mkdir(exist_ok=True)
        (root / "notebooks" / f"{stem}.ipynb").write_text(json.dumps(lesson), encoding="utf-8")
    load_lessons.cache_clear()
    cells = {
        c["id"]: "".join(c["source"]) for c in make_exercise(course, course.find("double"))["cells"]
    }
    assert cells["lessons"] == "**The lesson before it:** [On grids](../../notebooks/grids.ipynb)"


def test_stub_text_is_what_sync_writes(course: Catalog) -> None:
    assert commands.sync() == 0
    exercise = course.find("double")
    written = course.notebook(exercise).read_text(encoding="utf-8")
    assert written == stub_text(course.notebook(exercise, "solutions"))


def test_sync_leaves_a_learners_work_alone_unless_forced(course: Catalog) -> None:
    commands.sync()
    path = course.notebook(course.find("double"))
    mine = path.read_text(encoding="utf-8").replace("raise NotImplementedError", "return 2 * x #")
    path.write_text(mine, encoding="utf-8")
    assert commands.sync() == 1
    assert path.read_text(encoding="utf-8") == mine
    assert commands.sync(force=True) == 0
    assert path.read_text(encoding="utf-8") != mine


def test_sync_replaces_a_stub_whose_solution_changed(course: Catalog) -> None:
    commands.sync()
    exercise = course.find("double")
    solution = course.notebook(exercise, "solutions")
    text = solution.read_text(encoding="utf-8").replace("Twice as much", "Two times")
    solution.write_text(text, encoding="utf-8")
    assert commands.sync() == 0
    assert "Two times" in course.notebook(exercise).read_text(encoding="utf-8")


def test_reset_keeps_the_old_work_and_says_where(
    course: Catalog, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    commands.sync()
    path = course.notebook(course.find("double"))
    pristine = path.read_text(encoding="utf-8")
    path.write_text("my work", encoding="utf-8")
    assert commands.reset("double") == 0
    (backup,) = (tmp_path / "data" / "backups").iterdir()
    assert backup.read_text(encoding="utf-8") == "my work"
    assert str(backup) in capsys.readouterr().out
    assert path.read_text(encoding="utf-8") == pristine
