"""The solution as people would leave it: graded right or refused in a sentence, never changed."""

from __future__ import annotations

import copy
import errno
import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from halfbits.course import notebook
from halfbits.course.catalog import Catalog
from halfbits.course.grading.process.pool import WorkerPool
from halfbits.course.grading.report import Report
from halfbits.course.grading.runner import grade
from halfbits.course.grading.submission import submission_of
from halfbits.course.notebook import read_json

KEY = "quantization/quantized_linear"
ANSWERS = ("quantize-weight-answer", "quantize-activation-answer", "quantized-linear-answer")
Notebook = dict[str, Any]


@pytest.fixture(scope="module")
def solved(catalog: Catalog) -> Notebook:
    return read_json(catalog.notebook(catalog.find(KEY), "solutions"))


@pytest.fixture(autouse=True)
def little_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notebook, "PATIENCE", 0.1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder laid out like exercises/, whose name has a space and letters beyond ASCII."""
    made = tmp_path / "Übungen von 李雷" / "quantization"
    made.mkdir(parents=True)
    return made


def code(source: str, **changes: Any) -> Notebook:
    cell = {"cell_type": "code", "id": "own", "metadata": {}, "outputs": [], "source": source}
    return cell | {"execution_count": None} | changes


def source_of(cell: Notebook) -> str:
    return "".join(cell["source"])


def with_cells(solved: Notebook, *first: str, last: str = "") -> Notebook:
    end = [code(last)] if last else []
    return {**solved, "cells": [*map(code, first), *solved["cells"], *end]}


def with_answers(solved: Notebook, change: Callable[[str], str]) -> Notebook:
    changed = copy.deepcopy(solved)
    for cell in changed["cells"]:
        if cell["id"] in ANSWERS:
            cell["source"] = change(source_of(cell))
    return changed


def without_ids(solved: Notebook) -> Notebook:
    cells = [{key: value for key, value in c.items() if key != "id"} for c in solved["cells"]]
    return {**solved, "cells": cells, "nbformat_minor": 0}


def in_format_3(solved: Notebook) -> Notebook:
    cells = []
    for cell in without_ids(solved)["cells"]:
        if cell["cell_type"] == "code":
            cell = {**cell, "input": cell["source"], "language": "python", "prompt_number": 1}
            del cell["source"]
        cells.append(cell)
    sheet = {"cells": cells, "metadata": {}}
    return {"metadata": {"name": ""}, "nbformat": 3, "nbformat_minor": 0, "worksheets": [sheet]}


def answers_reversed(solved: Notebook) -> Notebook:
    cells = [cell for cell in solved["cells"] if cell["id"] not in ANSWERS]
    answers = [cell for cell in solved["cells"] if cell["id"] in ANSWERS]
    return {**solved, "cells": [*reversed(answers), *cells]}


def answers_copied(solved: Notebook) -> Notebook:
    answers = [cell for cell in solved["cells"] if cell["id"] in ANSWERS]
    return {**solved, "cells": [*solved["cells"], *answers]}


def imports_at_the_end(solved: Notebook) -> Notebook:
    bare = with_answers(solved, lambda text: text.replace("import torch\nfrom torch import", "#"))
    kept = [cell for cell in bare["cells"] if cell["id"] in ANSWERS]
    return {**solved, "cells": [*kept, code("import torch\nfrom torch import Tensor, nn")]}


def stub_kept_above(solved: Notebook) -> Notebook:
    stub = "def quantize_weight(w):\n    raise NotImplementedError('quantize_weight')"
    return with_cells(solved, stub)


def answers_in_one_cell(solved: Notebook) -> Notebook:
    answers = [source_of(cell) for cell in solved["cells"] if cell["id"] in ANSWERS]
    return {**solved, "cells": [code("\n\n".join(answers))]}


def outputs_left(solved: Notebook) -> Notebook:
    stale = copy.deepcopy(solved)
    picture = {
        "output_type": "display_data",
        "metadata": {},
        "data": {"image/png": "A" * 4_000_000},
    }
    for number, cell in enumerate(stale["cells"]):
        if cell["cell_type"] == "code":
            cell |= {"execution_count": 100 - number, "outputs": [picture]}
    return stale


# How the notebook was left, and what a note has to say; "" where nothing is worth a word.
PASSING: dict[str, tuple[Callable[[Notebook], Notebook], str]] = {
    "as solved": (lambda nb: nb, ""),
    "in format 3": (in_format_3, ""),
    "in format 4.0 without ids": (without_ids, ""),
    "answer cells copied to the end": (answers_copied, ""),
    "answer cells in reverse order": (answers_reversed, ""),
    "imports below the answers": (imports_at_the_end, "NameError"),
    "the stub kept above the answer": (stub_kept_above, ""),
    "all answers in one cell": (answers_in_one_cell, ""),
    "megabytes of stale outputs": (outputs_left, ""),
    "%matplotlib and a figure": (
        lambda nb: with_cells(
            nb, "%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([1])\nplt.show()"
        ),
        "",
    ),
    "%%time on the answers": (lambda nb: with_answers(nb, lambda text: "%%time\n" + text), ""),
    "%%capture over %%time": (
        lambda nb: with_answers(nb, lambda text: "%%capture out\n%%time\n" + text),
        "",
    ),
    "%time w = 5": (lambda nb: with_cells(nb, "%time w = 5\nassert w == 5"), ""),
    "!pip among the answers": (
        lambda nb: with_answers(nb, lambda text: "!pip install torch\n" + text),
        "shell lines (!) were not run",
    ),
    "%pip among the answers": (
        lambda nb: with_answers(nb, lambda text: "%pip install -q torch\n" + text),
        "",
    ),
    "input()": (lambda nb: with_cells(nb, "name = input('name? ')"), "EOFError"),
    "breakpoint()": (lambda nb: with_cells(nb, "breakpoint()\nx = 1"), ""),
    "a broken cell in the middle": (lambda nb: with_cells(nb, "def f(:\n    pass"), "SyntaxError"),
    "merge markers in a cell": (
        lambda nb: with_cells(nb, "<<<<<<< local\nx = 1\n=======\nx = 2\n>>>>>>> remote"),
        "git merge markers",
    ),
    "a short training loop": (
        lambda nb: with_cells(
            nb,
            "import torch\nw = torch.zeros(4, requires_grad=True)\nfor _ in range(200):\n"
            "    (w - 1).square().sum().backward()\n    w.data -= 0.1 * w.grad\n    w.grad = None",
        ),
        "",
    ),
    "top-level await": (
        lambda nb: with_cells(nb, "import asyncio\nawait asyncio.sleep(0)\nx = 1"),
        "",
    ),
    "megabytes of prints": (
        lambda nb: with_cells(nb, "for _ in range(60): print('z' * 10**6)"),
        "",
    ),
    "names of every alphabet": (
        lambda nb: with_answers(nb, lambda text: "größe = 数 = 1\n" + text),
        "",
    ),
    "names that hide builtins": (
        lambda nb: with_cells(nb, last="print = sum = type = isinstance = range = None"),
        "",
    ),
    "own functions with the names of builtins": (
        lambda nb: with_answers(
            with_cells(nb, "def max(*x): return sorted(x)[-1]\ndef min(*x): return sorted(x)[0]"),
            lambda text: text.replace(
                "low, high =", "assert max.__module__ == '__main__'\n    low, high ="
            ),
        ),
        "",
    ),
    "global settings left changed": (
        lambda nb: with_cells(
            nb,
            "import os, sys, warnings, numpy, torch\ntorch.set_default_dtype(torch.float64)\n"
            "torch.set_grad_enabled(False)\nnumpy.seterr(all='raise')\nos.chdir('/')\n"
            "warnings.simplefilter('error')\nsys.setrecursionlimit(10**4)\ntorch.manual_seed(1)",
        ),
        "",
    ),
    "a cell of Colab": (
        lambda nb: with_cells(nb, "from google.colab import drive\ndrive.mount('/content')"),
        "ModuleNotFoundError",
    ),
    "future annotations in the first cell": (
        lambda nb: with_cells(nb, "from __future__ import annotations"),
        "",
    ),
}


@pytest.mark.parametrize(("leave", "note"), PASSING.values(), ids=PASSING.keys())
def test_solution_left_in_this_way_passes(
    catalog: Catalog,
    solved: Notebook,
    folder: Path,
    workers: WorkerPool,
    leave: Callable[[Notebook], Notebook],
    note: str,
) -> None:
    text = json.dumps(leave(solved), ensure_ascii=False)
    report = graded(catalog, folder, text.encode(), workers)
    assert report.all_pass, f"{report.problem} {report.failures}"
    assert bool(report.notes) == bool(note), report.notes
    assert all(note in one for one in report.notes)


@pytest.mark.parametrize("ends", ["\r\n", "\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_line_ends_and_byte_order_mark_do_not_matter(
    catalog: Catalog, solved: Notebook, folder: Path, workers: WorkerPool, ends: str, mark: bytes
) -> None:
    windows = with_answers(solved, lambda text: text.replace("\n", "\r\n"))
    text = json.dumps(windows, indent=1).replace("\n", ends)
    assert graded(catalog, folder, mark + text.encode(), workers).all_pass


def test_plain_script_of_the_answers_passes(
    catalog: Catalog, solved: Notebook, folder: Path, workers: WorkerPool
) -> None:
    text = source_of(answers_in_one_cell(solved)["cells"][0])
    (folder / "quantized_linear.py").write_bytes(b"\xef\xbb\xbf" + text.encode())
    report = grade(submission_of(catalog, catalog.find(KEY), folder.parent), workers)
    assert report.all_pass, f"{report.problem} {report.failures}"


def test_sibling_files_that_shadow_packages_do_no_harm(
    catalog: Catalog, solved: Notebook, folder: Path, workers: WorkerPool
) -> None:
    for name in ("torch", "numpy", "halfbits", "pytest", "json", "typing", "random", "test"):
        (folder / f"{name}.py").write_text("raise RuntimeError('a shadow')\n", encoding="utf-8")
    (folder / "beside.py").write_text("value = 4\n", encoding="utf-8")
    text = json.dumps(with_cells(solved, "import torch, numpy, random, beside"))
    report = graded(catalog, folder, text.encode(), workers)
    assert report.all_pass, f"{report.problem} {report.failures}"
    assert report.notes == []


def test_endless_training_loop_is_stopped_and_named_and_the_answers_are_graded(
    catalog: Catalog, solved: Notebook, folder: Path, workers: WorkerPool
) -> None:
    loop = "import torch\nw = torch.zeros(9)\nwhile True:\n    w = w + 1"
    text = json.dumps({**solved, "cells": [code(loop), *solved["cells"]]})
    report = graded(catalog, folder, text.encode(), workers, time_limit=9)
    assert report.all_pass, f"{report.problem} {report.failures}"
    (note,) = report.notes
    assert "cell 1" in note and "was stopped after" in note and "an endless loop" in note


@pytest.mark.parametrize(
    ("cut", "says"),
    [
        (lambda data: data[: len(data) // 2], "is not a valid notebook (broken JSON at line"),
        (lambda data: b"", "the file is empty"),
        (lambda data: b"<<<<<<< HEAD\n" + data + b"=======\n", "git merge markers"),
    ],
    ids=["half-written", "empty", "merge markers"],
)
def test_file_that_is_no_notebook_is_one_sentence(
    catalog: Catalog, solved: Notebook, folder: Path, workers: WorkerPool, cut: Any, says: str
) -> None:
    report = graded(catalog, folder, cut(json.dumps(solved).encode()), workers)
    assert report.problem is not None and says in report.problem
    assert "\n" not in report.problem
    assert report.passed == 0


def test_folder_that_cannot_be_written_is_graded(
    catalog: Catalog, solved: Notebook, folder: Path, workers: WorkerPool
) -> None:
    path = folder / "quantized_linear.ipynb"
    path.write_text(json.dumps(solved), encoding="utf-8")
    path.chmod(0o444)
    folder.chmod(0o555)
    try:
        report = grade(submission_of(catalog, catalog.find(KEY), folder.parent), workers)
    finally:
        folder.chmod(0o755)
    assert report.all_pass, f"{report.problem} {report.failures}"
    assert [one.name for one in folder.iterdir()] == [path.name]


def test_full_temporary_folder_is_one_sentence(
    catalog: Catalog,
    solved: Notebook,
    folder: Path,
    workers: WorkerPool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(*_: object, **__: object) -> str:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(tempfile, "mkdtemp", full)
    said = graded(catalog, folder, json.dumps(solved).encode(), workers).problem or ""
    assert said.startswith("quantized_linear was not graded: No scratch folder can be made: ")
    assert said.endswith("No space left on device; free some disk.")
    monkeypatch.undo()
    assert graded(catalog, folder, json.dumps(solved).encode(), workers).all_pass


def graded(
    catalog: Catalog, folder: Path, content: bytes, workers: WorkerPool, **changes: Any
) -> Report:
    """The report of a notebook of these bytes, which are still the same afterwards."""
    path = folder / "quantized_linear.ipynb"
    path.write_bytes(content)
    before = path.stat().st_mtime_ns
    exercise = replace(catalog.find(KEY), **changes)
    report = grade(submission_of(catalog, exercise, folder.parent), workers)
    assert path.read_bytes() == content
    assert path.stat().st_mtime_ns == before
    return report
