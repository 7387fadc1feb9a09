"""Runs a printed listing as it stands: in its own process, with the network off."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHILD = """
import json, socket, sys, warnings
from pathlib import Path

def refuse(*_, **__):
    raise OSError("the network is off in this run")

socket.getaddrinfo = socket.socket.connect = refuse
seen, space, error = [], {"__name__": "__main__"}, None
warnings.showwarning = lambda text, kind, *_, **__: seen.append(f"{kind.__name__}: {text}")
try:
    for part in ("before.py", "listing.py", "after.py"):
        exec(compile(Path(part).read_text(encoding="utf-8"), part, "exec"), space)
except BaseException as raised:
    error = f"{type(raised).__name__}: {raised}"
outcome = {"error": error, "warnings": seen, "result": space.get("result")}
Path("outcome.json").write_text(json.dumps(outcome), encoding="utf-8")
"""


@dataclass(frozen=True)
class Outcome:
    """What a listing did: its exception as "Type: text" or None, its warnings, what it printed."""

    error: str | None
    warnings: tuple[str, ...]
    printed: str
    result: Any

    def warned(self, words: str) -> bool:
        return any(words in warning for warning in self.warnings)


def run_listing(code: str, *, before: str = "", after: str = "", timeout: float = 120) -> Outcome:
    """Run `before`, `code` and `after` in one namespace of a fresh interpreter in an empty folder.

    The network is off, also where there is one, and Keras finds no cached data set. `after` may
    set `result`, which must fit into JSON. Raises RuntimeError if the process dies, and
    subprocess.TimeoutExpired after `timeout` seconds.
    """
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        for name, text in {"before": before, "listing": code, "after": after}.items():
            (scratch / f"{name}.py").write_text(text, encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-c", CHILD],
            cwd=scratch,
            env=child_environment(scratch),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=timeout,
        )
        report = scratch / "outcome.json"
        if not report.is_file():
            raise RuntimeError(f"the listing's process died with status {done.returncode}")
        found = json.loads(report.read_text(encoding="utf-8"))
    return Outcome(
        without_path(found["error"]), tuple(found["warnings"]), done.stdout, found["result"]
    )


def without_path(error: str | None) -> str | None:
    """Drop the file name that Python appends to an ImportError: it differs between machines."""
    return error and re.sub(r" \([^()]*[/\\][^()]*\)$", "", error)


def child_environment(home: Path) -> dict[str, str]:
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "", "PYTHONUTF8": "1"}
    return {**os.environ, **quiet, "KERAS_HOME": str(home / "keras")}
