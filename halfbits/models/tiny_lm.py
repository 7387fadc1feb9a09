"""The tiny language model of the repository (Python source code) and the texts to judge it on."""

from __future__ import annotations

import json
from pathlib import Path

from tokenizers import Tokenizer

from halfbits.models.checkpoint import load_weights, read_checked
from halfbits.models.language_model import LanguageModel
from halfbits.models.llama import Llama, LlamaConfig

FOLDER = Path(__file__).parent / "tiny_lm"
END, END_ID = "<|endoftext|>", 0
TEXTS = {
    "heldout": "Python source never trained on, documents divided by END",
    "austen": "English prose: chapters of Persuasion",
    "python_docs": "technical English: how-to guides of the Python documentation",
}


def load_tiny_lm(folder: Path = FOLDER) -> LanguageModel:
    """The model in eval mode, float32, with its tokenizer.

    CourseError names a file that is missing, truncated or altered, and its expected SHA-256.
    """
    config = LlamaConfig.from_table(json.loads(read_checked(folder, "config.json")))
    weights = {k.removeprefix("model."): v for k, v in load_weights(folder).items()}
    tokenizer = Tokenizer.from_buffer(read_checked(folder, "tokenizer.json"))
    model = Llama.from_weights(config, weights)
    return LanguageModel(model, tokenizer, END_ID)


def load_text(name: str, folder: Path = FOLDER) -> str:
    """One of TEXTS: "heldout", "austen" or "python_docs"."""
    if name not in TEXTS:
        raise ValueError(f"there is no text {name!r}; the texts are {', '.join(TEXTS)}")
    return read_checked(folder, f"{name}.txt").decode("utf-8")
