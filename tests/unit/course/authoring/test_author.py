"""An executed notebook holds what its cells print, and nothing that changes from run to run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from halfbits.course.authoring.execute import execute, normalized
from halfbits.errors import CourseError

Json = dict[str, Any]


def code(*lines: str, id: str = "a", outputs: list[Json] | None = None) -> Json:
    return {
        "cell_type": "code",
        "id": id,
        "metadata": {"tags": ["machine"], "execution": {"iopub.status.busy": "now"}},
        "execution_count": None,
        "outputs": outputs or [],
        "source": [f"{line}\n" for line in lines],
    }


def notebook(*cells: Json) -> Json:
    return {"cells": list(cells), "metadata": {"widgets": {}}, "nbformat": 4, "nbformat_minor": 5}


def stream(text: str, name: str = "stdout") -> Json:
    return {"output_type": "stream", "name": name, "text": [text]}


def write(path: Path, content: Json) -> str:
    path.write_text(json.dumps(content), encoding="utf-8")
    return path.read_text(encoding="utf-8")


def test_a_notebook_is_run_top_to_bottom_and_normalized(tmp_path: Path) -> None:
    path = tmp_path / "lesson.ipynb"
    write(path, notebook(code("x = 6"), code("print(x)", "print(7 * x)", id="b")))
    assert execute([path]) == 0
    first, second = (made := json.loads(path.read_text(encoding="utf-8")))["cells"]
    assert (first["execution_count"], second["execution_count"]) == (1, 2)
    assert second["outputs"] == [{**stream(""), "text": ["6\n", "42\n"]}]
    assert second["metadata"] == {"tags": ["machine"]}
    assert made["metadata"].keys() == {"kernelspec", "language_info"}


def test_a_second_run_writes_the_same_file(tmp_path: Path) -> None:
    path = tmp_path / "lesson.ipynb"
    write(path, notebook(code("print('a')", "1 + 1")))
    execute([path])
    once = path.read_bytes()
    execute([path])
    assert path.read_bytes() == once


def test_a_failing_cell_is_named_and_the_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "lesson.ipynb"
    before = write(path, notebook(code("x = 1"), code("assert x == 2, 'not two'", id="claim")))
    with pytest.raises(CourseError, match=r"lesson.ipynb, cell 2 \(claim\): AssertionError: not"):
        execute([path])
    assert path.read_text(encoding="utf-8") == before


def test_a_missing_notebook_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(CourseError, match="no notebook absent"):
        execute([tmp_path / "absent.ipynb"])


def test_parts_of_one_stream_are_joined() -> None:
    cell = code(outputs=[stream("a\n"), stream("b\n"), stream("c\n", "stderr")])
    made = normalized(notebook(cell))["cells"][0]["outputs"]
    assert [(part["name"], "".join(part["text"])) for part in made] == [
        ("stdout", "a\nb\n"),
        ("stderr", "c\n"),
    ]


def test_widgets_and_progress_bars_are_left_out() -> None:
    widget = {
        "output_type": "display_data",
        "metadata": {},
        "data": {"application/vnd.jupyter.widget-view+json": {}, "text/plain": ["0%"]},
    }
    bar = stream("\r 0%|\r100%|##| 10/10 [00:01]\n", "stderr")
    cell = code(outputs=[widget, bar, stream("done\n")])
    assert normalized(notebook(cell))["cells"][0]["outputs"] == [stream("done\n")]


def test_a_cell_without_an_id_gets_the_same_one_each_time() -> None:
    cell = code("1")
    del cell["id"]
    ids = {normalized(notebook(cell))["cells"][0]["id"] for _ in range(2)}
    assert len(ids) == 1 and ids.pop()


def test_what_tensorflow_logs_at_its_start_is_left_out() -> None:
    log = (
        "WARNING: All log messages before absl::InitializeLog() is called are written to STDERR\n"
        "I0000 00:00:1795515256.868115   21983 cudart_stub.cc:31] Could not find cuda drivers\n"
    )
    cell = code(outputs=[stream(log, "stderr"), stream("I0 of the text\n", "stderr")])
    kept = normalized(notebook(cell))["cells"][0]["outputs"]
    assert kept == [stream("I0 of the text\n", "stderr")]


def test_a_widget_leaves_the_html_that_stands_in_for_it() -> None:
    view = {"application/vnd.jupyter.widget-view+json": {"model_id": "1"}, "text/plain": ["W()"]}
    shown = {"output_type": "display_data", "metadata": {}, "data": view}
    html = {**shown, "data": {**view, "text/html": ["<hb-bit-explorer></hb-bit-explorer>"]}}
    kept = normalized(notebook(code("W()", outputs=[shown, html])))["cells"][0]["outputs"]
    assert [list(output["data"]) for output in kept] == [["text/html", "text/plain"]]
