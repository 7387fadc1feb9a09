"""`python course.py watch`: grades each notebook as it is saved and shows where you are."""

from __future__ import annotations

import contextlib
import sys
import time
from types import TracebackType
from typing import Protocol

from rich.console import Console
from rich.live import Live

from halfbits.course.catalog import Catalog, Exercise, load_catalog
from halfbits.course.grading.report import as_text
from halfbits.course.grading.watch.screen import Screen, age_of
from halfbits.course.grading.watch.session import TimedReport, WatchSession
from halfbits.course.progress.progress import next_exercise, read_progress
from halfbits.course.terminal.keys import Keys

TICK = 0.25  # seconds between two looks at the window's size and the file's age


class Reader(Protocol):
    """Where keys come from."""

    def __enter__(self) -> Reader: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...
    def read(self, timeout: float) -> str:
        """One key, or "" when none was pressed in time."""


class NoKeys(contextlib.AbstractContextManager["NoKeys", None]):
    """Standard input is no terminal: nobody presses keys."""

    def __exit__(self, *error: object) -> None: ...

    def read(self, timeout: float) -> str:
        time.sleep(timeout)
        return ""


def run(name: str | None) -> int:
    """Watch until q or Ctrl-C. Without a terminal, or on a dumb one, print plain reports."""
    catalog = load_catalog()
    session = WatchSession(catalog, catalog.find(name) if name else first_shown(catalog))
    console = Console(highlight=False)
    try:
        if sys.stdout.isatty() and not console.is_dumb_terminal:
            live(session, console)
        else:
            plain(session)
    except KeyboardInterrupt:
        pass
    finally:
        session.close()
    return 0


def first_shown(catalog: Catalog) -> Exercise:
    """The exercise to take next, else the first one."""
    return next_exercise(catalog, read_progress()) or catalog.exercises[0]


def live(session: WatchSession, console: Console) -> None:
    """A screen of its own; what was on the terminal is back afterwards."""
    keys: Reader = Keys() if sys.stdin.isatty() else NoKeys()
    screen = Screen(session, has_keys=isinstance(keys, Keys))
    with keys, Live(screen, console=console, screen=True, auto_refresh=False) as shown:
        session.changed = shown.refresh
        session.start()
        before: object = None
        while (key := keys.read(TICK)) != "q":
            act(session, key)
            if session.error is not None:
                raise session.error
            now = (console.size, age_of(session, session.shown), session.shown)
            if now != before:
                shown.refresh()
            before = now


def act(session: WatchSession, key: str) -> None:
    """Do what a key asks for."""
    if key in ("n", "p"):
        session.move(1 if key == "n" else -1)
    elif key == "h":
        session.open_next_hint()
    elif key == "r":
        session.grade_again()


def plain(session: WatchSession) -> None:
    """Print each report as it comes, without control codes."""
    print(f"Watching {session.folder}: save a notebook to grade it. Ctrl-C ends it.", flush=True)
    session.arrived = tell
    session.start()
    while session.error is None:
        time.sleep(TICK)
    raise session.error


def tell(graded: TimedReport) -> None:
    """One report as text."""
    print(f"\n{as_text(graded.report)}\ngraded {graded.seconds:.2f} s after the save", flush=True)
