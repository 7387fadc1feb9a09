"""A checkpoint as `halfbits.perf` counts models: its config, and the bits of each part."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from halfbits.checkpoints.files import Checkpoint, CheckpointError, StoredTensor
from halfbits.perf.architecture.schemes import KEPT, Scheme
from halfbits.perf.architecture.sizes import PARTS

# The field of a config, and the key of a GGUF file behind the name of its architecture.
KEYS = {
    "hidden_size": "embedding_length",
    "num_hidden_layers": "block_count",
    "intermediate_size": "feed_forward_length",
    "num_attention_heads": "attention.head_count",
    "num_key_value_heads": "attention.head_count_kv",
    "head_dim": "attention.key_length",
    "num_experts": "expert_count",
    "num_experts_per_tok": "expert_used_count",
    "moe_intermediate_size": "expert_feed_forward_length",
    "sliding_window": "attention.sliding_window",
    "n_shared_experts": "expert_shared_count",
    "first_k_dense_replace": "leading_dense_block_count",
    "q_lora_rank": "attention.q_lora_rank",
    "kv_lora_rank": "attention.kv_lora_rank",
}
ARCHITECTURES = {
    **{name: name for name in ("llama", "qwen2", "qwen3", "phi3", "gemma2", "olmo2")},
    **{"qwen3moe": "qwen3_moe", "gemma3": "gemma3_text", "gpt-oss": "gpt_oss"},
    **{"minimax-m2": "minimax_m2", "deepseek2": "deepseek_v2"},
}
PATTERNS = (  # names in GGUF files and in safetensors, the first that matches counts
    ("experts", r"_exps\.|\.experts\."),
    ("shared experts", r"_shexp\.|shared_expert"),
    ("router", r"ffn_gate_inp|\.gate\.weight|\.router\."),
    ("norms and biases", r"norm|\.bias$"),
    ("head", r"^output\.|lm_head"),
    ("embedding", r"token_embd|embed_tokens"),
    ("attention", r"attn|attention"),
    ("dense", r"ffn_|\.mlp\.|feed_forward"),
)


def config_of_gguf(checkpoint: Checkpoint) -> dict[str, Any]:
    """A config with the fields of Hugging Face, from a GGUF file's metadata.

    Raises CheckpointError for an architecture whose fields are not known here.
    """
    kind = checkpoint.metadata.get("general.architecture")
    if kind not in ARCHITECTURES:
        known = ", ".join(ARCHITECTURES)
        raise CheckpointError(f"GGUF architecture {kind!r} is not read here; {known} are.")
    config = {name: checkpoint.metadata.get(f"{kind}.{key}") for name, key in KEYS.items()}
    names = {tensor.name for tensor in checkpoint.tensors}
    table = next((t for t in checkpoint.tensors if t.name == "token_embd.weight"), None)
    if table is None:
        raise CheckpointError("the GGUF file has no token_embd.weight: it is no language model.")
    said = {
        "model_type": ARCHITECTURES[kind],
        "vocab_size": table.shape[0],
        "tie_word_embeddings": "output.weight" not in names,
    }
    return config | said | (_latent(checkpoint, names) if config["kv_lora_rank"] else {})


def _latent(checkpoint: Checkpoint, names: set[str]) -> dict[str, Any]:
    """The widths of latent attention: newer files state those of the plain heads as `_mla`, older
    ones as the only widths; and whether the router has a bias, as DeepSeek-V3's."""

    def width(key: str) -> Any:
        known = (checkpoint.metadata.get(f"deepseek2.{key}{end}") for end in ("_mla", ""))
        return next((value for value in known if value is not None), None)

    rope, key = (
        checkpoint.metadata.get("deepseek2.rope.dimension_count"),
        width("attention.key_length"),
    )
    if rope is None or key is None:
        raise CheckpointError("the GGUF file states no width of its latent attention's keys.")
    has_bias = any("exp_probs_b" in name for name in names)
    return {
        "model_type": "deepseek_v3" if has_bias else "deepseek_v2",
        "head_dim": None,
        "qk_rope_head_dim": rope,
        "qk_nope_head_dim": key - rope,
        "v_head_dim": width("attention.value_length"),
    }


def scheme_of_checkpoint(checkpoint: Checkpoint) -> Scheme:
    """The true bits of each part as the file has it; 16 for a part that it has not, and for a
    head that is the embedding those of the embedding."""
    nbytes, count = Counter[str](), Counter[str]()
    for tensor in checkpoint.tensors:
        part = part_of(tensor)
        nbytes[part] += tensor.nbytes
        count[part] += tensor.numel
    bits = {part: 8 * nbytes[part] / count[part] if count[part] else KEPT for part in PARTS}
    if not count["head"]:
        bits["head"] = bits["embedding"]
    return Scheme("as stored", bits)


def part_of(tensor: StoredTensor) -> str:
    """The part of a model that a tensor belongs to, by its name."""
    found = (part for part, pattern in PATTERNS if re.search(pattern, tensor.name))
    return next(found, "norms and biases")
