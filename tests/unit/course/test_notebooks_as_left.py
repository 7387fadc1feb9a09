"""Notebooks as people leave them, at the reader: the right cells or one clear sentence."""

from __future__ import annotations

import json
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from fake_course import DOUBLE, cell, notebook

from halfbits.course import notebook as reader
from halfbits.course.authoring.stub import is_pristine
from halfbits.course.grading.judge.shell import Shell
from halfbits.course.grading.judge.verdict import LearnerNames, MissingAnswer
from halfbits.course.notebook import Cell, read_answer
from halfbits.course.sources import unwritten
from halfbits.errors import CourseError

BOM = b"\xef\xbb\xbf"
STUB = 'def double(x):\n    raise NotImplementedError("double: not written yet")\n'
PRINTED = {"output_type": "stream", "name": "stdout", "text": "old\n" * 9}
COLAB = {
    "accelerator": "GPU",
    "colab": {"provenance": [], "gpuType": "T4", "collapsed_sections": ["a1"]},
    "kernelspec": {"name": "python3", "display_name": "Python 3"},
}
VS_CODE = {
    "kernelspec": {"display_name": ".venv (3.12)", "language": "python", "name": "python3"},
    "language_info": {"name": "python", "version": "3.12.1"},
    "vscode": {
        "interpreter": {"hash": "31f2aee4e71d21fbe5cf8b01ff0e069b9275f58929596ceb00d14d90e"}
    },
}


@pytest.fixture(autouse=True)
def no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "PATIENCE", 0.05)


def left(**changes: Any) -> bytes:
    """A notebook with one answer cell; `changes` go into the notebook."""
    return json.dumps(notebook(DOUBLE) | changes).encode()


def cell_left(**changes: Any) -> bytes:
    """The same; `changes` go into its cell, and None takes a key away."""
    whole = notebook(DOUBLE)
    whole["cells"][0] |= changes
    whole["cells"][0] = {key: value for key, value in whole["cells"][0].items() if value != "away"}
    return json.dumps(whole).encode()


def indented(ends: str) -> bytes:
    return json.dumps(notebook(DOUBLE), indent=1).replace("\n", ends).encode()


def format_3(key: str = "input") -> bytes:
    made = {"cell_type": "code", "language": "python", key: DOUBLE.splitlines(True), "outputs": []}
    heading = {"cell_type": "heading", "level": 1, "source": "Twice"}
    first = {"cells": [heading], "metadata": {}}
    sheets = [first, {"cells": [made, {**made, "input": ["x = 1"]}], "metadata": {}}]
    return json.dumps({"metadata": {"name": ""}, "nbformat": 3, "worksheets": sheets}).encode()


