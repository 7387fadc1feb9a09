"""When the questions changed last, the same on every computer that has the same commit."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path


def changed(folder: Path) -> int:
    """Seconds since 1970: $SOURCE_DATE_EPOCH, else the last commit to `folder`.

    Where git cannot tell, or files were edited since, it is the time of the newest file.
    """
    if named := os.environ.get("SOURCE_DATE_EPOCH"):
        return int(named)
    committed = git(folder, "log", "-1", "--format=%ct", "--", ".")
    if committed.isdecimal() and git(folder, "status", "--porcelain", "--", ".") == "":
        return int(committed)
    return max((int(path.stat().st_mtime) for path in folder.iterdir()), default=0)


def git(folder: Path, *words: str) -> str:
    """What git prints about `folder`; "unknown" if it cannot be asked."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *words], capture_output=True, encoding="utf-8", check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return done.stdout.strip()
