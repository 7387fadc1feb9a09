"""Spoiled copies of the real notebooks: a report or a sentence, never a traceback.

They are 400, and 4,000 with `--thorough`. `HALFBITS_FUZZ=20000 pytest tests/contract/test_fuzz.py`
tries that many, other ones each time.
"""

from __future__ import annotations

import copy
import json
import os
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from halfbits.course import notebook
from halfbits.course.authoring.stub import is_pristine, make_exercise
from halfbits.course.catalog import Catalog, Exercise, load_catalog
from halfbits.course.grading.faces.html import ReportView
from halfbits.course.grading.faces.notebook import executed_cells
from halfbits.course.grading.process import fork_pool
from halfbits.course.grading.process.fork_pool import ForkPool
from halfbits.course.grading.report import (
    FAILED,
    MISSING,
    NOT_RUN,
    PASSED,
    UNWRITTEN,
    Report,
    lines,
)
from halfbits.course.grading.runner import grade
from halfbits.course.grading.submission import Submission
from halfbits.course.notebook import Answer, read_answer, read_json
from halfbits.errors import CourseError
from halfbits.folders import find_root

CATALOG = load_catalog(find_root())

CASES = int(os.environ.get("HALFBITS_FUZZ", "4000" if "HALFBITS_THOROUGH" in os.environ else "400"))
LIMIT = 2.0
KINDS = {PASSED, FAILED, MISSING, UNWRITTEN, NOT_RUN}
ODD: list[Any] = [
    *(None, True, -1, 0, 2**70, 1.5, float("inf"), float("nan"), "", "x = 1", "\ud800", "\0"),
    *([], {}, [[]], [None], ["a", 5], {"a": {}}, {"cells": []}, "code", ["grade"], "\n" * 99),
]
LINES = [
    *("%matplotlib inline", "%%time", "%%bash", "%%capture out", "!pip install torch", "x = !ls"),
    *("input()", "breakpoint()", "exit()", "raise SystemExit", "1 / 0", "raise KeyboardInterrupt"),
    *("def f(:", "'''", "(" * 150, "\t x = 1", "\ufeff", "\x00", "\ud800", "é = '數'", "x =\\"),
    *("await x", "yield 1", "return 1", "from __future__ import division", "import no_such_thing"),
    *("<<<<<<< HEAD", "# -*- coding: latin-1 -*-", "print('x' * 10**6)", "len?", "\f", "?"),
    *("del quantize_weight", "globals().clear()", "%time raise E", "get_ipython().magic('x')"),
    *("class E(Exception):\n    def __str__(self): raise ValueError", "raise E", "raise E()"),
    *(
        "import os; os.chdir('/')",
        "import sys; sys.stdout = None",
        "import builtins as b; del b.len",
    ),
    *("import torch; torch.set_default_dtype(torch.float64)", "import torch; torch.equal = all"),
]
MARKS = [b"\xef\xbb\xbf", b"\xff\xfe", b"\x00", b"\r", b"\r\n", b"<<<<<<< HEAD\n", b"{", b"]", b'"']
Edit = Callable[[bytes], bytes]


def texts_of(exercise: Exercise) -> list[bytes]:
    """The solution and the exercise as files."""
    solved = read_json(CATALOG.notebook(exercise, "solutions"))
    stub = make_exercise(CATALOG, exercise)
    return [json.dumps(one, indent=1, ensure_ascii=False).encode() for one in (solved, stub)]


# Told by number, so that a failing case is a short text.
REAL = [(exercise, text) for exercise in CATALOG.exercises for text in texts_of(exercise)]
real = st.integers(0, len(REAL) - 1)
# A fork of a process that holds TensorFlow, too, takes several times as long.
light = real.filter(lambda number: "tensorflow" not in REAL[number][0].preload)


def profile(share: float) -> Callable[[Any], Any]:
    """A share of all cases, the same ones in each run unless a number was asked for."""
    return settings(
        max_examples=max(1, round(CASES * share)),
        deadline=None,
        database=None,
        derandomize="HALFBITS_FUZZ" not in os.environ,
        suppress_health_check=list(HealthCheck),
    )