# What the file holds, and the code that is graded.
READ = {
    "as Jupyter saves it": (indented("\n"), [DOUBLE]),
    "of format 3, in two worksheets": (format_3(), [DOUBLE, "x = 1"]),
    "of format 4.0, without ids": (cell_left(id="away"), [DOUBLE]),
    "of an unknown format": (left(nbformat=5, nbformat_minor=9), [DOUBLE]),
    "without a format": (json.dumps({"cells": [cell(DOUBLE)]}).encode(), [DOUBLE]),
    "with the same id twice": (left(cells=[cell("x = 1"), cell(DOUBLE)]), ["x = 1", DOUBLE]),
    "with ids that are numbers": (cell_left(id=7), [DOUBLE]),
    "with Windows line ends in the file": (indented("\r\n"), [DOUBLE]),
    "with old Mac line ends in the file": (indented("\r"), [DOUBLE]),
    "with Windows line ends in the cell": (
        cell_left(source=DOUBLE.replace("\n", "\r\n")),
        [DOUBLE],
    ),
    "with a byte-order mark": (BOM + left(), [DOUBLE]),
    "with a byte-order mark and Windows line ends": (BOM + indented("\r\n"), [DOUBLE]),
    "with the source as one text": (cell_left(source=DOUBLE), [DOUBLE]),
    "with the source as lines": (cell_left(source=DOUBLE.splitlines(True)), [DOUBLE]),
    "with a cell without a source": (left(cells=[{"cell_type": "code"}, cell(DOUBLE)]), [DOUBLE]),
    "with a cell whose source is null": (
        left(cells=[cell("x") | {"source": None}, cell(DOUBLE)]),
        [DOUBLE],
    ),
    "with letters of every alphabet": (
        left(cells=[cell("größe_数 = '\U0001f4a1'")]),
        ["größe_数 = '\U0001f4a1'"],
    ),
    "with stale outputs": (cell_left(outputs=[PRINTED], execution_count=99), [DOUBLE]),
    "with outputs of another program": (cell_left(outputs={"no": "list"}), [DOUBLE]),
    "saved by Colab": (left(metadata=COLAB, nbformat_minor=0), [DOUBLE]),
    "saved by VS Code": (left(metadata=VS_CODE, nbformat_minor=2), [DOUBLE]),
    "with metadata that is null": (cell_left(metadata=None), [DOUBLE]),
    "with metadata that is a list": (cell_left(metadata=["tags"]), [DOUBLE]),
    "with tags that are null": (cell_left(metadata={"tags": None}), [DOUBLE]),
    "with tags that are a number": (cell_left(metadata={"tags": 5}), [DOUBLE]),
    "with tags inside tags": (cell_left(metadata={"tags": [["grade"], {"a": 1}, None]}), [DOUBLE]),
    "with one tag as a text": (cell_left(metadata={"tags": "skip-grading"}), [DOUBLE]),
    "with cells of unknown kinds": (left(cells=[cell("?", kind="chart"), cell(DOUBLE)]), [DOUBLE]),
    "with a cell without a kind": (left(cells=[{"source": "x = 1"}, cell(DOUBLE)]), [DOUBLE]),
    "with a kind that is a list": (left(cells=[{"cell_type": []}, cell(DOUBLE)]), [DOUBLE]),
    "with a notebook's metadata that is a list": (left(metadata=[1]), [DOUBLE]),
    "with an answer that was copied": (left(cells=[cell(DOUBLE), cell(DOUBLE)]), [DOUBLE, DOUBLE]),
    "with NaN in an output": (cell_left(outputs=[float("nan")]), [DOUBLE]),
}

# What the file holds, and the sentence.
REFUSED = {
    "empty": (b"", "is not a valid notebook (the file is empty)"),
    "of blanks only": (b" \r\n\t", "the file is empty"),
    "of a byte-order mark only": (BOM, "the file is empty"),
    "cut in the middle": (indented("\n")[:60], "is not a valid notebook (broken JSON at line"),
    "cut inside a letter": ('{"cells": ["數'.encode()[:-1], "is not UTF-8 text"),
    "with text after its end": (left() + b"}", "broken JSON at line 1"),
    "filled with zeros by a crash": (bytes(4096), "broken JSON at line 1"),
    "in UTF-16": (b"\xff\xfe" + left().decode().encode("utf-16-le"), "is not UTF-8 text"),
    "in Latin-1": (left().replace(b"Twice", b"Gr\xf6\xdfe"), "is not UTF-8 text"),
    "with merge markers": (
        indented("\n").replace(b' "metadata"', b'<<<<<<< HEAD\n "metadata"\n=======\n>>>>>>> main'),
        "holds git merge markers (<<<<<<<): keep one side",
    ),
    "with Windows merge markers": (
        indented("\r\n").replace(b' "metadata"', b'<<<<<<< HEAD\r\n "metadata"\r\n=======\r\n'),
        "holds git merge markers",
    ),
    "with a number of 5,000 digits": (
        left(n=0).replace(b'"n": 0', b'"n": ' + b"9" * 5000),
        "a number is too long",
    ),
    "with brackets in brackets": (b"[" * 200_000, "nested too deep"),
    "that is a list": (b"[1, 2]", "no list of cells"),
    "that is null": (b"null", "no list of cells"),
    "that is a text": (b'"cells"', "no list of cells"),
    "without cells": (b'{"nbformat": 4}', "no list of cells"),
    "with null for cells": (left(cells=None), "no list of cells"),
    "with a table for cells": (left(cells={"a": 1}), "no list of cells"),
    "with a number among the cells": (left(cells=[cell("x"), 5]), "cell 2 is no cell"),
    "with worksheets of texts": (left(worksheets=["a"]), "no list of cells"),
    "with a source that is a number": (cell_left(source=5), "cell 1 has no text"),
    "with a source of numbers": (cell_left(source=["x = 1", 5]), "cell 1 has no text"),
    "with a source that is a table": (cell_left(source={"a": "b"}), "cell 1 has no text"),
    "with words only": (
        left(cells=[cell("# Title", kind="markdown")]),
        "has no code cells to grade",
    ),
    "with empty cells": (left(cells=[cell(""), cell(" \n\t")]), "has no code cells to grade"),
}


