"""The files beside an answer: which of them changed while it was graded, in one sentence.

In a class an answer finds all files read-only. A learner's own is not kept from anything that the
learner may do, so that what it did to other files is said.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from pathlib import Path

CLUTTER = {"__pycache__", ".ipynb_checkpoints", ".pytest_cache"}
NAMED = 5


class Bystanders:
    """Every file below `trees`, and those directly in `folder`, as they are now."""

    def __init__(self, trees: tuple[Path, ...], folder: Path | None) -> None:
        self._trees, self._folder = trees, folder
        self._before = self._now()

    def changed(self) -> str:
        """What was changed, added or removed since; empty if nothing was."""
        before, now = self._before, self._now()
        names = sorted(
            f"{path.parent.name}/{path.name} was {_what(path, before, now)}"
            for path in before.keys() | now.keys()
            if before.get(path) != now.get(path)
        )
        if not names:
            return ""
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        return (
            f"while it was graded, {', '.join(names[:NAMED])}{more}: if you did not save it, the "
            "answer did; `git diff` shows what is different."
        )

    def _now(self) -> dict[Path, tuple[int, ...]]:
        """Times of content and entry, and size: an answer can set the first back alone."""
        found: dict[Path, tuple[int, ...]] = {}
        for path in self._files():
            try:
                status = path.stat()
            except OSError:
                continue
            found[path] = (status.st_mtime_ns, status.st_ctime_ns, status.st_size)
        return found

    def _files(self) -> Iterator[Path]:
        for tree in self._trees:
            yield from (path for path in tree.rglob("*") if _counts(path))
        if self._folder is not None and self._folder.is_dir():
            yield from (path for path in self._folder.iterdir() if _counts(path))


def _counts(path: Path) -> bool:
    return CLUTTER.isdisjoint(path.parts) and path.is_file()


def _what(path: Path, before: Container[Path], now: Container[Path]) -> str:
    if path not in before:
        return "added"
    return "changed" if path in now else "removed"
