"""The terminal's mode while single keys are read."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from processes import LIMIT

CHILD = """
import sys, termios
from halfbits.course.terminal.keys import Keys
def flushes():
    return not termios.tcgetattr(sys.stdin)[3] & termios.NOFLSH
before = flushes()
with Keys():
    within = flushes()
print(before, within, flushes())
"""


def test_ctrl_c_does_not_throw_away_what_the_program_says_next() -> None:
    """By default the terminal empties its output after it sent SIGINT, and the answer with it."""
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    child = subprocess.Popen([sys.executable, "-c", CHILD], stdin=theirs, stdout=theirs)
    assert child.wait(LIMIT) == 0
    said = os.read(ours, 4096).decode().split()
    os.close(ours)
    os.close(theirs)
    assert said == ["True", "False", "True"]
