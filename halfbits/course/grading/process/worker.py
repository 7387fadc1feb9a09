"""The child process that runs one answer and its checks, then ends; started by its supervisor.

It imports the frameworks named on its command line and says "ready". Then it waits for one job,
a JSON line on its standard input, and sends events as JSON lines over a private copy of its
standard output. A job ends with the event "done"; a stream that ends without it means that the
answer ended the process.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from halfbits.course.grading.process.fork_pool import serve
from halfbits.course.grading.process.sandbox import (
    confine,
    give_up_rights,
    leave_network,
    open_scratch,
    show_only,
)
from halfbits.course.grading.process.warmup import warm_up
from halfbits.errors import CourseError
from halfbits.folders import find_root

Say = Callable[..., None]
# All check files on PyTorch need these; what is not loaded need not be watched by guard.py.
KIT = ("calls", "cases", "expect", "tolerance")
NOTHING = contextlib.nullcontext()
# Only some tasks need them: where they are not installed, the others are judged all the same.
DISPENSABLE = {"tensorflow", "keras"}
COMPLETE = "`python course.py start` completes the environment"


def main(arguments: list[str]) -> None:
    """Preload, say "ready", grade one job.

    With --fork any number of jobs, each in a child of its own; with --warm, which is for workers
    that have time, run the frameworks' first operations before being ready.
    """
    forking, warm = "--fork" in arguments, "--warm" in arguments
    preload = [argument for argument in arguments if not argument.startswith("--")]
    sys.dont_write_bytecode = True
    # Before numpy or a framework is imported: they start threads, and then it is too late. The
    # answers of a class may be hostile to each other.
    confined = confine(_hidden()) if forking else False
    if not forking:
        leave_network()
    channel = os.dup(1)
    os.dup2(2, 1)  # what anything prints goes to the parent's bounded capture
    say = _speaker(channel, "")
    try:
        _import([*preload, *_common(preload)] if forking or warm else preload)
    except BaseException as error:
        say(event="broken", message=f"{type(error).__name__}: {error}; {COMPLETE}")
        return
    if warm:
        warm_up()
    # What is imported stays: collecting it again would cost a check that collects 0.1 s, and
    # a forked child copies of all those pages.
    gc.freeze()
    say(event="ready")
    if forking:
        serve(say, lambda job: _grade(job, channel, confined))
    elif line := sys.stdin.readline():
        _grade(json.loads(line), channel)


def _import(modules: list[str]) -> None:
    for name in ("pytest", "halfbits.course.grading.judge.job", *modules):
        with contextlib.suppress(ModuleNotFoundError) if name in DISPENSABLE else NOTHING:
            importlib.import_module(name)


def _common(preload: list[str]) -> list[str]:
    """What a worker that has time imports for all: for magics, and of the kit for every check."""
    kit = [f"halfbits.course.checks.{name}" for name in KIT if "torch" in preload]
    return ["IPython.core.inputtransformer2", *kit]


def _grade(job: dict[str, Any], channel: int, confined: bool = False) -> None:
    from halfbits.course.grading.judge.job import run

    if confined:
        open_scratch(job["scratch"])
        own = Path(job["folder"]) if job["own_folder"] else None
        show_only(own, map(Path, job["shared"]))
        give_up_rights()
    run(job, _speaker(channel, job["nonce"]))


def _hidden() -> list[Path]:
    """Where a course keeps its answers."""
    try:
        root = find_root()
    except CourseError:
        return []
    return [root / "solutions", root / "tests"]


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
