"""Packs the committed subset of Fashion-MNIST from the official idx files.

Run it as `python -m benchmarks.pack_fashion_mnist FOLDER`, where FOLDER holds the four
official `*-ubyte.gz` files (on Debian, the package dataset-fashion-mnist installs them).
With the same zlib the output is the same byte for byte, so the printed hashes can be compared.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import sys
import zipfile
from pathlib import Path

import numpy as np

TARGET = Path(__file__).parents[1] / "halfbits" / "models" / "fashion_mnist"
PER_CLASS = 600
IMAGE_HEADER, LABEL_HEADER = 16, 8


def read_split(folder: Path, stem: str) -> tuple[np.ndarray, np.ndarray]:
    """The images uint8 [n, 28, 28] and labels uint8 [n] of one official split."""
    images = gzip.decompress((folder / f"{stem}-images-idx3-ubyte.gz").read_bytes())
    labels = gzip.decompress((folder / f"{stem}-labels-idx1-ubyte.gz").read_bytes())
    pixels = np.frombuffer(images, np.uint8)[IMAGE_HEADER:].reshape(-1, 28, 28)
    return pixels, np.frombuffer(labels, np.uint8)[LABEL_HEADER:]


def first_of_each_class(labels: np.ndarray, count: int) -> np.ndarray:
    """Sorted positions of the first `count` examples of every class."""
    chosen = [np.flatnonzero(labels == label)[:count] for label in range(10)]
    return np.sort(np.concatenate(chosen))


def row_differences(images: np.ndarray) -> np.ndarray:
    """Each row minus the row above it, modulo 256: which deflates better."""
    return np.diff(images, axis=1, prepend=np.zeros_like(images[:, :1]))


def write_npz(path: Path, **arrays: np.ndarray) -> str:
    """Write `arrays` as an .npz file at the highest deflate level; return its SHA-256."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in arrays.items():
            # A fixed date keeps the file the same on every run.
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            stream = io.BytesIO()
            np.lib.format.write_array(stream, array, allow_pickle=False)
            archive.writestr(entry, stream.getvalue(), compresslevel=9)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main(folder: Path) -> None:
    """Write test.npz (official) and train.npz (balanced); print their hashes."""
    train_images, train_labels = read_split(folder, "train")
    kept = first_of_each_class(train_labels, PER_CLASS)
    splits = {
        "train": (train_images[kept], train_labels[kept]),
        "test": read_split(folder, "t10k"),
    }
    for split, (images, labels) in splits.items():
        path = TARGET / f"{split}.npz"
        digest = write_npz(path, rows=row_differences(images), labels=labels)
        print(f"{split}: {len(labels)} images, {path.stat().st_size} bytes, {digest}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m benchmarks.pack_fashion_mnist FOLDER_WITH_THE_IDX_FILES")
    main(Path(sys.argv[1]))
