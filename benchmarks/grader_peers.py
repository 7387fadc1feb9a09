"""How long one submission takes from saved to graded: nbgrader, otter-grader and this course.

`python -m benchmarks.grader_peers --out book/data/grader_peers.json` makes an environment of its
own beside this interpreter's packages, puts the same notebook (one function, quantize_weight) and
the same six checks before each grader, and takes turns, so that a busy minute meets all of them.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.turns import machine, rows, timed

PEERS = ("nbgrader==0.9.6", "otter-grader==7.0.0")
ROOT = Path(__file__).resolve().parents[1]
EXERCISE = "quantization/quantized_linear"
TASK = "quantize_weight"
SIX = (
    "test_weight_gives_int8_codes_and_float32_scales",
    "test_weight_scale_is_amax_over_127",
    "test_weight_rounds_half_to_even",
    "test_weight_codes_use_exactly_minus_127_to_127",
    "test_weight_error_is_at_most_half_a_step",
    "test_weight_zero_row_gives_zeros",
)
SETTLE = 12.0  # seconds in which the next waiting worker imports its framework


def main() -> None:
    """Prepare every grader, take turns, write the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--environment", type=Path, help="keep the peers' environment here")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="halfbits-peers-") as name:
        folder = Path(name)
        os.environ["HALFBITS_DATA"] = str(folder / "data")
        os.environ["HALFBITS_SPARE"] = "300"
        python = _environment(given.environment or folder / "env")
        implementations = {
            "nbgrader autograde": _nbgrader(folder / "nbgrader", python),
            "otter run": _otter(folder / "otter", python),
            "pytest, a worker waits": _pytest(),
            "grade(), a worker waits": _call(),
        }
        seconds: dict[str, list[float]] = {name: [] for name in implementations}
        for implementation in implementations.values():  # files in the cache, an idle worker
            implementation()
        for _ in range(given.rounds):
            for name, implementation in implementations.items():
                seconds[name].append(implementation())
                print(f"{name}: {seconds[name][-1]:.3f} s", flush=True)
        record = _record(seconds, _versions(python))
    given.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def _record(seconds: dict[str, list[float]], peers: dict[str, str]) -> dict[str, Any]:
    found = rows(seconds)
    medians = {row["way"]: row["median_s"] for row in found}
    faster = min(medians["nbgrader autograde"], medians["otter run"])
    return {
        "command": "python -m benchmarks.grader_peers --out book/data/grader_peers.json",
        "date": datetime.now(UTC).date().isoformat(),
        "machine": machine(),
        "versions": {
            "python": platform.python_version(),
            "torch": version("torch"),
            "pytest": version("pytest"),
            **peers,
        },
        "what": f"one notebook with {TASK}, six checks, from saved to graded; ways took turns",
        "rows": found,
        "faster_peer_over_pytest": round(faster / medians["pytest, a worker waits"], 1),
        "faster_peer_over_grade": round(faster / medians["grade(), a worker waits"], 1),
    }


