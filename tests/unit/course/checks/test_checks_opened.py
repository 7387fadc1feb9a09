"""Files that are opened are noticed, however that is done."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from halfbits.course.checks.opened import SMALL, WATCH, stamp, unwatched

WAYS = {
    "Path.read_bytes": lambda path: path.read_bytes(),
    "os.open": lambda path: os.close(os.open(path, os.O_RDONLY)),
    "numpy.fromfile": lambda path: np.fromfile(path, np.uint8),
    "numpy.memmap": lambda path: np.memmap(path, np.uint8, "r"),
    "safetensors.torch": load_file,
    "safetensors": lambda path: safe_open(str(path), framework="pt").keys(),
}


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "weights.safetensors"
    save_file({"w": torch.zeros(SMALL)}, path)
    return path


@pytest.mark.parametrize("way", WAYS)
def test_reading_is_noticed(way: str, weights: Path, tmp_path: Path) -> None:
    mark = len(WATCH.opened)
    time.sleep(0.02)  # longer than a tick of the file system's clock
    began = stamp()
    WAYS[way](weights)
    assert WATCH.since(mark, began, tmp_path / "its own") == [str(weights)]
    assert WATCH.since(mark, began, tmp_path) == []


def test_small_files_code_and_what_is_new_do_not_count(weights: Path, tmp_path: Path) -> None:
    mark = len(WATCH.opened)
    Path(__file__).read_bytes()
    (tmp_path / "small").write_bytes(b"x")
    time.sleep(0.02)
    began = stamp()
    (tmp_path / "small").read_bytes()
    assert WATCH.since(mark, began, tmp_path / "its own") == []
    with unwatched():
        weights.read_bytes()
    assert WATCH.since(mark, began, tmp_path / "its own") == []


def test_file_written_since_is_new_however_soon_that_was(tmp_path: Path) -> None:
    for number in range(50):
        mark, began, new = len(WATCH.opened), stamp(), tmp_path / f"{number}"
        new.write_bytes(bytes(2 * SMALL))
        new.read_bytes()
        assert WATCH.since(mark, began, tmp_path / "its own") == []
