"""The engines by name: what each opens, and which file of an export it takes."""

from __future__ import annotations

from pathlib import Path

from halfbits.engines.engine import Engine
from halfbits.errors import CourseError

# Name -> the form of `halfbits.checkpoints.exports` that it reads.
ENGINES = {"transformers": "compressed-tensors", "onnxruntime": "onnx", "llama.cpp": "gguf"}


def open_engine(name: str, path: Path) -> Engine:
    """The engine `name` with the model at `path`, on one thread.

    Raises MissingEngineError where its package is missing, CourseError for another name.
    """
    match name:
        case "transformers":
            from halfbits.engines.hugging_face import HuggingFace

            return HuggingFace(path)
        case "onnxruntime":
            from halfbits.engines.onnx_genai import OnnxGenai

            return OnnxGenai(path)
        case "llama.cpp":
            from halfbits.engines.llama_cpp import LlamaCpp

            return LlamaCpp(path)
    raise CourseError(f"there is no engine {name!r}; the engines are {', '.join(ENGINES)}.")
