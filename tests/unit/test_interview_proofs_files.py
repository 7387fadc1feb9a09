"""What the interview bank says of the files that hold a model: pickles and safetensors."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file


class Runs:
    """Unpickling it touches a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.path,)


def test_loading_a_pickled_checkpoint_runs_its_code_and_the_safe_loader_refuses(
    tmp_path: Path,
) -> None:
    file, touched = tmp_path / "model.pt", tmp_path / "touched"
    torch.save({"weight": torch.zeros(2), "extra": Runs(touched)}, file)
    with pytest.raises(pickle.UnpicklingError):
        torch.load(file, weights_only=True)
    assert not touched.exists()
    torch.load(file, weights_only=False)
    assert touched.exists()


def test_a_safetensors_file_is_a_length_a_json_header_and_raw_bytes(tmp_path: Path) -> None:
    file, w = tmp_path / "model.safetensors", torch.arange(12.0).view(3, 4)
    save_file({"w": w}, file, metadata={"note": "text only"})
    data = file.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    assert header["__metadata__"] == {"note": "text only"}
    assert header["w"]["dtype"] == "F32" and header["w"]["shape"] == [3, 4]
    start, end = header["w"]["data_offsets"]
    assert data[8 + length + start : 8 + length + end] == w.numpy().tobytes()
    with safe_open(file, "pt") as opened:
        assert torch.equal(opened.get_slice("w")[1:2], w[1:2])  # a part, without the rest


def test_a_safetensors_header_holds_only_text_beside_the_tensors(tmp_path: Path) -> None:
    with pytest.raises((TypeError, ValueError)):
        save_file({"w": torch.zeros(2)}, tmp_path / "x.safetensors", metadata={"layers": 32})  # type: ignore[dict-item]