@pytest.mark.parametrize(("content", "code"), READ.values(), ids=READ.keys())
def test_notebook_left_in_this_way_is_read(tmp_path: Path, content: bytes, code: list[str]) -> None:
    path = tmp_path / "double.ipynb"
    path.write_bytes(content)
    assert [one.source for one in read_answer(path).code] == code
    assert path.read_bytes() == content


@pytest.mark.parametrize(("content", "says"), REFUSED.values(), ids=REFUSED.keys())
def test_file_left_in_this_way_is_one_sentence(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "double.ipynb"
    path.write_bytes(content)
    with pytest.raises(CourseError) as caught:
        read_answer(path)
    sentence = str(caught.value)
    assert sentence.startswith("double.ipynb ")
    assert says in sentence
    assert "\n" not in sentence and len(sentence) < 200
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    ("content", "source"),
    [
        (BOM + DOUBLE.encode(), DOUBLE),
        (DOUBLE.replace("\n", "\r\n").encode(), DOUBLE),
        (("größe = 1\n" + DOUBLE).encode(), "größe = 1\n" + DOUBLE),
    ],
    ids=["byte-order mark", "Windows line ends", "unicode name"],
)
def test_script_left_in_this_way_is_read(tmp_path: Path, content: bytes, source: str) -> None:
    path = tmp_path / "double.py"
    path.write_bytes(content)
    assert [one.source for one in read_answer(path).code] == [source]


def test_folder_in_the_place_of_a_notebook_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "double.ipynb").mkdir()
    with pytest.raises(CourseError, match=r"^double\.ipynb cannot be read: [^\n]+$"):
        read_answer(tmp_path / "double.ipynb")


def test_letter_that_is_half_saved_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "PATIENCE", 20.0)
    path = tmp_path / "double.ipynb"
    whole = json.dumps(notebook("數 = 1"), ensure_ascii=False).encode()
    path.write_bytes(whole[: whole.index("數".encode()) + 1])

    def save() -> None:
        time.sleep(0.2)
        path.write_bytes(whole)

    writer = threading.Thread(target=save)
    writer.start()
    assert read_answer(path).code[0].source == "數 = 1"
    writer.join()


@pytest.mark.parametrize(
    "other",
    [
        "files = !ls\ndouble = lambda x: 2 * x",
        "!ls \\\n  -l\ndef double(x): return 2 * x",
        "%time double = lambda x: 2 * x",
        "%run double.py",
        "def double(x): return 2 * (",
        "import __main__\n__main__.double = len",
        "match 1:\n    case double: pass",
        "try:\n    1 / 0\nexcept ZeroDivisionError as double: pass",
        "double.__code__ = (lambda x: 2 * x).__code__",
    ],
)
def test_stub_beside_a_cell_that_may_bind_it_is_left_to_the_worker(other: str) -> None:
    assert unwritten([Cell("cell 1", STUB), Cell("cell 2", other)], ["double"]) == set()


@pytest.mark.parametrize(
    "answer",
    [
        "import functools\n@functools.singledispatch\n" + STUB + "@double.register\n"
        "def _(x: int): return 2 * x",
        "@vectorize\n" + STUB,
        "class double(Base):\n    call = Base.twice\n    def add(self): raise NotImplementedError",
        "class double:\n    @traced\n    def add(self): raise NotImplementedError",
    ],
)
def test_answer_that_only_looks_like_a_stub_is_left_to_the_worker(answer: str) -> None:
    assert unwritten([Cell("cell 1", answer)], ["double"]) == set()


@pytest.mark.parametrize(
    "other",
    [
        "!pip install torch",
        "%matplotlib inline\n%load_ext autoreload",
        "files = !ls",
        "len?",
        "1 +",
    ],
)
def test_cell_that_cannot_bind_a_stub_does_not_hide_it(other: str) -> None:
    assert unwritten([Cell("cell 1", STUB), Cell("cell 2", other)], ["double"]) == {"double"}


