"""Where mock interviews are kept: the one under way, and the reports of all that ended."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from halfbits.course.progress import store
from halfbits.course.progress.store import stamp
from halfbits.errors import CourseError


def current() -> Path:
    """The file of the interview under way."""
    return store.folder() / "mock.json"


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """One interview at a time. Raises CourseError while another window has one."""
    from filelock import FileLock, Timeout

    lock = FileLock(store.folder() / ".mock.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise CourseError("A mock interview is open in another window; end it there.") from error
    try:
        yield
    finally:
        lock.release()


def read_current() -> dict[str, Any] | None:
    """The state of the interview under way, if there is one."""
    return store.read(current())


def save_current(state: dict[str, Any]) -> None:
    store.write(current(), state)


def put_away(state: dict[str, Any]) -> Path:
    """Keep an interview that is given up before its end."""
    path = store.folder("mocks") / f"unfinished-{stamp()}.json"
    store.write(path, state)
    current().unlink(missing_ok=True)
    return path


def keep_report(report: dict[str, Any]) -> Path:
    """Keep a report under the moment its interview began, then forget its state."""
    path = store.folder("mocks") / f"report-{_file_name(report['began'])}.json"
    store.write(path, report)
    current().unlink(missing_ok=True)
    return path


def reports() -> list[dict[str, Any]]:
    """All reports, oldest first."""
    paths = sorted(store.folder("mocks").glob("report-*.json"))
    found = [content for path in paths if (content := store.read(path)) is not None]
    return sorted(found, key=lambda report: str(report["began"]))


def _file_name(moment: str) -> str:
    return "".join(letter if letter.isalnum() or letter == "-" else "-" for letter in moment[:19])
