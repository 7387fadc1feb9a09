"""How the grader starts its own processes: the command line, the environment, the group."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

from halfbits.course.fingerprint import LIBRARY

SUPERVISOR = "halfbits.course.grading.process.supervisor"
WORKER = "halfbits.course.grading.process.worker"
ENVIRONMENT = {
    "CUDA_VISIBLE_DEVICES": "-1",
    "HALFBITS_GRADING": "1",
    "MPLBACKEND": "Agg",
    "PYTHONBREAKPOINT": "0",
    "PYTHONIOENCODING": "utf-8:backslashreplace",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}
# They would change what a check means (-O drops asserts) or leave files behind, or they only
# tell one terminal from another.
DROPPED = (
    *("PYTHONOPTIMIZE", "PYTHONWARNINGS", "PYTHONINSPECT", "PYTHONSTARTUP", "PYTHONSAFEPATH"),
    *("PYTHONUTF8", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"),
)


def module_command(module: str, *arguments: str) -> list[str]:
    """The command that runs a module in UTF-8, with no folder added to its path (-P)."""
    return [sys.executable, "-P", "-X", "utf8", "-m", module, *arguments]


def worker_environment() -> dict[str, str]:
    """This process's environment without what would change a check."""
    kept = {key: value for key, value in os.environ.items() if key not in DROPPED}
    package = str(LIBRARY.parent)
    given = kept.get("PYTHONPATH", "").split(os.pathsep)
    paths = [package, *(path for path in given if path and path != package)]
    return kept | ENVIRONMENT | {"PYTHONPATH": os.pathsep.join(paths)}


def own_group() -> dict[str, Any]:
    """Options of Popen that give the child a group of its own, so that it can be ended whole."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}


def detached() -> dict[str, Any]:
    """Options of Popen for a child that outlives this process and its terminal."""
    if sys.platform == "win32":
        both = subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP
        return {"creationflags": both}
    return {"start_new_session": True}