def test_odd_metadata_of_a_learner_does_not_stop_sync() -> None:
    for metadata in (None, [], "text", {"halfbits": 5}, {"halfbits": {"stub": []}}):
        assert not is_pristine(notebook(DOUBLE) | {"metadata": metadata})


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])
    return Shell("double.ipynb")


def run(shell: Shell, *sources: str) -> Shell:
    for number, source in enumerate(sources, 1):
        shell.run(Cell(f"cell {number}", source), 60.0)
    return shell


# A cell, the value of `w` afterwards and a part of the only note, if there is one.
MAGICS = {
    "%time of a statement": ("%time w = 5", 5, ""),
    "%time of a value": ("w = %time 2 + 3", 5, ""),
    "%prun with options": ("%prun -l 3 -q sorted([])\nw = 5", 5, "%prun"),
    "%time of nonsense": ("%time 3 +\nw = 5", 5, "%time"),
    "%%time over its body": ("%%time\nw = 5", 5, ""),
    "%%capture over %%time": ("%%capture\n%%time\nw = 5", 5, ""),
    "%%capture into a name": ("%%capture out\nprint(1)\nw = 5", 5, ""),
    "%%timeit with options": ("%%timeit -n 1 -r 1\nw = 5", 5, ""),
    "%run of a file": ("%run helpers.py\nw = 5", 5, "%run"),
    "%%writefile over code": ("%%writefile w.py\nw = 6", 4, "%%writefile"),
    "%%bash": ("%%bash\nrm -rf /", 4, "%%bash"),
    "%pip": ("%pip install torch\nw = 5", 5, ""),
    "!pip": ("!pip install torch\nw = 5", 5, "shell lines"),
    "help": ("?len\nlen??\nw = 5", 5, ""),
}


@pytest.mark.parametrize(("source", "value", "note"), MAGICS.values(), ids=MAGICS.keys())
def test_magics_leave_the_names_that_a_notebook_would(
    shell: Shell, source: str, value: int, note: str
) -> None:
    run(shell, "w = 4", source)
    assert shell.broken == []
    assert shell.namespace["w"] == value
    assert len(shell.notes) == bool(note)
    assert all(note in one for one in shell.notes)


def test_captured_output_can_be_shown_afterwards(shell: Shell) -> None:
    assert run(shell, "%%capture out\nprint(1)", "out.show()\ntext = out.stdout").broken == []


def test_future_import_holds_in_later_cells_as_in_jupyter(shell: Shell) -> None:
    first, later = "from __future__ import annotations", "def f(x: Later) -> Later: return x"
    assert run(shell, first, later).broken == []


def test_merge_markers_inside_a_cell_are_named(shell: Shell) -> None:
    run(shell, "<<<<<<< local\nx = 1\n=======\nx = 2\n>>>>>>> remote\n", "x = 3")
    assert len(shell.broken) == 1
    assert "cell 1, line 1: git merge markers (<<<<<<<): keep one side" in shell.broken[0]


def test_syntax_error_of_several_lines_is_one_line(shell: Shell) -> None:
    run(shell, "raise SyntaxError('first\\nsecond')", "class E(SyntaxError): pass\nraise E(3)")
    assert len(shell.broken) == 2
    assert not any("\n" in broken for broken in shell.broken)


ANSWER_ABOVE = ("def double(x: Number): return 2 * x", "Number = int")


def test_answer_above_what_it_needs_is_run_again_when_it_is_wanted(shell: Shell) -> None:
    run(shell, *ANSWER_ABOVE)
    assert "NameError: name 'Number' is not defined" in shell.broken[0]
    assert LearnerNames(shell).double(2) == 4


def test_cell_that_failed_for_another_reason_is_not_run_again(shell: Shell) -> None:
    shell.namespace["runs"] = []
    run(
        shell,
        "runs.append(1)\ndef double(x): return 2 * x\ndouble.x.y",
        "def other(): return missing",
    )
    assert LearnerNames(shell).double(2) == 4
    run(shell, "runs.append(1)\n1 / 0\ndef later(x): return 2 * x")
    with pytest.raises(MissingAnswer, match="later"):
        LearnerNames(shell).later(1)
    assert shell.namespace["runs"] == [1, 1]


def test_earlier_definition_does_not_stand_in_for_a_cell_that_failed(shell: Shell) -> None:
    run(shell, "def double(x): return 0", *ANSWER_ABOVE)
    assert LearnerNames(shell).double(2) == 4
