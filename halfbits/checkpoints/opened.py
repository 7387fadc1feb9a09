"""The checkpoint at a path, by what the path is."""

from __future__ import annotations

from pathlib import Path

from halfbits.checkpoints.files import Checkpoint, CheckpointError

ENDINGS = (".safetensors", ".gguf")


def open_checkpoint(path: Path) -> Checkpoint:
    """A safetensors file, a folder of them, or a GGUF file. Raises CheckpointError for others."""
    if path.is_dir():
        files = sorted(path.glob("*.safetensors"))
        if not files:
            raise CheckpointError(f"{path} holds no .safetensors file; name a .gguf file itself.")
        return _safetensors(files)
    if not path.exists():
        raise CheckpointError(f"there is no file {path}.")
    with path.open("rb") as file:
        if file.read(4) == b"GGUF":
            from halfbits.checkpoints.gguf_file import GGUFFile

            return GGUFFile(path)
    if path.suffix == ".safetensors":
        return _safetensors([path])
    raise CheckpointError(f"{path} is neither a GGUF file nor one that ends with .safetensors.")


def _safetensors(files: list[Path]) -> Checkpoint:
    from halfbits.checkpoints.safetensors_folder import SafetensorsFolder

    return SafetensorsFolder(files)
