"""`python course.py test`: the project's own tests, step by step, with one table at the end."""

from __future__ import annotations

import difflib
import os
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from halfbits.errors import CourseError
from halfbits.folders import find_root

PYTEST = [sys.executable, "-m", "pytest", "-q"]
# No learner's plugin options; a notebook's cells must share one kernel, hence one process.
NBVAL = [
    *(sys.executable, "-m", "pytest", "-q", "-o", "addopts=", "-p", "no:hypothesispytest"),
    *("-p", "no:anyio", "--nbval-lax", "--nbval-current-env", "--nbval-cell-timeout=300"),
    *("-n", "2", "--dist", "loadfile"),
]
# The notebooks that ask torch or torchao what this CPU has, and take another path for the answer.
ASK_THE_CPU = (
    "notebooks/cpu_and_gpu.ipynb",
    "notebooks/quantization_versus_amp.ipynb",
    "notebooks/quantize_a_model.ipynb",
)
LAYERS = "from importlinter.cli import lint_imports_command as lint; lint()"
STEPS: dict[str, list[list[str]]] = {
    "lint": [
        [sys.executable, "-m", "ruff", "check", "."],
        [sys.executable, "-m", "ruff", "format", "--check", "."],
        [sys.executable, "-m", "mypy"],
        [sys.executable, "-c", LAYERS, "--no-cache"],
    ],
    "unit": [[*PYTEST, "-n", "2", "--dist", "loadfile", "tests/unit"]],
    "contract": [[*PYTEST, "-n", "2", "tests/contract"]],
    "notebooks": [[*NBVAL, "notebooks", "solutions"]],
    "book": [[*PYTEST, "tests/book"]],
    "browser": [[*PYTEST, "-n", "2", "--dist", "loadfile", "tests/browser"]],
}
# What --thorough adds: more repetitions, and what a reader's other processor would do.
THOROUGH: dict[str, list[list[str]]] = {
    **{step: [[*STEPS[step][0], "--thorough"]] for step in ("unit", "contract")},
    "notebooks": [
        *STEPS["notebooks"],
        [sys.executable, "tests/processors.py", "avx2", *NBVAL, *ASK_THE_CPU],
        [sys.executable, "tests/processors.py", "vnni", *NBVAL, *ASK_THE_CPU],
    ],
}
NOTHING_COLLECTED = 5


@dataclass
class StepResult:
    """How one step ended: seconds, counts of passed, failed and skipped, and its skip reasons."""

    step: str
    seconds: float = 0.0
    counts: Counter[str] = field(default_factory=Counter)
    reasons: list[str] = field(default_factory=list)

    @property
    def result(self) -> str:
        if self.counts["failed"]:
            return "FAILED"
        return "passed" if self.counts["passed"] else "skipped" if self.reasons else "nothing ran"

    @property
    def is_good(self) -> bool:
        return self.result in ("passed", "skipped")


def run(only: list[str], thorough: bool = False) -> int:
    """Run the named steps, or all, in order; 0 when none of them failed.

    `thorough` runs what takes minutes more, as continuous integration does.
    """
    steps = [_step(name) for name in only] or list(STEPS)
    root = find_root()
    results = []
    with tempfile.TemporaryDirectory(prefix="halfbits-test-") as folder:
        for step in steps:
            print(f"== {step}", flush=True)
            results.append(run_step(step, root, Path(folder), thorough))
    print(table(results))
    return 0 if all(result.is_good for result in results) else 1


def run_step(step: str, root: Path, scratch: Path, thorough: bool = False) -> StepResult:
    """Run the commands of one step in `root`, keeping their files in `scratch`."""
    result, began = StepResult(step), time.monotonic()
    environment = {**os.environ, "HALFBITS_DATA": str(scratch / "data"), "PYTHONUTF8": "1"}
    # Threads that spin while they wait make a busy machine several times slower.
    environment.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    environment.setdefault("HALFBITS_SPARE", "0")  # no worker is to wait behind the tests
    environment["HALFBITS_BUILT_BOOK"] = str(scratch / "book")  # one build serves two steps
    commands = (STEPS | THOROUGH if thorough else STEPS)[step]
    for number, command in enumerate(commands):
        xml = scratch / f"{step}-{number}.xml"
        is_pytest = "pytest" in command
        arguments = [*command, f"--junitxml={xml}"] if is_pytest else command
        code = subprocess.run(arguments, cwd=root, env=environment, check=False).returncode
        if is_pytest:
            count(xml, code, result)
        else:
            result.counts["failed" if code else "passed"] += 1
    result.seconds = time.monotonic() - began
    return result


def count(xml: Path, code: int, result: StepResult) -> None:
    """Add what a JUnit file says; a run that failed without a failing test counts as one."""
    counts = Counter[str]()
    if xml.is_file():
        for case in ElementTree.parse(xml).iter("testcase"):
            counts[_of(case)] += 1
            result.reasons += [skip.get("message", "") for skip in case.iter("skipped")]
    if code and not counts["failed"] and code != NOTHING_COLLECTED:
        counts["failed"] += 1
    result.counts += counts


def table(results: list[StepResult]) -> str:
    """Step, result and seconds; the reasons of skips; last the sum of the counts."""
    rows = [f"{o.step:<12}{o.result:<13}{o.seconds:>7.1f} s" for o in results]
    skips = [
        f"skipped in {o.step}: {reason}" for o in results for reason in dict.fromkeys(o.reasons)
    ]
    total = sum((o.counts for o in results), Counter[str]())
    last = ", ".join(f"{total[kind]} {kind}" for kind in ("passed", "failed", "skipped"))
    return "\n".join(["", *rows, *skips, last])


def _of(case: ElementTree.Element) -> str:
    if case.find("failure") is not None or case.find("error") is not None:
        return "failed"
    return "skipped" if case.find("skipped") is not None else "passed"


def _step(name: str) -> str:
    if name in STEPS:
        return name
    near = difflib.get_close_matches(name, STEPS, n=1)
    guess = f"; did you mean {near[0]}?" if near else f"; the steps are {', '.join(STEPS)}."
    raise CourseError(f"There is no test step {name!r}{guess}")
