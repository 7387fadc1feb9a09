"""Which answers were saved and are not graded yet, told by the operating system."""

from __future__ import annotations

import contextlib
import hashlib
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from halfbits.course.catalog import Catalog, Exercise

STEP, DEBOUNCE = 20, 50  # milliseconds: one save ends when STEP brings nothing new
FRESH = 2.0  # an older time of the file is not that of this save: it was copied or checked out


class Saves:
    """The exercises saved since they were taken, each once; the latest is taken first."""

    def __init__(self) -> None:
        self._waiting: dict[str, tuple[Exercise, float]] = {}
        self._changed = threading.Condition()
        self._closed = False

    def put(self, exercise: Exercise, moment: float) -> None:
        """Add a save made at `moment` (as time.time); an earlier one of it is forgotten."""
        with self._changed:
            self._waiting.pop(exercise.key, None)
            self._waiting[exercise.key] = (exercise, moment)
            self._changed.notify()

    def take(self) -> tuple[Exercise, float] | None:
        """Wait for the latest save; None once closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            return None if self._closed else self._waiting.popitem()[1]

    def close(self) -> None:
        """End the waiting in `take`, which then returns None."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()


def follow(
    catalog: Catalog,
    folder: Path,
    saved: Callable[[Exercise, float], None],
    stop: threading.Event,
) -> None:
    """Call `saved` with the exercise and the moment of each save under `folder`, until `stop`."""
    from watchfiles import watch

    folder = folder.resolve()

    def is_answer(change: object, path: str) -> bool:
        return exercise_of(catalog, folder, path) is not None

    def look(polling: bool | None) -> None:
        for changes in watch(
            folder,
            watch_filter=is_answer,
            debounce=DEBOUNCE,
            step=STEP,
            stop_event=stop,
            raise_interrupt=False,
            force_polling=polling,
        ):
            for exercise, path in _newest_last(catalog, folder, (path for _, path in changes)):
                saved(exercise, moment_of(path))

    try:
        look(None)
    except OSError:  # the system gives no more watches, or has none for this drive
        look(True)


def exercise_of(catalog: Catalog, folder: Path, path: str) -> Exercise | None:
    """Whose answer the file at `path` is; None for checks, checkpoints and temporary files."""
    file = Path(path)
    if file.suffix not in (".ipynb", ".py") or file.parent.parent != folder:
        return None
    return catalog.by_key.get(f"{file.parent.name}/{file.stem}")


def moment_of(path: Path) -> float:
    """When the file was written, or now if the file's own time cannot be that."""
    now = time.time()
    with contextlib.suppress(OSError):
        written = path.stat().st_mtime
        if 0 <= now - written < FRESH:
            return written
    return now


def digest(path: Path) -> str:
    """A hash of the file's bytes; "" when it cannot be read."""
    with contextlib.suppress(OSError):
        return hashlib.sha256(path.read_bytes()).hexdigest()
    return ""


def _newest_last(
    catalog: Catalog, folder: Path, paths: Iterable[str]
) -> list[tuple[Exercise, Path]]:
    """What still exists of `paths`, each exercise once."""
    found: dict[str, tuple[Exercise, Path]] = {}
    for path in sorted(filter(Path.is_file, map(Path, paths)), key=moment_of):
        if exercise := exercise_of(catalog, folder, str(path)):
            found.pop(exercise.key, None)
            found[exercise.key] = (exercise, path)
    return list(found.values())
