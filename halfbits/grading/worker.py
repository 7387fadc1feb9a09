"""The child process that runs one answer and its checks, then ends; started by its keeper.

It imports the frameworks named on its command line and says "ready". Then it waits for one job,
a JSON line on its standard input, and sends events as JSON lines over a private copy of its
standard output. A job ends with the event "done"; a stream that ends without it means that the
answer ended the process.
"""

from __future__ import annotations

import contextlib
import faulthandler
import gc
import importlib
import importlib.util
import json
import os
import sys
import tempfile
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

from halfbits.catalog import CourseError, find_root
from halfbits.grading.forks import serve
from halfbits.grading.notebook import Cell
from halfbits.grading.sandbox import confine, leave_network, open_scratch
from halfbits.grading.shell import Shell
from halfbits.grading.state import State
from halfbits.grading.verdict import judge
from halfbits.grading.warmup import warm_up

MESSAGE = 4000
ORPHANED = 5.0  # seconds past the limit; a parent that still lives has ended us by then
MIB = 1 << 20
LIMITS = {"RLIMIT_CORE": 0, "RLIMIT_FSIZE": 64 * MIB, "RLIMIT_DATA": 4096 * MIB}

Say = Callable[..., None]


def main(words: list[str]) -> None:
    """Preload, say "ready", grade one job.

    With --fork any number of jobs, each in a child of its own; with --warm, which is for workers
    that have time, run the frameworks' first operations before being ready.
    """
    forking, preload = "--fork" in words, [word for word in words if not word.startswith("--")]
    sys.dont_write_bytecode = True
    # Before any import that starts a thread. A class's answers may be hostile to each other.
    confined = confine(_hidden()) if forking else False
    if not forking:
        leave_network()
    channel = os.dup(1)
    os.dup2(2, 1)  # what anything prints goes to the parent's bounded capture
    say = _speaker(channel, "")
    try:
        for name in ("pytest", "halfbits.grading.expect", *preload):
            importlib.import_module(name)
    except BaseException as error:
        say(event="broken", message=f"{type(error).__name__}: {error}")
        return
    if "--warm" in words:
        warm_up()
    # What is imported stays: collecting it again would cost a check that collects 0.1 s, and
    # a forked child copies of all those pages.
    gc.freeze()
    say(event="ready")
    if forking:

        def grade(job: dict[str, Any]) -> None:
            if confined:
                open_scratch(job["scratch"])
            _grade(job, _speaker(channel, job["nonce"]))

        serve(say, grade)
    elif line := sys.stdin.readline():
        job = json.loads(line)
        _grade(job, _speaker(channel, job["nonce"]))


def _hidden() -> list[Path]:
    """Where a course keeps its answers."""
    try:
        root = find_root()
    except CourseError:
        return []
    return [root / "solutions", root / "tests"]


def _grade(job: dict[str, Any], say: Say) -> None:
    faulthandler.dump_traceback_later(job["limit"] + ORPHANED, exit=True)
    _enclose(job["scratch"])
    checks_path = Path(job["checks"])
    checks = _load(checks_path)
    functions = [(name, getattr(checks, name)) for name in job["names"]]
    # After the scratch directory, so a sibling file can be imported but never hides a package.
    sys.path.append(job["folder"])
    state, shell = State(), Shell(job["name"])
    try:
        _run_cells(job["cells"], shell, state, say)
        for name, function in functions:
            say(event="running", what=name)
            state.seed(job["seed"])
            kind, message = judge(function, shell, job["seed"], checks_path)
            if kind == "passed" and (changed := state.changes()):
                kind, message = "failed", _left_changed(changed)
            state.restore()
            say(event="verdict", name=name, kind=kind, message=message[:MESSAGE])
    except SystemExit as error:
        code = "" if error.code is None else repr(error.code)
        say(event="exit", message=f"called sys.exit({code})")
        return
    say(event="done")


def _run_cells(cells: list[dict[str, Any]], shell: Shell, state: State, say: Say) -> None:
    for raw in cells:
        cell = Cell(raw["place"], raw["source"])
        say(event="running", what=shell.label(cell))
        shell.run(cell)
    state.restore()
    for note in dict.fromkeys(shell.notes):
        say(event="note", message=note[:MESSAGE])
    for broken in shell.broken[:5]:
        say(event="broken cell", message=broken[:MESSAGE])


def _left_changed(changes: list[str]) -> str:
    return (
        f"   called: the functions of this check\n expected: global state as it was\n"
        f"      got: {'; '.join(changes)}\n"
        f"      why: everything that runs afterwards would silently compute something else"
    )


def _enclose(scratch: str) -> None:
    os.environ.update(dict.fromkeys(("TMPDIR", "TEMP", "TMP"), scratch))
    tempfile.tempdir = None
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115, PTH123
    os.chdir(scratch)
    with contextlib.suppress(ImportError):
        import resource

        for name, limit in LIMITS.items():
            with contextlib.suppress(AttributeError, ValueError, OSError):
                resource.setrlimit(getattr(resource, name), (limit, limit))


def _load(path: Path) -> types.ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _speaker(channel: int, nonce: str) -> Say:
    write, dumps = os.write, json.dumps

    def say(**event: Any) -> None:
        data = (dumps({"nonce": nonce, **event}) + "\n").encode()
        while data:
            data = data[write(channel, data) :]

    return say


if __name__ == "__main__":
    main(sys.argv[1:])
    sys.stdout.flush()
    # Threads that an answer left behind must not keep the process alive.
    os._exit(0)
