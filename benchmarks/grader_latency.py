"""How soon a verdict comes from grade(), watch, pytest and grade-class, a worker waiting or not.

`python -m benchmarks.grader_latency --out book/data/grader_latency.json` grades the solutions in
a copy of the course. The four take turns, so that a busy minute meets all of them; each is run
once untimed before its turn, which leaves a waiting worker behind, and the clock starts when
that worker has imported its framework and is idle.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import queue
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

from benchmarks.turns import machine, rows, timed
from halfbits.course.catalog import Catalog, Exercise, load_catalog

ROOT = Path(__file__).resolve().parents[1]
EXERCISES = {"torch": "quantized_linear", "tensorflow": "amp_basics"}
STUDENTS = 20
LIMIT = 180.0


def main() -> None:
    """Prepare the course, take turns, write the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--only", default="", help="those whose name holds this text")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="halfbits-latency-") as name:
        folder = Path(name).resolve()
        catalog = _course(folder / "course")
        os.environ |= {
            "HALFBITS_ROOT": str(catalog.root),
            "HALFBITS_DATA": str(folder / "data"),
            "HALFBITS_SPARE": "600",
            "PYTHONPATH": str(ROOT),
        }
        watcher = Watcher(catalog)
        try:
            implementations = {
                k: w
                for k, w in _implementations(catalog, folder, watcher).items()
                if given.only in k
            }
            seconds = _take_turns(implementations, given.rounds)
        finally:
            watcher.close()
            for file in (folder / "data" / "waiting").glob("*.json"):
                file.unlink(missing_ok=True)  # its idle worker ends
            time.sleep(3)
    record = _record(seconds)
    given.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def _implementations(
    catalog: Catalog, folder: Path, watcher: Watcher
) -> dict[str, Callable[[], float]]:
    implementations: dict[str, Callable[[], float]] = {}
    for framework, slug in EXERCISES.items():
        exercise = catalog.find(slug)
        implementations[f"import {framework}"] = _import(framework)
        implementations[f"grade(), a worker waits, {framework}"] = _call(exercise)
        implementations[f"watch, a worker waits, {framework}"] = watcher.saving(exercise)
        implementations[f"pytest, a worker waits, {framework}"] = _pytest(catalog, exercise, "600")
        implementations[f"pytest, none waits, {framework}"] = _pytest(catalog, exercise, "0")
    implementations[f"grade-class, {STUDENTS} submissions, workers wait"] = _class(catalog, folder)
    return implementations


def _take_turns(
    implementations: dict[str, Callable[[], float]], rounds: int
) -> dict[str, list[float]]:
    seconds: dict[str, list[float]] = {name: [] for name in implementations}
    for _ in range(rounds):
        for name, implementation in implementations.items():
            if "wait" in name and "none" not in name:
                implementation()
            settle()
            seconds[name].append(implementation())
            print(f"{name}: {seconds[name][-1]:.3f} s", flush=True)
    return seconds


def settle() -> None:
    """Wait until no worker uses the processor any more."""
    give_up = time.monotonic() + LIMIT
    before: dict[int, float] | None = None
    while (now := _work()) != before and time.monotonic() < give_up:
        before = now
        time.sleep(1.0)


def _work() -> dict[int, float]:
    """The CPU seconds of each process of this run, rounded to tenths.

    A supervisor counts processes five times a second: that alone is no work.
    """
    found = {}
    for process in _own_processes():
        with contextlib.suppress(psutil.Error):
            times = process.cpu_times()
            found[process.pid] = round(times.user + times.system, 1)
    return found


def _own_processes() -> list[psutil.Process]:
    """What this process started, and its idle workers."""
    found = psutil.Process().children(recursive=True)
    for process in psutil.process_iter(["cmdline"]):
        if os.environ["HALFBITS_DATA"] in " ".join(process.info["cmdline"] or ()):
            with contextlib.suppress(psutil.Error):
                found += [process, *process.children(recursive=True)]
    return found


