"""For all tests: children begin with the system's signals, and no worker waits behind them."""

from __future__ import annotations

import contextlib
import os
import signal
import threading

with contextlib.suppress(ImportError):
    # First, since some test imports TensorFlow: loaded after that, Triton ends the process.
    import triton  # noqa: F401

os.environ.setdefault("HALFBITS_SPARE", "0")


def ignore_without_handing_down(number: signal.Signals) -> None:
    """Go on ignoring a signal that whoever started the tests ignores, but by a handler.

    A child inherits that a signal is ignored (`nohup`, `&` in a script), and a test that sends
    it would wait for ever; handlers are not inherited.
    """
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, lambda *_: None)


if threading.current_thread() is threading.main_thread():
    for name in ("SIGINT", "SIGHUP", "SIGQUIT", "SIGTERM"):
        if hasattr(signal, name):  # Windows has SIGINT and SIGTERM alone
            ignore_without_handing_down(getattr(signal, name))