def _environment(folder: Path) -> Path:
    """An environment with the peers, which also sees this interpreter's packages."""
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if python.exists():
        return python
    venv.create(folder, with_pip=True)
    subprocess.run([str(python), "-m", "pip", "install", "-q", *PEERS], check=True)
    found = subprocess.run(
        [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True,
        text=True,
        check=True,
    )
    import sysconfig

    beside = Path(found.stdout.strip(), "beside.pth")
    beside.write_text(f"{sysconfig.get_path('purelib')}\n{ROOT}\n", encoding="utf-8")
    return python


def _versions(python: Path) -> dict[str, str]:
    code = "from importlib.metadata import version as v; print(v('nbgrader'), v('otter-grader'))"
    found = subprocess.run([str(python), "-c", code], capture_output=True, text=True, check=True)
    nbgrader, otter = found.stdout.split()
    return {"nbgrader": nbgrader, "otter-grader": otter}


def _nbgrader(folder: Path, python: Path) -> Callable[[], float]:
    source = folder / "source" / "ps1" / "weights.ipynb"
    source.parent.mkdir(parents=True)
    cells = [_cell(_answer(), "answer", {"grade": False, "solution": True, "locked": False})]
    for name, code in _checks().items():
        mark = {"grade": True, "solution": False, "locked": True, "points": 1}
        cells.append(_cell(code, name, mark))
    source.write_text(json.dumps(_notebook(cells)), encoding="utf-8")
    app = [str(python), "-m", "nbgrader"]
    _timed([*app, "generate_assignment", "ps1"], folder)
    submitted = folder / "submitted" / "ada" / "ps1" / "weights.ipynb"
    submitted.parent.mkdir(parents=True)
    # What nbgrader releases holds a stub: the submission is the answer itself.
    released = json.loads((folder / "release/ps1/weights.ipynb").read_text(encoding="utf-8"))
    released["cells"][0]["source"] = _answer()
    submitted.write_text(json.dumps(released), encoding="utf-8")

    def grade() -> float:
        shutil.rmtree(folder / "autograded", ignore_errors=True)
        taken = _timed([*app, "autograde", "ps1", "--force"], folder)
        graded = folder / "autograded" / "ada" / "ps1" / "weights.ipynb"
        outputs = [
            output["output_type"]
            for cell in json.loads(graded.read_text(encoding="utf-8"))["cells"]
            for output in cell.get("outputs", [])
        ]
        assert "error" not in outputs, "nbgrader did not accept the answer"
        return taken

    return grade


def _otter(folder: Path, python: Path) -> Callable[[], float]:
    tests = folder / "tests"
    tests.mkdir(parents=True)
    for name, code in _checks().items():
        whole = code + "\ntrue = True"
        cases = [{"code": _doctest(whole), "hidden": False, "locked": False}]
        suite = [{"cases": cases, "scored": True, "setup": "", "teardown": "", "type": "doctest"}]
        test = {"name": name, "points": 1, "suites": suite}
        text = f"OK_FORMAT = True\ntest = {test!r}\n"
        (tests / f"{name}.py").write_text(text, encoding="utf-8")
    (folder / "otter_config.json").write_text("{}", encoding="utf-8")
    shutil.make_archive(str(folder / "autograder"), "zip", folder)
    submitted = folder / "weights.ipynb"
    first = "import otter\ngrader = otter.Notebook()"
    cells = [_cell(first, "start"), _cell(_answer(), "answer")]
    cells += [_cell(f'grader.check("{name}")', f"check-{name}") for name in _checks()]
    submitted.write_text(json.dumps(_notebook(cells)), encoding="utf-8")
    command = [str(python), "-m", "otter", "run", "-a", "autograder.zip", "-o", ".", submitted.name]

    def grade() -> float:
        taken = _timed(command, folder)
        results = json.loads((folder / "results.json").read_text(encoding="utf-8"))
        points = [(one.get("score"), one.get("max_score")) for one in results["tests"]]
        full = [have for have, most in points if most and have == most]
        assert len(full) == len(SIX), f"otter did not accept the answer: {points}"
        return taken

    return grade


def _pytest() -> Callable[[], float]:
    command = [sys.executable, "-m", "pytest", "-q", f"exercises/{EXERCISE}.ipynb"]
    command += ["--answers", "solutions", "-k", " or ".join(SIX)]

    def grade() -> float:
        time.sleep(SETTLE)
        return _timed(command, ROOT)

    return grade


def _call() -> Callable[[], float]:
    from halfbits.course.catalog import load_catalog
    from halfbits.course.grading.process.spawn_pool import POOL
    from halfbits.course.grading.runner import grade_answers

    catalog = load_catalog(ROOT)
    exercise = catalog.find(EXERCISE)
    path = catalog.notebook(exercise, "solutions")

    def grade() -> float:
        time.sleep(SETTLE)
        began = time.perf_counter()
        report = grade_answers(catalog, exercise, path, checks=SIX)
        taken = time.perf_counter() - began
        assert report.all_pass and report.total == len(SIX), report.failures
        POOL.leave_idle()
        return taken

    return grade


def _answer() -> str:
    """The solution's answer cell, as a learner would have written it."""
    path = ROOT / "solutions" / f"{EXERCISE}.ipynb"
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    texts = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    answer = next(text for text in texts if f"def {TASK}(" in text)
    return answer if "import torch" in answer else f"import torch\n\n{answer}"


def _checks() -> dict[str, str]:
    """The six checks as code for a cell: the check file's own functions, called on the answer."""
    path = ROOT / "exercises" / "quantization" / "test_quantized_linear.py"
    return {
        name: (
            "import importlib.util, types\n"
            f"spec = importlib.util.spec_from_file_location('checks', {str(path)!r})\n"
            "checks = importlib.util.module_from_spec(spec)\n"
            "spec.loader.exec_module(checks)\n"
            f"given = dict(answer=types.SimpleNamespace({TASK}={TASK}), seed=7)\n"
            f"check = checks.{name}\n"
            "count = check.__code__.co_argcount\n"
            "check(**{n: given[n] for n in check.__code__.co_varnames[:count]})"
        )
        for name in SIX
    }


def _doctest(code: str) -> str:
    return "\n".join(f">>> {line}" for line in code.splitlines())


def _cell(source: str, name: str, mark: dict[str, Any] | None = None) -> dict[str, Any]:
    metadata = {}
    if mark is not None:
        metadata["nbgrader"] = {
            **mark,
            "grade_id": name,
            "schema_version": 3,
            "task": False,
            **({} if mark["grade"] else {"cell_type": "code"}),
        }
    return {
        "cell_type": "code",
        "id": name.replace("_", "-")[:60],
        "metadata": metadata,
        "source": source,
        "outputs": [],
        "execution_count": None,
    }


def _notebook(cells: list[dict[str, Any]]) -> dict[str, Any]:
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": kernel}, "cells": cells}


def _timed(command: list[str], folder: Path) -> float:
    # nbgrader starts alembic by its bare name.
    tools = os.pathsep.join([str(Path(command[0]).parent), os.environ["PATH"]])
    return timed(command, folder, {"PATH": tools})


if __name__ == "__main__":
    main()
