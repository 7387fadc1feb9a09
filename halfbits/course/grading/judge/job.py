"""One job of a worker: run an answer's cells, then its checks, and say how each ended."""

from __future__ import annotations

import contextlib
import faulthandler
import importlib.util
import os
import sys
import tempfile
import time
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

from halfbits.course.checks import check_named, context
from halfbits.course.checks.failure import Failure
from halfbits.course.grading.judge.guard import PUT_BACK, take_guard
from halfbits.course.grading.judge.shell import Shell
from halfbits.course.grading.judge.state import State
from halfbits.course.grading.judge.time_limit import at_most, remaining
from halfbits.course.grading.judge.verdict import judge
from halfbits.course.notebook import Cell

MESSAGE = 4000
CELLS = 0.75  # of the time are for the cells; what slow ones leave is for the checks
ORPHANED = 5.0  # seconds past the limit; a parent that still lives has ended us by then
MIB = 1 << 20
LIMITS = {"RLIMIT_CORE": 0, "RLIMIT_FSIZE": 64 * MIB, "RLIMIT_DATA": 4096 * MIB}

Say = Callable[..., None]


def run(job: dict[str, Any], say: Say) -> None:
    """Grade `job`; every event goes to `say`, the last is "done" unless the answer ended us."""
    faulthandler.dump_traceback_later(job["limit"] + ORPHANED, exit=True)
    end = time.monotonic() + job["limit"]
    _enclose(job["scratch"])
    checks_path = Path(job["checks"])
    checks = load_checks(checks_path)
    functions = [(name, check_named(checks, name)) for name in job["names"]]
    # After the scratch directory, so a sibling file can be imported but never hides a package.
    sys.path.append(job["folder"])
    # Before the shell gives __main__ to the answer, which may name its own things as it likes.
    state, put_back = State(), take_guard(checks)
    shell = Shell(job["name"], Path(job["folder"]) if job["script"] else None)
    shell.put_back = put_back
    # Bound before the answer runs, so that replacing them here changes nothing.
    judge_it, note_changes, now = judge, state.changes, context.NOW
    seed_it, restore, left_changes, replaced_judges = state.seed, state.restore, _left, _replaced
    try:
        _run_cells(job, shell, state, say)
        if replaced := [*shell.replaced, *put_back()]:
            say(event="note", message=f"{PUT_BACK}: {', '.join(replaced[:5])}")
        for name, function in functions:
            say(event="running", what=name)
            seed_it(job["seed"])
            with at_most(remaining(end)):
                kind, said = judge_it(function, shell, job["seed"], checks_path)
            changed = note_changes()
            restore()
            if replaced := put_back():
                kind, said = "failed", replaced_judges(replaced)
            elif kind == "passed" and changed:
                kind, said = "failed", left_changes(changed)
            if now.score:
                say(event="score", values=now.score)
            say(event="verdict", name=name, kind=kind, explanation=_fit_for_json(said))
    except SystemExit as error:
        code = "" if error.code is None else repr(error.code)
        say(event="exit", message=f"called sys.exit({code})")
        return
    say(event="done")


def _run_cells(job: dict[str, Any], shell: Shell, state: State, say: Say) -> None:
    end = time.monotonic() + CELLS * job["limit"]
    for raw in job["cells"]:
        cell = Cell(raw["place"], raw["source"])
        say(event="running", what=shell.label(cell))
        shell.run(cell, remaining(end))
    state.restore()
    for note in dict.fromkeys(shell.notes):
        say(event="note", message=note[:MESSAGE])
    for broken in shell.broken[:5]:
        say(event="broken cell", message=broken[:MESSAGE])


def _replaced(names: list[str]) -> Failure:
    return Failure(
        "the functions of this check",
        "what compares the results as it was",
        f"the answer replaced {', '.join(names[:5])}",
        "a check that the answer can change says nothing about the answer",
    )


def _left(changes: list[str]) -> Failure:
    return Failure(
        "the functions of this check",
        "global state as it was",
        "; ".join(changes),
        "everything that runs afterwards would silently compute something else",
    )


def _fit_for_json(said: Failure | str) -> dict[str, str] | str:
    """A failure by its fields, another explanation as text; neither longer than MESSAGE."""
    if isinstance(said, Failure):
        return said.shortened(MESSAGE // len(said))._asdict()
    return said[:MESSAGE]


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


def load_checks(path: Path) -> types.ModuleType:
    """A check file as a module of its own."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module  # what is defined in it can be pickled
    spec.loader.exec_module(module)
    return module