def _course(root: Path) -> Catalog:
    """A copy of the course in which every exercise is solved."""
    for part in ("exercises", "solutions"):
        shutil.copytree(ROOT / part, root / part)
    shutil.copy(ROOT / "pyproject.toml", root)
    catalog = load_catalog(root)
    for exercise in catalog.exercises:
        shutil.copy(catalog.notebook(exercise, "solutions"), catalog.notebook(exercise))
    return catalog


def _import(framework: str) -> Callable[[], float]:
    return lambda: timed([sys.executable, "-c", f"import {framework}"], ROOT)


def _call(exercise: Exercise) -> Callable[[], float]:
    from halfbits.course.grading.faces.notebook import grade

    def implementation() -> float:
        began = time.perf_counter()
        view = grade(exercise.key)
        view._repr_html_()
        taken = time.perf_counter() - began
        assert view.report.all_pass, view.report.failures or view.report.problem
        return taken

    return implementation


def _pytest(catalog: Catalog, exercise: Exercise, spare: str) -> Callable[[], float]:
    command = [sys.executable, "-m", "pytest", "-q", f"exercises/{exercise.key}.ipynb"]
    return lambda: timed(command, catalog.root, {"HALFBITS_SPARE": spare})


def _class(catalog: Catalog, folder: Path) -> Callable[[], float]:
    exercise = catalog.find(EXERCISES["torch"])
    submitted = folder / "class"
    for number in range(STUDENTS):
        path = submitted / f"student{number:02}" / f"{exercise.slug}.ipynb"
        path.parent.mkdir(parents=True)
        shutil.copy(catalog.notebook(exercise, "solutions"), path)

    def implementation() -> float:
        out = Path(tempfile.mkdtemp(dir=folder), "report.html")
        command = [
            sys.executable,
            "-m",
            "halfbits",
            "grade-class",
            str(submitted),
            "--out",
            str(out),
        ]
        return timed(command, catalog.root)

    return implementation


class Watcher:
    """`watch` in a pipe, and the time from a save to its printed verdict."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog, self._count = catalog, 0
        self._lines: queue.Queue[str] = queue.Queue()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "halfbits", "watch"],
            stdout=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            encoding="utf-8",
        )
        threading.Thread(target=self._read, daemon=True).start()
        self._until("Watching")
        time.sleep(2.0)

    def saving(self, exercise: Exercise) -> Callable[[], float]:
        """Save the notebook with another comment in it; the seconds until its report is there."""
        path = self._catalog.notebook(exercise)
        original = self._catalog.notebook(exercise, "solutions").read_text(encoding="utf-8")

        def implementation() -> float:
            self._count += 1
            notebook = json.loads(original)
            notebook["metadata"]["saved"] = self._count
            text = json.dumps(notebook, indent=1)
            began = time.perf_counter()
            path.write_text(text, encoding="utf-8")
            said = self._until("after the save")
            taken = time.perf_counter() - began
            head = next(line for line in said if line.startswith(f"{exercise.slug}: "))
            assert "checks pass" in head and len({*head.split()[1:4:2]}) == 1, said
            return taken

        return implementation

    def close(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)

    def _until(self, text: str) -> list[str]:
        said = [self._lines.get(timeout=LIMIT)]
        while text not in said[-1]:
            said.append(self._lines.get(timeout=LIMIT))
        return said


def _record(seconds: dict[str, list[float]]) -> dict[str, Any]:
    return {
        "command": "python -m benchmarks.grader_latency --out book/data/grader_latency.json",
        "date": datetime.now(UTC).date().isoformat(),
        "machine": machine(),
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in ("torch", "tensorflow", "pytest", "watchfiles")},
        },
        "what": "a solved exercise with all its checks, from saved to graded; ways took turns",
        "exercises": EXERCISES,
        "rows": rows(seconds),
        "pytest_over_import": {name: _ratio(seconds, name) for name in EXERCISES},
    }


def _ratio(seconds: dict[str, list[float]], framework: str) -> float | None:
    """The median, over the rounds, of pytest without a waiting worker by the import alone."""
    try:
        pairs = zip(
            seconds[f"pytest, none waits, {framework}"],
            seconds[f"import {framework}"],
            strict=True,
        )
    except KeyError:
        return None
    return round(statistics.median(one / other for one, other in pairs), 2)


if __name__ == "__main__":
    main()
