"""onnxruntime-genai: ONNX Runtime with a cache and a loop over tokens around it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from halfbits.checkpoints.onnx_export import operators
from halfbits.engines.engine import Engine, need
from halfbits.errors import CourseError


class OnnxGenai(Engine):
    """The model of a folder that `halfbits.checkpoints.onnx_export` or the builder wrote."""

    name, package = "onnxruntime", "onnxruntime-genai"

    def __init__(self, folder: Path, threads: int = 1) -> None:
        need("onnxruntime-genai", "pip install onnxruntime-genai")
        if not (folder / "genai_config.json").is_file():
            raise CourseError(f"{folder} holds no model: there is no genai_config.json in it.")
        import onnxruntime_genai as genai

        self._genai, self._folder = genai, folder
        config = genai.Config(str(folder))
        options = {"intra_op_num_threads": threads}
        config.overlay(json.dumps({"model": {"decoder": {"session_options": options}}}))
        self._model = genai.Model(config)

    def logits(self, ids: Tensor) -> Tensor:
        """As `Engine.logits`."""
        generator = self._begin(ids, len(ids))
        return torch.from_numpy(np.array(generator.get_output("logits"), np.float32))[0]

    def greedy(self, ids: Tensor, count: int) -> list[int]:
        """As `Engine.greedy`."""
        generator = self._begin(ids, len(ids) + count)
        for _ in range(count):
            generator.generate_next_token()
        return [int(token) for token in generator.get_sequence(0)[len(ids) :]]

    def what_ran(self) -> str:
        """The operators of the graph that multiply matrices."""
        counted = operators(self._folder)
        return ", ".join(f"{n} {kind}" for kind, n in counted.items() if "MatMul" in kind)

    def close(self) -> None:
        """As `Engine.close`."""
        del self._model

    def _begin(self, ids: Tensor, length: int):  # type: ignore[no-untyped-def]
        params = self._genai.GeneratorParams(self._model)
        params.set_search_options(max_length=length, min_length=length, do_sample=False)
        generator = self._genai.Generator(self._model, params)
        generator.append_tokens(ids.to(torch.int32).numpy())
        return generator
