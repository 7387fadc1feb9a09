"""Reading notebooks as people leave them, and seeing stubs without running them."""

from __future__ import annotations

import json
import re
import threading
import time
from pathlib import Path

import pytest
from fake_course import DOUBLE, cell, make_course, notebook, write

from halfbits.course import notebook as reader
from halfbits.course.catalog import load_catalog
from halfbits.course.notebook import Cell, find_answer, read_answer, read_cells
from halfbits.course.sources import unwritten
from halfbits.errors import CourseError

STUB = (
    'def double(x):\n    """Twice."""\n    raise NotImplementedError("double: not written yet")\n'
)


@pytest.fixture(autouse=True)
def no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "PATIENCE", 0.1)


def test_cells_carry_the_number_a_learner_counts(tmp_path: Path) -> None:
    path = write(tmp_path / "a.ipynb", notebook(cell("# Title", kind="markdown"), "x = 1"))
    assert [(c.place, c.kind) for c in read_cells(path)] == [
        ("cell 1", "markdown"),
        ("cell 2", "code"),
    ]


def test_source_may_be_lines_with_bom_and_windows_ends(tmp_path: Path) -> None:
    raw = notebook("x")
    raw["cells"][0]["source"] = ["x = 1\r\n", "y = 2"]
    path = tmp_path / "a.ipynb"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(raw).encode())
    assert read_cells(path)[0].source == "x = 1\ny = 2"


def test_old_format_3_is_read(tmp_path: Path) -> None:
    old = {"worksheets": [{"cells": [{"cell_type": "code", "input": "x = 1"}]}], "nbformat": 3}
    assert read_cells(write(tmp_path / "a.ipynb", old))[0].source == "x = 1"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "a.ipynb is not a valid notebook (the file is empty)"),
        ('{"cells": [\n', "broken JSON at line 2"),
        ("[1, 2]", "no list of cells"),
        ('{"cells":\n<<<<<<< HEAD\n[]\n=======\n', "git merge markers"),
        (json.dumps(notebook()), "has no code cells"),
        (json.dumps(notebook(cell("# Only words", kind="markdown"))), "has no code cells"),
    ],
)
def test_broken_notebook_is_one_sentence(tmp_path: Path, content: str, says: str) -> None:
    with pytest.raises(CourseError, match=re.escape(says)):
        read_answer(write(tmp_path / "a.ipynb", content))


def test_bytes_that_are_no_text_are_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "a.ipynb"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CourseError, match=r"a\.ipynb is not UTF-8 text.*save it again"):
        read_answer(path)


def test_missing_notebook_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(CourseError, match=r"numbers/double\.ipynb is missing.*reset double"):
        read_answer(tmp_path / "numbers" / "double.ipynb")


def test_half_written_file_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "PATIENCE", 20.0)
    path = write(tmp_path / "a.ipynb", '{"cells": [')

    def save() -> None:
        time.sleep(0.2)
        write(path, notebook("x = 1"))

    writer = threading.Thread(target=save)
    writer.start()
    assert read_answer(path).code[0].source == "x = 1"
    writer.join()


def test_tagged_cells_are_left_out(tmp_path: Path) -> None:
    cells = notebook("x = 1", cell("slow()", "skip-grading"), cell("grade('double')", "grade"))
    assert [c.source for c in read_answer(write(tmp_path / "a.ipynb", cells)).code] == ["x = 1"]


def test_plain_script_wins_over_the_notebook_with_a_note(tmp_path: Path) -> None:
    catalog = load_catalog(make_course(tmp_path))
    folder, exercise = catalog.root / "exercises", catalog.find("double")
    write(folder / "numbers" / "double.ipynb", notebook("x = 1"))
    script = write(folder / "numbers" / "double.py", DOUBLE)
    path, notes = find_answer(folder, exercise)
    assert path == script
    assert notes == ("double.py was graded; it wins over double.ipynb beside it.",)


def test_untouched_stub_is_seen() -> None:
    assert unwritten([Cell("cell 1", STUB)], ["double"]) == {"double"}


@pytest.mark.parametrize(
    "later",
    [
        DOUBLE,
        "double = lambda x: 2 * x",
        "from elsewhere import double",
        "from elsewhere import *",
        "exec('def double(x): return 2 * x')",
        "globals()['double'] = len",
        "if True:\n    def double(x): return 2 * x",
        "for double in []: pass",
    ],
)
def test_stub_that_may_be_bound_again_is_left_to_the_worker(later: str) -> None:
    assert unwritten([Cell("cell 1", STUB), Cell("cell 2", later)], ["double"]) == set()


def test_stub_with_work_before_the_raise_is_no_stub() -> None:
    code = "def double(x):\n    y = 2 * x\n    raise NotImplementedError"
    assert unwritten([Cell("cell 1", code)], ["double"]) == set()


def test_magics_do_not_hide_a_stub() -> None:
    assert unwritten([Cell("cell 1", "%matplotlib inline\n" + STUB)], ["double"]) == {"double"}
