"""Checked loading of the files that ship with the package: each is compared with its SHA-256."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

from halfbits.errors import CourseError

if TYPE_CHECKING:
    from torch import Tensor

CHECKSUMS = "checksums.json"


def expected_hashes(folder: Path) -> dict[str, str]:
    """File name -> SHA-256, as recorded when the artifact was made."""
    path = folder / CHECKSUMS
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise CourseError(f"{path} cannot be read ({error}); restore it with git.") from error


def read_checked(folder: Path, name: str) -> bytes:
    """The bytes of `folder/name`; CourseError names the file and the hash it should have."""
    wanted = expected_hashes(folder).get(name, "unknown")
    path = folder / name
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CourseError(
            f"{path} is missing (expected SHA-256 {wanted}); restore it with git."
        ) from error
    found = hashlib.sha256(data).hexdigest()
    if found != wanted:
        raise CourseError(
            f"{path} is truncated or altered: expected SHA-256 {wanted}, found {found} "
            f"in {len(data):,} bytes; restore it with git."
        )
    return data


def load_weights(folder: Path) -> dict[str, Tensor]:
    """All tensors of a sharded safetensors checkpoint, every shard checked."""
    from safetensors.torch import load

    index = json.loads(read_checked(folder, "model.safetensors.index.json"))
    weights: dict[str, Tensor] = {}
    for shard in sorted(set(index["weight_map"].values())):
        weights |= load(read_checked(folder, shard))
    return weights


def write_checksums(folder: Path) -> None:
    """Record the SHA-256 of every file of `folder`; authors run it when the artifact is made."""
    files = sorted(p for p in folder.iterdir() if p.is_file() and p.name != CHECKSUMS)
    sums = {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in files}
    (folder / CHECKSUMS).write_text(json.dumps(sums, indent=1) + "\n", encoding="utf-8")
