"""`update` in real repositories: the newer course arrives, and the learner's work stays."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fake_course import DOUBLE, cell, make_course, notebook

from halfbits.course.authoring.stub import make_exercise, write_notebook
from halfbits.course.catalog import load_catalog
from halfbits.course.cli.update import update
from halfbits.course.progress.carry import carried
from halfbits.errors import CourseError

NAME = "exercises/numbers/double.ipynb"
MINE = "def double(x):\n    return 2 * x"


def git(folder: Path, *words: str) -> None:
    who = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(folder), *who, *words], check=True, capture_output=True)


def publish(origin: Path, title: str) -> None:
    """Commit the course with `title` as its first cell in the notebook of `double`."""
    catalog = load_catalog(origin)
    made = make_exercise(catalog, catalog.find("double"))
    made["cells"][0]["source"] = [title]
    write_notebook(origin / NAME, made)
    git(origin, "add", "-A")
    git(origin, "commit", "-m", title)


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """The course that is published, and the learner's clone of it."""
    origin, clone = make_course(tmp_path / "origin"), tmp_path / "clone"
    git(origin, "init", "-b", "main")
    publish(origin, "# Twice")
    subprocess.run(["git", "clone", "-q", str(origin), str(clone)], check=True)
    monkeypatch.setenv("HALFBITS_ROOT", str(clone))
    monkeypatch.setenv("HALFBITS_DATA", str(tmp_path / "data"))
    (tmp_path / "data").mkdir()
    return origin, clone


def read(folder: Path) -> dict[str, Any]:
    return json.loads((folder / NAME).read_text(encoding="utf-8"))


def sources(made: dict[str, Any]) -> list[str]:
    return ["".join(c["source"]) for c in made["cells"]]


def change(folder: Path, how: Callable[[list[dict[str, Any]]], None]) -> None:
    mine = read(folder)
    how(mine["cells"])
    (folder / NAME).write_text(json.dumps(mine), encoding="utf-8")


def write_answer(cells: list[dict[str, Any]]) -> None:
    (answer,) = [c for c in cells if c["id"] == "double-answer"]
    answer["source"] = [MINE]
    cells.insert(cells.index(answer) + 1, cell("scratch = 1", id="own"))


def test_answers_and_own_cells_are_carried_into_the_newer_notebook(
    places: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    origin, clone = places
    change(clone, write_answer)
    left = (clone / NAME).read_bytes()
    publish(origin, "# Twice as much, in plain words")
    assert update() == 0
    found = sources(read(clone))
    assert found[0] == "# Twice as much, in plain words"
    assert found[found.index(MINE) + 1] == "scratch = 1"
    (backup,) = (tmp_path / "data" / "backups").iterdir()
    assert backup.read_bytes() == left
    assert "double.ipynb has your answers" in capsys.readouterr().out


def test_course_that_is_newest_leaves_everything_alone(
    places: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change(places[1], write_answer)
    left = (places[1] / NAME).read_bytes()
    assert update() == 0
    assert (places[1] / NAME).read_bytes() == left
    assert not (tmp_path / "data" / "backups").exists()
    assert capsys.readouterr().out == "The course is up to date.\n"


def test_other_changed_files_are_named_and_nothing_is_touched(places: tuple[Path, Path]) -> None:
    origin, clone = places
    change(clone, write_answer)
    left = (clone / NAME).read_bytes()
    publish(origin, "# Newer")
    with (clone / "exercises" / "course.toml").open("a") as file:
        file.write("\n")
    with pytest.raises(CourseError, match=r"exercises/course.toml: changed here; `git"):
        update()
    assert (clone / NAME).read_bytes() == left


def test_branch_with_own_commits_keeps_the_answers_where_they_are(
    places: tuple[Path, Path],
) -> None:
    origin, clone = places
    git(clone, "commit", "--allow-empty", "-m", "mine")
    change(clone, write_answer)
    left = (clone / NAME).read_bytes()
    publish(origin, "# Newer")
    with pytest.raises(CourseError, match="not updated: this branch has commits of its own"):
        update()
    assert (clone / NAME).read_bytes() == left


def test_notebook_that_cannot_be_read_stays_as_it_is(
    places: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    origin, clone = places
    (clone / NAME).write_text("half a note", encoding="utf-8")
    publish(origin, "# Newer")
    assert update() == 0
    assert (clone / NAME).read_text(encoding="utf-8") == "half a note"
    assert "double.ipynb stays as you left it" in capsys.readouterr().out


def test_folder_without_git_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HALFBITS_ROOT", str(make_course(tmp_path / "course")))
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    with pytest.raises(CourseError, match="not updated: the course is no clone of a repository"):
        update()


def test_changed_given_cell_is_kept_below_the_new_one() -> None:
    old = notebook(cell("# One", kind="markdown", id="a"), cell("pass", "answer", id="b"))
    mine = notebook(cell("# My notes", kind="markdown", id="a"), cell(DOUBLE, "answer", id="b"))
    new = notebook(cell("# Uno", kind="markdown", id="a"), cell("pass", "answer", id="b"))
    made = carried(old, mine, new)
    assert sources(made) == ["# Uno", "# My notes", DOUBLE]
    assert len({c["id"] for c in made["cells"]}) == 3


def test_answer_to_a_task_that_is_gone_is_kept() -> None:
    old = notebook(cell("# One", kind="markdown", id="a"), cell("pass", "answer", id="b"))
    mine = notebook(cell("# One", kind="markdown", id="a"), cell(DOUBLE, "answer", id="b"))
    new = notebook(cell("# One", kind="markdown", id="a"), cell("pass", "answer", id="c"))
    assert sources(carried(old, mine, new)) == ["# One", DOUBLE, "pass"]