# Bytes


def replaced(where: float, length: int, new: bytes) -> Edit:
    def edit(data: bytes) -> bytes:
        place = int(where * len(data))
        return data[:place] + new + data[place + length :]

    return edit


def recoded(encoding: str) -> Edit:
    return lambda data: data.decode("utf-8", "replace").encode(encoding, "replace")


positions = st.floats(0, 1)
byte_edits = st.one_of(
    st.builds(replaced, positions, st.integers(0, 3), st.binary(max_size=3)),
    st.builds(replaced, positions, st.just(0), st.sampled_from(MARKS)),
    st.builds(replaced, positions, st.integers(0, 5000), st.just(b"")),
    st.builds(lambda where: lambda data: data[: int(where * len(data))], positions),
    st.sampled_from([recoded(name) for name in ("utf-16", "latin-1", "utf-32", "cp1252")]),
    st.sampled_from([b"\r\n", b"\r", b"\n\n", b""]).map(
        lambda ends: lambda data: data.replace(b"\n", ends)
    ),
)

# What the JSON says


def places(tree: Any, under: str = "") -> dict[str, list[tuple[Any, Any]]]:
    """Every (container, key) in a tree of lists and tables, by the kind of place it is."""
    found: dict[str, list[tuple[Any, Any]]] = {}
    for key, value in list(tree.items() if isinstance(tree, dict) else enumerate(tree)):
        kind = key if isinstance(tree, dict) else f"an entry of {under}"
        found.setdefault(kind, []).append((tree, key))
        if isinstance(value, (dict, list)):
            for inner, some in places(value, kind).items():
                found.setdefault(inner, []).extend(some)
    return found


def odd_value(kind: float, where: float, value: Any, remove: bool) -> Edit:
    def edit(data: bytes) -> bytes:
        whole = json.loads(data)
        found = places(whole)
        tree, key = at(where, at(kind, list(found.values())))
        if remove:
            del tree[key]
        else:
            tree[key] = copy.deepcopy(value)
        return json.dumps(whole).encode()

    return edit


def at(where: float, items: list[Any]) -> Any:
    """The item at a fraction of the list; raises ValueError when it is empty."""
    if not items:
        raise ValueError("nothing there")
    return items[int(where * (len(items) - 1))]


def rearranged(seed: int, how: str) -> Edit:
    def edit(data: bytes) -> bytes:
        whole = json.loads(data)
        cells, chance = whole.get("cells"), random.Random(seed)
        if isinstance(cells, list) and cells:
            if how == "shuffle":
                chance.shuffle(cells)
            elif how == "repeat":
                cells += chance.choices(cells, k=chance.randint(1, 9))
            else:
                del cells[chance.randrange(len(cells)) :: chance.randint(1, 5)]
        return json.dumps(whole).encode()

    return edit


def in_sources(where: float, inside: float, new: str, length: int) -> Edit:
    """An edit of one code cell's text."""

    def edit(data: bytes) -> bytes:
        whole = json.loads(data)
        cells = [c for c in whole.get("cells", ()) if isinstance(c, dict)]
        cells = [c for c in cells if c.get("cell_type") == "code"]
        cell = at(where, cells)
        text = "".join(map(str, cell.get("source") or ()))
        place = int(inside * len(text))
        cell["source"] = text[:place] + new + text[place + length :]
        return json.dumps(whole).encode()

    return edit


def new_line(text: str) -> str:
    return f"\n{text}\n"


seeds = st.integers(0, 2**32)
cell_edits = st.builds(rearranged, seeds, st.sampled_from(["shuffle", "repeat", "remove"]))
value_edits = st.builds(odd_value, positions, positions, st.sampled_from(ODD), st.booleans())
source_edits = st.one_of(
    st.builds(in_sources, positions, positions, st.sampled_from(LINES).map(new_line), st.just(0)),
    st.builds(
        in_sources, positions, st.just(0.0), st.sampled_from(LINES).map(new_line), st.just(0)
    ),
    st.builds(in_sources, positions, positions, st.text(max_size=3), st.integers(0, 4)),
    st.builds(in_sources, positions, positions, st.just(""), st.integers(1, 400)),
)


