"""The fields of a config.json: nested text models, absent and null values, other names."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from halfbits.errors import CourseError

NESTED = ("text_config", "llm_config", "language_config")
SIZE = re.compile(r"_size|_dim|_rank|_heads|_layers|_width|experts|^n_|num_|expand|kernel|d_state")
# Sizes of what holds no weights, or said again by other fields.
# fmt: off
HARMLESS = frozenset((
    "intermediate_size_mlp", "n_shared_experts", "num_shared_experts", "attention_chunk_size",
    "chunk_size", "chunk_size_feed_forward",
    "encoder_no_repeat_ngram_size", "ep_size", "expand", "head_dim", "index_topk",
    "initial_context_length", "intermediate_size", "mamba_chunk_size", "mamba_expand",
    "max_window_layers",
    "moe_layer_freq", "mtp_num_hidden_layers", "mtp_transformer_layers", "n_group",
    "no_repeat_ngram_size", "num_beam_groups", "num_beams", "num_expert_group",
    "num_key_value_heads", "num_kv_heads", "num_logits_to_keep", "num_mtp_modules",
    "num_nextn_predict_layers", "num_return_sequences", "qk_head_dim", "rotary_dim",
    "sliding_window_size", "time_step_rank", "topk_group",
))
# fmt: on


class ConfigError(CourseError):
    """A config that lacks what has to be known, or that has no formula here."""


class Fields:
    """Whole numbers and flags of one language model's config, by any of their names."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        nested: Mapping[str, Any] = next(
            (config[name] for name in NESTED if isinstance(config.get(name), dict)), {}
        )
        self._fields = {**config, **{k: v for k, v in nested.items() if v is not None}}
        self._asked: set[str] = set()
        self.kind = str(self._fields.get("model_type") or "")

    def get(self, *names: str, default: Any = None) -> Any:
        """The first of the names that is there and not null."""
        self._asked.update(names)
        found = (self._fields.get(name) for name in names)
        return next((value for value in found if value is not None), default)

    def unread(self) -> list[str]:
        """Fields that look like sizes of weights and that nobody has asked for."""
        return sorted(
            name
            for name, value in self._fields.items()
            if SIZE.search(name) and name not in self._asked | HARMLESS
            if isinstance(value, int) and not isinstance(value, bool) and value > 0
        )

    def flag(self, name: str, default: bool = False) -> bool:
        """A field that is on or off."""
        return bool(self.get(name, default=default))

    def number(self, *names: str, default: int | None = None) -> int:
        """A whole number, not negative, in the unit of its field.

        Raises ConfigError when it is neither there nor known.
        """
        value = self.get(*names, default=default)
        if value is None:
            named = " or ".join(names)
            raise ConfigError(f"the config has no {named}; nothing is guessed: add it.")
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise ConfigError(f"{names[0]} is {value!r} in the config; a whole number is needed.")
        return value

    @property
    def hidden(self) -> int:
        """Elements of a token's state."""
        return self.number("hidden_size", "n_embd", "d_model")

    @property
    def layers(self) -> int:
        """Layers of the model, those that predict further tokens left out."""
        blocks = self.get("layers_block_type")
        return self.number(
            "num_hidden_layers", "n_layer", "num_layers", default=len(blocks) if blocks else None
        )

    @property
    def heads(self) -> int:
        """Heads of the queries."""
        return self.number("num_attention_heads", "n_head")

    @property
    def kv_heads(self) -> int:
        """Heads of keys and values; as many as of queries where the config has no field for it."""
        if self.kind == "falcon" and not self.flag("new_decoder_architecture"):
            # The field counts query heads there, whatever multi_query says.
            return 1 if self.flag("multi_query", True) else self.heads
        return self.number("num_key_value_heads", "num_kv_heads", default=self.heads)

    @property
    def head_dim(self) -> int:
        """Elements of a head; its own field where there is one: it need not be hidden / heads."""
        return self.number("head_dim", "attention_head_dim", default=self.hidden // self.heads)

    @property
    def vocab(self) -> int:
        """Tokens of the vocabulary: rows of the embedding."""
        return self.number("vocab_size")

    def per_layer(self, name: str) -> list[str] | None:
        """A list with one word for each layer, or None. Raises ConfigError for another length."""
        words = self.get(name)
        if words is None:
            return None
        if len(words) != self.layers:
            raise ConfigError(f"{name} has {len(words)} entries for {self.layers} layers.")
        return list(words)


def read_config(path: Path) -> dict[str, Any]:
    """The mapping in a config.json, or in the one of a folder. Raises ConfigError."""
    file = path / "config.json" if path.is_dir() else path
    try:
        config = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise ConfigError(f"{file} is no JSON: {error}.") from error
    if not isinstance(config, dict):
        raise ConfigError(f"{file} holds a {type(config).__name__}; a config.json is an object.")
    return config
