"""The image classifier of the course and its real data: a committed part of Fashion-MNIST."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import TYPE_CHECKING

from halfbits.errors import CourseError

if TYPE_CHECKING:
    from torch import Tensor, nn

CLASS_NAMES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)

_FOLDER = Path(__file__).parent
_SPLITS = {
    "train": (
        "fashion_mnist/train.npz",
        "2bdb2dbb93d7985edbdcf4c33a850ab7494470047f09fb6f1c05db8f5bcfaef0",
    ),
    "test": (
        "fashion_mnist/test.npz",
        "5e3dd656075211302872aa7fa2a57a27d89a654c39bb4a9265aadaf1925d18fc",
    ),
}
_MLP = (
    "image_mlp/model.safetensors",
    "8ac90c3daf55222911e791ea03e2f04a4c5bb8caa023edd48eaff0a22a4b068c",
)


def load_fashion_mnist(split: str) -> tuple[Tensor, Tensor]:
    """The images and labels of one split, in the official order.

    `split` is "train" (6,000 images, 600 of each class) or "test" (the official 10,000).
    Returns images float32 [n, 784] in [0, 1] and labels int64 [n] in 0..9; see CLASS_NAMES.
    Raises CourseError for an unknown split and for a missing or altered file.
    """
    import numpy as np
    import torch

    if split not in _SPLITS:
        raise CourseError(f'There is no split called {split!r}; use "train" or "test".')
    with np.load(io.BytesIO(_read(*_SPLITS[split]))) as packed:
        pixels = np.cumsum(packed["rows"], axis=1, dtype=np.uint8)
        labels = packed["labels"].astype(np.int64)
    images = pixels.reshape(len(pixels), 784).astype(np.float32) / np.float32(255)
    return torch.from_numpy(images), torch.from_numpy(labels)


def build_image_mlp() -> nn.Sequential:
    """An untrained 784-256-10 classifier: Linear, ReLU, Linear; its output is the raw logits."""
    from torch import nn

    return nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 10))


def load_image_mlp() -> nn.Sequential:
    """The trained 784-256-10 classifier: float32, in eval mode, logits [n, 10] out.

    Its training record is book/data/image_mlp.json.
    Raises CourseError for a missing or altered file.
    """
    from safetensors.torch import load

    model = build_image_mlp()
    model.load_state_dict(load(_read(*_MLP)))
    return model.eval()


def _read(name: str, sha256: str) -> bytes:
    """The bytes of a packaged file, proven to be the published ones by their SHA-256."""
    path = _FOLDER / name
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CourseError(
            f"{path} cannot be read ({error.strerror}); a file with SHA-256 {sha256} is expected "
            "there: restore it with git or install halfbits again."
        ) from error
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise CourseError(
            f"{path} is not the published file: expected SHA-256 {sha256}, got {found} "
            f"({len(content)} bytes); restore it with git or install halfbits again."
        )
    return content
