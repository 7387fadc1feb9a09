"""JSON files in the user's data folder: replaced whole, one writer at a time, never thrown away."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from halfbits.folders import data_folder


def folder(name: str = "") -> Path:
    """A folder inside the data folder, made if it is missing."""
    path = data_folder() / name
    path.mkdir(parents=True, exist_ok=True)
    return path


def read(path: Path) -> dict[str, Any] | None:
    """The object in the file; None without a file. One that cannot be read is moved aside."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict):
            raise ValueError("expected an object")
    except FileNotFoundError:
        return None
    except ValueError:
        set_aside(path)
        return None
    return content


def stamp() -> str:
    """Now, fit for a file name."""
    return datetime.now().strftime("%Y-%m-%d-%H%M%S-%f")[:-3]


def set_aside(path: Path) -> Path:
    """Rename a file that is not ours and say so in one sentence."""
    aside = path.with_name(f"{path.stem}-unreadable-{stamp()}{path.suffix}")
    path.replace(aside)
    print(f"halfbits: {path.name} could not be read; it was kept as {aside}", file=sys.stderr)
    return aside


def write(path: Path, content: dict[str, Any]) -> None:
    """Replace the file: whoever reads it sees the old content or the new, also after a crash."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        with fresh.open("w", encoding="utf-8") as file:
            json.dump(content, file, indent=1, sort_keys=True, ensure_ascii=False)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keep other processes from writing the file until the block ends."""
    from filelock import FileLock

    with FileLock(path.with_name(f".{path.name}.lock")):
        yield
