"""A language model as a folder for onnxruntime-genai: an ONNX graph, its weights, a tokenizer.

The package's own builder makes the graph from a folder of Hugging Face. Codes travel as GPTQ's
layout, which the builder puts into MatMulNBits nodes as they are.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

from halfbits.checkpoints.files import CheckpointError
from halfbits.checkpoints.folder_export import must_be_new, write_folder
from halfbits.models.language_model import LanguageModel
from halfbits.models.surgery import stored

ACCURACY = {"float32": 1, "int8": 4}  # accuracy_level of MatMulNBits
BUILDER = "onnxruntime_genai.models.builder"


def write_onnx(folder: Path, language_model: LanguageModel, activations: str = "int8") -> None:
    """Write the model into a new or empty `folder`: 4- or 8-bit codes, or float32 without codes.

    `activations` of products with codes are "int8", in blocks, as the builder has it, or "float32".
    The head stays in float32, and so do embedding and norms.

    Raises CheckpointError where onnxruntime-genai is missing, and for what `write_folder` refuses.
    """
    if find_spec("onnxruntime_genai") is None:
        raise CheckpointError(
            "onnxruntime-genai is not installed: run `pip install onnxruntime-genai`."
        )
    must_be_new(folder)
    kept = "nodes_to_exclude=/lm_head/MatMul,/model/embed_tokens/Gather"
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch) / "source"
        write_folder(source, language_model, "gptq")
        precision = "int4" if stored(language_model.model) else "fp32"
        build(source, folder, precision, [f"accuracy_level={ACCURACY[activations]}", kept])


def build(source: Path, folder: Path, precision: str, options: list[str]) -> None:
    """Let the package's builder make `folder` from the folder `source`, on the CPU.

    Raises CheckpointError with the builder's last line where it fails.
    """
    # A process of its own: the builder sets options of torch and transformers for good.
    with tempfile.TemporaryDirectory() as cache:
        words = ["-i", source, "-o", folder, "-p", precision, "-e", "cpu", "-c", cache]
        more = ["--extra_options", *options] if options else []
        done = subprocess.run(
            [sys.executable, "-m", BUILDER, *map(str, words), *more],
            capture_output=True,
            text=True,
        )
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["it said nothing"]
        raise CheckpointError(f"the builder of onnxruntime-genai failed: {last[0]}")


def operators(folder: Path) -> Counter[str]:
    """How often each operator stands in the folder's graph: MatMulNBits are products of codes."""
    import onnx

    graph = onnx.load(folder / "model.onnx", load_external_data=False).graph
    return Counter(node.op_type for node in graph.node)
