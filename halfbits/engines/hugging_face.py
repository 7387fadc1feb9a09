"""transformers: a folder of safetensors, on the CPU in float32."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import torch
from torch import Tensor

from halfbits.engines.engine import Engine, need
from halfbits.engines.own import kinds_of_layers
from halfbits.errors import CourseError


class HuggingFace(Engine):
    """The model of a folder that `halfbits.checkpoints.folder_export` or anybody else wrote."""

    name, package = "transformers", "transformers"

    def __init__(self, folder: Path) -> None:
        need("transformers", "pip install transformers")
        need("compressed-tensors", "pip install compressed-tensors")
        if not (folder / "config.json").is_file():
            raise CourseError(f"{folder} is no folder of a model: there is no config.json in it.")
        from transformers import AutoModelForCausalLM, logging

        logging.disable_progress_bar()
        with contextlib.redirect_stderr(io.StringIO()):  # bars of the packages for compressed codes
            model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
        self._model = model.eval()

    @torch.no_grad()
    def logits(self, ids: Tensor) -> Tensor:
        """As `Engine.logits`."""
        return self._model(ids[None], use_cache=False).logits[0].float()

    @torch.no_grad()
    def greedy(self, ids: Tensor, count: int) -> list[int]:
        """As `Engine.greedy`: `generate` without sampling, an end token does not stop it."""
        out = self._model.generate(
            ids[None],
            attention_mask=torch.ones_like(ids)[None],
            max_new_tokens=count,
            min_new_tokens=count,
            do_sample=False,
            pad_token_id=0,
        )
        return out[0, len(ids) :].tolist()

    def what_ran(self) -> str:
        """The kinds of layers after loading, and the type that they multiply in."""
        return kinds_of_layers(self._model)
