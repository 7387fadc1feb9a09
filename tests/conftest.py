"""For all tests: no worker is left waiting behind them, but by the tests that are about that."""

from __future__ import annotations

import os

os.environ.setdefault("HALFBITS_SPARE", "0")