def some(edits: st.SearchStrategy[Edit], most: int = 3) -> st.SearchStrategy[list[Edit]]:
    return st.lists(edits, min_size=1, max_size=most)


# The property


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


@pytest.fixture(autouse=True)
def no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notebook, "PATIENCE", -1.0)


def spoil(data: bytes, edits: list[Edit]) -> bytes:
    for edit in edits:
        try:
            data = edit(data)
        except (ValueError, TypeError, AttributeError, RecursionError):
            break  # spoiled before, so that it cannot be spoiled in this way
    return data


def read(path: Path, data: bytes) -> Answer:
    """What the reader makes of `data`: cells or one sentence."""
    path.write_bytes(data)
    try:
        answer = read_answer(path)
        is_pristine(read_json(path))
        executed_cells([cell.source for cell in answer.code[::-2]], list(answer.cells))
    except CourseError as error:
        answer = Answer(path.name, (), problem=str(error))
        assert 0 < len(str(error).splitlines()) == 1, str(error)
    assert path.read_bytes() == data
    assert [one.name for one in path.parent.iterdir()] == [path.name]
    return answer


def judge(
    catalog: Catalog, path: Path, case: int, edits: list[Edit], number: int, workers: ForkPool
) -> None:
    exercise, text = REAL[case]
    data = spoil(text, edits)
    answer = read(path, data)
    one = Submission(catalog, replace(exercise, time_limit=LIMIT), answer, seed=1)
    one.checks = [one.checks[number % len(one.checks)]]
    report = grade(one, workers)
    assert path.read_bytes() == data
    assert_readable(report)


def assert_readable(report: Report) -> None:
    assert report.problem is None or len(report.problem.splitlines()) == 1, report.problem
    assert all(len(note.splitlines()) == 1 for note in report.notes), report.notes
    assert len(report.verdicts) == 1 and {v.kind for v in report.verdicts} <= KINDS
    text = "\n".join([*lines(report), report.summary(), report.next_step()])
    assert "Traceback" not in text and "the process ended early" not in text, text
    assert text.encode("utf-8") and ReportView(report)._repr_html_()


@pytest.mark.slow  # notebooks of up to 60 KB are parsed several times
@profile(0.6)
@given(real, st.one_of(some(byte_edits), some(value_edits), some(cell_edits)))
def test_spoiled_file_is_read_or_refused_in_a_sentence(
    folder: Path, case: int, edits: list[Edit]
) -> None:
    read(folder / "answer.ipynb", spoil(REAL[case][1], edits))


@pytest.mark.slow  # notebooks are read and most of them run
@pytest.mark.skipif(not fork_pool.AVAILABLE, reason="an import of torch for each case: an hour")
@profile(0.2)
@given(real, some(st.one_of(byte_edits, value_edits, cell_edits)), seeds)
def test_spoiled_notebook_is_graded_without_a_traceback(
    catalog: Catalog,
    folder: Path,
    workers: ForkPool,
    case: int,
    edits: list[Edit],
    number: int,
) -> None:
    judge(catalog, folder / "answer.ipynb", case, edits, number, workers)


@pytest.mark.slow  # notebooks are read and most of them run
@pytest.mark.skipif(not fork_pool.AVAILABLE, reason="an import of torch for each case: an hour")
@profile(0.2)
@given(light, some(source_edits, 5), seeds)
def test_spoiled_code_is_graded_without_a_traceback(
    catalog: Catalog,
    folder: Path,
    workers: ForkPool,
    case: int,
    edits: list[Edit],
    number: int,
) -> None:
    judge(catalog, folder / "answer.ipynb", case, edits, number, workers)
