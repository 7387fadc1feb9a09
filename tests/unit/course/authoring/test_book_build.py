"""Staging, stamps and failures of the book's build, with Jupyter Book replaced by a fake."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from halfbits.course import fingerprint
from halfbits.course.authoring import book
from halfbits.course.authoring.book import Site, build, mirror

TOML = """
[[exercise]]
key = "topic/task"
title = "A task"
minutes = 5
difficulty = 1
importance = 1
tasks = ["double"]
preload = []
time_limit = 5
"""
ANSWER = {
    "cell_type": "code",
    "execution_count": 1,
    "id": "double-answer",
    "metadata": {"tags": ["answer"]},
    "outputs": [],
    "source": "def double(x: int) -> int:\n    return x + x",
}
CHECKS = '''
@task("double")
def test_doubles(answer):
    """Every number is doubled."""
'''
SOLUTION = json.dumps({"cells": [ANSWER], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A course of one exercise, whose learner saved something that is no notebook."""
    files = {
        "book/_toc.yml": "root: book/index",
        "book/index.md": "# Home",
        "exercises/course.toml": TOML,
        "exercises/topic/task.ipynb": "<<<<<<< broken",
        "exercises/topic/test_task.py": CHECKS,
        "solutions/topic/task.ipynb": SOLUTION,
        "solutions/topic/.ipynb_checkpoints/task.ipynb": "{}",
        "notebooks/lesson.ipynb": "{}",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A fake Jupyter Book that writes one page; its list holds the status of each next run."""
    statuses: list[int] = []

    def run(site: Site) -> int:
        page = site.draft / "html" / "index.html"
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text((site.source / "book" / "index.md").read_text("utf-8"), "utf-8")
        return statuses.pop(0) if statuses else 0

    monkeypatch.setattr(book, "run_jupyter_book", run)
    return statuses


def test_a_broken_exercise_is_staged_as_the_stub_of_its_solution(root: Path) -> None:
    staged = book.staged_files(Site(root, root / "_build"))
    text = staged[Path("exercises/topic/task.ipynb")]
    assert isinstance(text, bytes)
    assert b"not written yet" in text and b"return x + x" not in text


def test_checkpoints_are_not_staged(root: Path) -> None:
    staged = book.staged_files(Site(root, root / "_build"))
    assert not [path for path in staged if ".ipynb_checkpoints" in path.parts]


def test_an_unchanged_file_keeps_its_time_and_a_removed_one_goes(tmp_path: Path) -> None:
    mirror({Path("same"): b"1", Path("old"): b"2"}, tmp_path / "to")
    before = (tmp_path / "to" / "same").stat().st_mtime_ns
    mirror({Path("same"): b"1", Path("new/file"): b"3"}, tmp_path / "to")
    assert (tmp_path / "to" / "same").stat().st_mtime_ns == before
    assert not (tmp_path / "to" / "old").exists() and (tmp_path / "to" / "new" / "file").is_file()


def test_a_build_is_repeated_only_after_a_change(
    root: Path, runs: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert build(root=root) == 0
    assert build(root=root) == 0
    assert "up to date" in capsys.readouterr().out
    (root / "book" / "index.md").write_text("# New", encoding="utf-8")
    assert build(root=root) == 0
    assert (root / "_build/book/html/index.html").read_text("utf-8") == "# New"


def test_a_learners_work_does_not_make_the_book_stale(
    root: Path, runs: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    build(root=root)
    (root / "exercises/topic/task.ipynb").write_text("other work", encoding="utf-8")
    build(root=root)
    assert "up to date" in capsys.readouterr().out


def test_an_edited_check_makes_the_book_stale(root: Path, runs: list[int]) -> None:
    """Exercise pages list the claims of their checks."""
    before = Site(root, root / "_build").fingerprint
    (root / "exercises/topic/test_task.py").write_text(CHECKS.replace("Every", "A"), "utf-8")
    after = Site(root, root / "_build").fingerprint
    assert before["all"] != after["all"] and before["machinery"] == after["machinery"]


def test_an_edited_module_of_the_library_makes_the_book_stale(
    root: Path,
    runs: list[int],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    library = tmp_path / "library"
    heavy = shutil.ignore_patterns("__pycache__", "models")
    shutil.copytree(fingerprint.LIBRARY, library, ignore=heavy)
    monkeypatch.setattr(fingerprint, "LIBRARY", library)
    build(root=root)
    formats = library / "formats.py"
    formats.write_text(formats.read_text("utf-8") + "# edited", encoding="utf-8")
    build(root=root)
    assert "up to date" not in capsys.readouterr().out


def test_force_builds_without_a_change(
    root: Path, runs: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    build(root=root)
    build(force=True, root=root)
    assert "up to date" not in capsys.readouterr().out


def test_a_failed_build_keeps_the_last_good_pages_and_names_the_log(
    root: Path, runs: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    build(root=root)
    (root / "book" / "index.md").write_text("# Broken", encoding="utf-8")
    runs.append(1)
    assert build(root=root) == 1
    assert (root / "_build/book/html/index.html").read_text("utf-8") == "# Home"
    assert "build.log" in capsys.readouterr().err


def test_after_a_failure_the_next_build_reads_every_page_again(root: Path, runs: list[int]) -> None:
    runs.append(1)
    assert build(root=root) == 1
    remembered = root / "_build/book/_build/.doctrees"
    remembered.mkdir(parents=True)
    assert build(root=root) == 0
    assert not remembered.exists()


def test_a_page_edit_keeps_what_sphinx_has_read_and_an_extension_edit_does_not(
    root: Path, runs: list[int]
) -> None:
    build(root=root)
    remembered = root / "_build/book/_build/.doctrees"
    remembered.mkdir(parents=True)
    (root / "book" / "index.md").write_text("# New", encoding="utf-8")
    build(root=root)
    assert remembered.exists()
    (root / "book" / "_toc.yml").write_text("root: book/other", encoding="utf-8")
    build(root=root)
    assert not remembered.exists()
