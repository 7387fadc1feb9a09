"""A quantized language model as the file of another program, by the name of the form."""

from __future__ import annotations

from pathlib import Path

from halfbits.checkpoints.files import CheckpointError
from halfbits.models.language_model import LanguageModel

# Form -> what reads it.
FORMS = {
    "compressed-tensors": "transformers, vLLM",
    "gptq": "vLLM, the builder of onnxruntime-genai",
    "gguf": "llama.cpp",
    "onnx": "onnxruntime-genai",
}
WEIGHTS = (".safetensors", ".gguf", ".onnx", ".data")


def export(language_model: LanguageModel, form: str, to: Path, kind: str = "F16") -> Path:
    """Write the model in `form` below the folder `to`, and return what an engine opens.

    A GGUF file is `to`/model.gguf, with `kind` for matrices without codes; the others are folders.
    Raises CheckpointError for an unknown form, files that are there, and codes that do not fit it.
    """
    if form not in FORMS:
        raise CheckpointError(f"forms of a file are {', '.join(FORMS)}, not {form!r}.")
    if form == "gguf":
        from halfbits.checkpoints.gguf_export import write_gguf

        path = to / "model.gguf"
        if path.exists():
            raise CheckpointError(f"{path} is there already: name a new folder.")
        to.mkdir(parents=True, exist_ok=True)
        write_gguf(path, language_model, kind)
        return path
    if form == "onnx":
        from halfbits.checkpoints.onnx_export import write_onnx

        write_onnx(to, language_model)
    else:
        from halfbits.checkpoints.folder_export import write_folder

        write_folder(to, language_model, form)
    return to


def bytes_of(path: Path) -> int:
    """True bytes of the weights: the file, or the folder without config and tokenizer."""
    files = path.iterdir() if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.suffix in WEIGHTS)
