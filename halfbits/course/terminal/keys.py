"""Single keys from a terminal, without Enter and with a time limit, on every system."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections import deque
from types import FrameType, TracebackType
from typing import Any

from halfbits.errors import CourseError

ENTER, ESCAPE = "\n", "\x1b"


class Keys:
    """Reads keys while the `with` block runs; the terminal is as before afterwards.

    Ctrl-C raises KeyboardInterrupt. A terminal that is closed (SIGHUP) and SIGTERM raise
    SystemExit, so that `finally` blocks can save.
    """

    def __init__(self) -> None:
        self._waiting: deque[str] = deque()
        self._restore: list[tuple[Any, Any]] = []
        self._terminal: Any = None

    def __enter__(self) -> Keys:
        if not sys.stdin.isatty() or not sys.stdout.isatty():
            raise CourseError("This needs a terminal: run it without a pipe or a redirection.")
        for name in ("SIGHUP", "SIGTERM"):
            if number := getattr(signal, name, None):
                self._restore.append((number, signal.signal(number, _end)))
        if os.name != "nt":
            import termios

            self._terminal = termios.tcgetattr(sys.stdin)
            _read_single_keys()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._terminal is not None:
            import contextlib
            import termios

            with contextlib.suppress(OSError, termios.error):  # the terminal may be gone
                termios.tcsetattr(sys.stdin, termios.TCSADRAIN, self._terminal)
        for number, handler in self._restore:
            signal.signal(number, handler)

    def read(self, timeout: float) -> str:
        """One key in lower case; "" when none was pressed in time."""
        if not self._waiting:
            self._waiting.extend(_wait_windows(timeout) if os.name == "nt" else _wait(timeout))
        return self._waiting.popleft() if self._waiting else ""


def _read_single_keys() -> None:
    import termios
    import tty

    tty.setcbreak(sys.stdin)
    mode = termios.tcgetattr(sys.stdin)
    # Otherwise Ctrl-C empties the output after the signal: what is said of it can be lost.
    mode[3] |= termios.NOFLSH
    termios.tcsetattr(sys.stdin, termios.TCSANOW, mode)


def _end(number: int, frame: FrameType | None) -> None:
    signal.signal(number, signal.SIG_IGN)  # a second one must not cut the saving short
    raise SystemExit(128 + number)


def _wait(timeout: float) -> str:
    import select

    ready, _, _ = select.select([sys.stdin], [], [], timeout)
    if not ready:
        return ""
    try:
        pressed = os.read(sys.stdin.fileno(), 64).decode(errors="ignore").lower()
    except OSError as error:
        raise SystemExit(1) from error
    if not pressed or "\x04" in pressed:
        raise SystemExit(0 if pressed else 1)
    if pressed.startswith(ESCAPE):  # an arrow or another key of several signs
        return ""
    return pressed.replace("\r", ENTER)


def _wait_windows(timeout: float) -> str:
    import msvcrt

    give_up = time.monotonic() + timeout
    while time.monotonic() < give_up:
        if msvcrt.kbhit():  # type: ignore[attr-defined]
            return _pressed_windows(msvcrt.getwch)  # type: ignore[attr-defined]
        time.sleep(0.03)
    return ""


def _pressed_windows(getwch: Any) -> str:
    pressed = str(getwch())
    if pressed in ("\x00", "\xe0"):  # the second half of an arrow key follows
        getwch()
        return ""
    if pressed == "\x03":
        raise KeyboardInterrupt
    if pressed in ("\x04", "\x1a"):
        raise SystemExit(0)
    return pressed.lower().replace("\r", ENTER)
