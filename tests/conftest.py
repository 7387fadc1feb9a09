"""For all tests: children begin with the system's signals, and no worker waits behind them.

`--thorough` repeats the tests of random inputs ten times as often, and runs those marked thorough;
continuous integration asks for it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading

import pytest

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


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--thorough", action="store_true", help="also what takes minutes; CI asks")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "thorough: runs with --thorough alone; the reason beside it")
    if config.getoption("--thorough"):
        os.environ["HALFBITS_THOROUGH"] = "1"  # for what a test starts, or reads as it is imported


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--thorough"):
        left = [item for item in items if item.get_closest_marker("thorough")]
        items[:] = [item for item in items if not item.get_closest_marker("thorough")]
        config.hook.pytest_deselected(items=left)


@pytest.fixture(scope="session")
def times(request: pytest.FixtureRequest) -> int:
    """How often a test of random inputs repeats: 10 with --thorough, else 1."""
    return 10 if request.config.getoption("--thorough") else 1


if threading.current_thread() is threading.main_thread():
    for name in ("SIGINT", "SIGHUP", "SIGQUIT", "SIGTERM"):
        if hasattr(signal, name):  # Windows has SIGINT and SIGTERM alone
            ignore_without_handing_down(getattr(signal, name))
