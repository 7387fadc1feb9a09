"""Where the course lies on this machine, and where a person's own files go."""

from __future__ import annotations

import os
from pathlib import Path

from halfbits.errors import CourseError

CATALOG = Path("exercises") / "course.toml"


def find_root(start: Path | None = None) -> Path:
    """The course's folder: $HALFBITS_ROOT, else the nearest one above `start` or this package."""
    named = os.environ.get("HALFBITS_ROOT")
    starts = [Path(named)] if named else [start or Path.cwd(), Path(__file__).parent]
    for begin in starts:
        for folder in (begin.resolve(), *begin.resolve().parents):
            if (folder / CATALOG).is_file():
                return folder
    raise CourseError(
        f"No course found above {starts[0]}: "
        f"run this inside the folder that holds {CATALOG.as_posix()}."
    )


def data_folder() -> Path:
    """$HALFBITS_DATA, else the platform's data folder of this user; made if it is missing."""
    named = os.environ.get("HALFBITS_DATA")
    if named:
        folder = Path(named)
    else:
        from platformdirs import user_data_dir

        folder = Path(user_data_dir("halfbits", appauthor=False))
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CourseError(
            f"{folder} cannot be made ({error.strerror}): set HALFBITS_DATA to a folder of yours."
        ) from error
    return folder
