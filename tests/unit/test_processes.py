"""The tests' own processes: whoever started the tests, a child of theirs can be interrupted."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from processes import is_running, left_since

CONFTEST = Path(__file__).resolve().parents[1] / "conftest.py"
ASKS = "import signal; print(int(signal.getsignal(signal.{name}) == signal.SIG_IGN))"


@pytest.mark.skipif(
    sys.platform == "win32", reason="Windows starts no process with ignored signals"
)
@pytest.mark.parametrize("name", ["SIGINT", "SIGHUP"])
def test_ignored_signal_is_not_handed_down_to_a_child_of_the_tests(name: str) -> None:
    child = f"subprocess.run([sys.executable, '-c', {ASKS.format(name=name)!r}], check=True)"
    tests = (
        f"import runpy, signal, subprocess, sys\nsignal.signal(signal.{name}, signal.SIG_IGN)\n"
        f"{child}\nrunpy.run_path({str(CONFTEST)!r})\n{child}\n"
        f"signal.raise_signal(signal.{name})\nprint('goes on')"
    )
    done = subprocess.run([sys.executable, "-c", tests], capture_output=True, encoding="utf-8")
    assert done.stdout.split("\n")[:-1] == ["1", "0", "goes on"], done.stderr


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs /proc")
def test_process_that_a_test_leaves_is_found_until_it_has_ended() -> None:
    before = left_since(set())
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    assert left_since(before) == {child.pid}
    child.send_signal(getattr(signal, "SIGKILL", signal.SIGTERM))
    child.wait()
    assert not is_running(child.pid)
    assert left_since(before) == set()
