"""What the fields of a config do not say but its `model_type` does."""

from __future__ import annotations

from dataclasses import dataclass, field

from halfbits.perf.architecture.fields import ConfigError, Fields


@dataclass(frozen=True)
class Family:
    """`norms` of hidden width in a layer with both halves; `tied` is the default of the config's
    class for `tie_word_embeddings`; `traits` name what the attention has beside its matrices."""

    norms: int = 2
    tied: bool = False
    traits: frozenset[str] = field(default_factory=frozenset)
    matrices: int = 3
    norm_bias: bool = False
    window: str = "none"


def _family(*traits: str, **changes: object) -> Family:
    return Family(traits=frozenset(traits), **changes)  # type: ignore[arg-type]


FAMILIES = {
    "llama": _family(),
    "mistral": _family(window="all"),
    "ministral3": _family(window="all"),
    "phi3": _family(window="all"),
    "smollm3": _family(tied=True),
    "gemma": _family(tied=True),
    "gemma2": _family(tied=True, norms=4, window="even"),
    "gemma3": _family("qk_norm", tied=True, norms=4, window="pattern"),
    "gemma3_text": _family("qk_norm", tied=True, norms=4, window="pattern"),
    "qwen2": _family("qkv_bias", window="if used"),
    "qwen3": _family("qk_norm", window="if used"),
    "olmo2": _family("qk_norm_whole"),
    "falcon": _family(norms=1, tied=True, matrices=2, norm_bias=True),
    "mixtral": _family(window="all"),
    "qwen3_moe": _family("qk_norm", window="if used"),
    "qwen3_vl_text": _family("qk_norm"),
    "qwen3_vl_moe_text": _family("qk_norm"),
    "gpt_oss": _family("qkv_bias", "o_bias", "sinks", "expert_bias", window="even"),
    "glm4_moe": _family("router_bias", "multi_token", "multi_token_ends"),
    "minimax_m2": _family("qk_norm_whole", "router_bias"),
    "llama4": _family("one_shared", window="chunk"),
    "llama4_text": _family("one_shared", window="chunk"),
    "deepseek_v2": _family("latent"),
    "deepseek_v3": _family("latent", "router_bias", "multi_token", "multi_token_ends"),
    "deepseek_v32": _family("latent", "router_bias", "multi_token", "multi_token_ends"),
    "kimi_k2": _family("latent", "router_bias", "multi_token", "multi_token_ends"),
    "kimi_k25": _family("latent", "router_bias", "multi_token", "multi_token_ends"),
    "glm_moe_dsa": _family("latent", "router_bias", "multi_token"),
    "minimax": _family(),
    "minimax_text_01": _family(),
    "jamba": _family(),
    "nemotron_h": _family("multi_token", matrices=2),
    "granitemoehybrid": _family(tied=True),
    "qwen3_5": _family("qk_norm", "gated", "multi_token"),
    "qwen3_5_text": _family("qk_norm", "gated", "multi_token"),
    "qwen3_5_moe": _family("qk_norm", "gated", "multi_token"),
    "qwen3_5_moe_text": _family("qk_norm", "gated", "multi_token"),
    "qwen3_next": _family("qk_norm", "gated"),
}
MULTI_TOKEN = ("num_nextn_predict_layers", "mtp_num_hidden_layers")


def family_of(f: Fields) -> Family:
    """The family of a config; ConfigError for a `model_type` that has no formula here."""
    if f.kind in FAMILIES:
        return FAMILIES[f.kind]
    said = (
        f"model_type {f.kind!r} has no formula here" if f.kind else "the config has no model_type"
    )
    raise ConfigError(f"{said}; there is one for {', '.join(FAMILIES)}.")
