"""An edited module of the library makes stale what it made; names of files play no part."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from halfbits.course import fingerprint as of
from halfbits.course.fingerprint import BOOK, GRADER, RULES, covers, fingerprint

ROOT = Path(__file__).parents[3]
# What a package's own __init__ holds is a docstring, or loads nothing before it is asked to.
PACKAGES_ABOVE = {"halfbits", "halfbits.moved", "halfbits.course"}


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the library's code that a test may edit."""
    copy = tmp_path / "halfbits"
    heavy = shutil.ignore_patterns("__pycache__", "*.safetensors", "*.npz")
    shutil.copytree(of.LIBRARY, copy, ignore=heavy)
    monkeypatch.setattr(of, "LIBRARY", copy)
    return copy


def python_files(library: Path, names: tuple[str, ...]) -> list[Path]:
    return sorted({path for name in names for path in of.files(name) if path.suffix == ".py"})


@pytest.mark.parametrize("names", [GRADER, BOOK, RULES], ids=["grader", "book", "rules"])
def test_every_module_counts(library: Path, names: tuple[str, ...]) -> None:
    seen = {fingerprint(names)}
    paths = python_files(library, names)
    for path in paths:
        path.write_text(path.read_text("utf-8") + "\n", encoding="utf-8")
        seen.add(fingerprint(names))
    assert len(seen) == len(paths) + 1


def test_a_module_that_is_split_off_or_renamed_counts(library: Path) -> None:
    before = fingerprint(GRADER)
    new = library / "course" / "grading" / "deeper" / "part.py"
    new.parent.mkdir()
    new.write_text("", encoding="utf-8")
    added = fingerprint(GRADER)
    new.rename(new.with_name("piece.py"))
    assert len({before, added, fingerprint(GRADER)}) == 3


def test_what_python_compiles_does_not_count(library: Path) -> None:
    before = fingerprint(GRADER)
    cache = library / "course" / "grading" / "__pycache__"
    cache.mkdir()
    (cache / "job.cpython-311.pyc").write_bytes(b"1")
    assert fingerprint(GRADER) == before


def test_a_name_that_is_gone_is_an_error() -> None:
    with pytest.raises(FileNotFoundError, match=r"halfbits\.grating is neither"):
        fingerprint(("halfbits.grating",))


def loaded(code: str) -> set[str]:
    """The library's modules that a fresh interpreter has loaded after `code`."""
    code += "\nimport sys\nprint(*(n for n in sys.modules if n.split('.')[0] == 'halfbits'))"
    words = [sys.executable, "-c", code]
    done = subprocess.run(words, capture_output=True, text=True, check=True, cwd=ROOT)
    return set(done.stdout.split()) - PACKAGES_ABOVE


def test_the_grader_is_all_that_a_worker_loads() -> None:
    grading = "halfbits.course.grading"
    names = loaded(f"import {grading}.process.worker, {grading}.judge.verdict, {grading}.runner")
    assert "halfbits.course.grading.judge.verdict" in names
    assert [name for name in sorted(names) if not covers(GRADER, name)] == []


def test_the_book_is_all_that_its_extensions_load() -> None:
    config = yaml.safe_load((ROOT / "book" / "_config.yml").read_text(encoding="utf-8"))
    extensions = config["sphinx"]["extra_extensions"]
    names = loaded(f"import halfbits.course.authoring.book, {', '.join(extensions)}")
    assert "halfbits.figures.markup" in names
    assert [name for name in sorted(names) if not covers(BOOK, name)] == []
