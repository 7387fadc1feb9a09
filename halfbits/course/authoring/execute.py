"""For authors: run a notebook in a fresh kernel and store its outputs as the repository keeps them.

They hold no time of execution, no widget and no progress bar; ids and metadata are stable.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from halfbits.course.authoring.stub import KERNEL, write_notebook
from halfbits.errors import CourseError

CELL_SECONDS = 900
KEPT_CELL_METADATA = ("tags", "mystnb")
# "I0000 00:00:1795515256.868115   21983 cudart_stub.cc:31] ..." differs in every run.
START_LOG = re.compile(r"[IWEF]\d{4} \d\d:\d\d:|WARNING: All log messages before absl")
WIDGET = "application/vnd.jupyter.widget-view+json"

Json = dict[str, Any]


def execute(paths: Sequence[Path]) -> int:
    """Run each notebook top to bottom and write it back normalized; 0.

    Raises CourseError at the first cell that fails; that notebook's file stays as it was.
    """
    for path in paths:
        began = time.monotonic()
        notebook = run_fresh(path)
        write_notebook(path, normalized(notebook))
        print(f"{path.name}: {time.monotonic() - began:.1f} s", flush=True)
    return 0


def run_fresh(path: Path) -> Json:
    """The notebook at `path` with the outputs of a fresh kernel of this interpreter, as JSON."""
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    book = nbformat.reads(_text(path), as_version=4)
    at: Json = {}
    client = NotebookClient(
        book,
        km=_this_kernel(),
        timeout=CELL_SECONDS,
        record_timing=False,
        resources={"metadata": {"path": str(path.resolve().parent)}},
        on_cell_start=lambda cell, cell_index: at.update(cell=cell, number=cell_index + 1),
    )
    try:
        client.execute(cleanup_kc=True)  # a given kernel manager is otherwise left running
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        raise CourseError(f"{path.name}, {_place(at)}: {_reason(error)}") from error
    return json.loads(nbformat.writes(book))


def normalized(notebook: Json) -> Json:
    """The same cells with stable ids, the house's metadata and only outputs that a page shows."""
    cells = [_cell(cell, number) for number, cell in enumerate(notebook["cells"], 1)]
    metadata = {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise CourseError(f"there is no notebook {path.name}; give its path.") from error


def _this_kernel() -> Any:
    # A kernel that is registered as "python3" may belong to another interpreter.
    from jupyter_client.kernelspec import KernelSpec
    from jupyter_client.manager import AsyncKernelManager

    class ThisInterpreter(AsyncKernelManager):
        @property
        def kernel_spec(self) -> KernelSpec:
            argv = [sys.executable, "-m", "ipykernel_launcher", "--log-level=ERROR"]
            return KernelSpec(argv=[*argv, "-f", "{connection_file}"], display_name="Python 3")

    return ThisInterpreter()


def _place(at: Json) -> str:
    return f"cell {at['number']} ({at['cell'].get('id', 'no id')})" if at else "before the cells"


def _reason(error: Exception) -> str:
    if name := getattr(error, "ename", None):
        return f"{name}: {getattr(error, 'evalue', '')}"
    return str(error).strip().splitlines()[0]


def _cell(cell: Json, number: int) -> Json:
    source = "".join(cell["source"]).rstrip("\n")
    made = {
        "cell_type": cell["cell_type"],
        "id": cell.get("id") or _stable_id(source, number),
        "metadata": {
            key: cell["metadata"][key] for key in KEPT_CELL_METADATA if cell["metadata"].get(key)
        },
        "source": source.splitlines(keepends=True),
    }
    if cell["cell_type"] == "code":
        made["execution_count"] = cell["execution_count"]
        made["outputs"] = _outputs(cell["outputs"])
    return made


def _stable_id(source: str, number: int) -> str:
    return hashlib.sha256(f"{number}\n{source}".encode()).hexdigest()[:12]


def _outputs(outputs: list[Json]) -> list[Json]:
    made: list[Json] = []
    for output in map(_without_kernel, outputs):
        if output is None:
            continue
        if output["output_type"] != "stream":
            made.append(output)
        elif made and made[-1].get("name") == output["name"]:
            made[-1]["text"] = [*made[-1]["text"], *output["text"]]
        else:
            made.append(dict(output))
    return [kept for output in made if (kept := _worth_keeping(output))]


def _without_kernel(output: Json) -> Json | None:
    """A widget's output as the HTML that stands in for it; None when it has none."""
    data = output.get("data", {})
    if WIDGET not in data:
        return output
    if "text/html" not in data:
        return None
    return {
        **output,
        "data": {kind: data[kind] for kind in ("text/html", "text/plain") if kind in data},
    }


def _worth_keeping(output: Json) -> Json | None:
    """The output without lines that redraw themselves or that TensorFlow's start logs."""
    if output["output_type"] != "stream":
        return output
    lines = "".join(output["text"]).split("\n")
    text = "\n".join(line for line in lines if "\r" not in line and not START_LOG.match(line))
    return {**output, "text": text.splitlines(keepends=True)} if text.strip() else None
