"""llama.cpp, through the package cyllama: a GGUF file on the CPU.

Keys and values are kept in float16, as llama.cpp does it when nothing else is said.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from halfbits.engines.engine import Engine, MissingEngineError, need
from halfbits.errors import CourseError

INSTALL = 'pip install "cyllama==0.2.18"'


class LlamaCpp(Engine):
    """The model of a GGUF file that `halfbits.checkpoints.gguf_export` or anybody else wrote."""

    name, package = "llama.cpp", "cyllama"

    def __init__(self, path: Path, threads: int = 1, context: int = 512) -> None:
        need("cyllama", INSTALL)
        try:
            from cyllama.llama import llama_cpp
        except ImportError as error:
            raise MissingEngineError(
                f"cyllama cannot be loaded here ({error}); see {INSTALL}."
            ) from error
        llama_cpp.disable_logging()
        self._lib = llama_cpp
        model = type("Model", (llama_cpp.LlamaModel,), {"n_vocab": property(_vocabulary)})
        try:
            self._model = model(str(path), llama_cpp.LlamaModelParams())
        except (ValueError, RuntimeError) as error:
            raise CourseError(f"llama.cpp does not load {path}: {error}.") from error
        params = llama_cpp.LlamaContextParams()
        params.n_ctx, params.n_batch, params.n_ubatch = context + 1, context + 1, context + 1
        params.n_threads = params.n_threads_batch = threads
        self._context = llama_cpp.LlamaContext(self._model, params)

    def logits(self, ids: Tensor) -> Tensor:
        """As `Engine.logits`."""
        self._context.kv_cache_clear()
        self._decode(ids.tolist(), 0, all_logits=True)
        rows = [np.array(self._context.get_logits_ith(i), np.float32) for i in range(len(ids))]
        return torch.from_numpy(np.stack(rows))

    def greedy(self, ids: Tensor, count: int) -> list[int]:
        """As `Engine.greedy`."""
        self._context.kv_cache_clear()
        new: list[int] = []
        place, tokens = 0, ids.tolist()
        for _ in range(count):
            self._decode(tokens, place, all_logits=False)
            place += len(tokens)
            tokens = [int(np.argmax(self._context.get_logits_ith(len(tokens) - 1)))]
            new += tokens
        return new

    def what_ran(self) -> str:
        """llama.cpp's description of the model, and the version of its library of products."""
        return f"{self._model.desc}, ggml {self._lib.ggml_version()}"

    def close(self) -> None:
        """As `Engine.close`."""
        self._context.close()
        self._model.close()

    def _decode(self, tokens: list[int], place: int, all_logits: bool) -> None:
        batch = self._lib.LlamaBatch(n_tokens=len(tokens), embd=0, n_seq_max=1)
        for i, token in enumerate(tokens):
            batch.add(token, place + i, [0], all_logits or i == len(tokens) - 1)
        self._context.decode(batch)
        batch.close()


def _vocabulary(model) -> int:  # type: ignore[no-untyped-def]
    return int(model.get_vocab().n_vocab)
