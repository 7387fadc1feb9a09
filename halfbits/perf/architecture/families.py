"""What the fields of a config do not say but its `model_type` does, and the plan of its layers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from halfbits.perf.architecture import mixers
from halfbits.perf.architecture.feed_forward import FeedForward, dense, mixture
from halfbits.perf.architecture.fields import ConfigError, Fields
from halfbits.perf.architecture.mixers import Mixer


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
    "gpt_oss": _family("qkv_bias", "o_bias", "sinks", "expert_bias"),
    "glm4_moe": _family("router_bias", "multi_token"),
    "minimax_m2": _family("qk_norm_whole", "router_bias"),
    "llama4": _family("one_shared", window="chunk"),
    "llama4_text": _family("one_shared", window="chunk"),
    "deepseek_v2": _family("latent"),
    "deepseek_v3": _family("latent", "router_bias", "multi_token"),
    "deepseek_v32": _family("latent", "router_bias", "multi_token"),
    "kimi_k2": _family("latent", "router_bias", "multi_token"),
    "kimi_k25": _family("latent", "router_bias", "multi_token"),
    "glm_moe_dsa": _family("latent", "router_bias", "multi_token"),
    "minimax": _family(),
    "minimax_text_01": _family(),
    "jamba": _family(),
    "nemotron_h": _family(matrices=2),
    "granitemoehybrid": _family(tied=True),
    "qwen3_5": _family("qk_norm", "gated"),
    "qwen3_5_text": _family("qk_norm", "gated"),
    "qwen3_5_moe": _family("qk_norm", "gated"),
    "qwen3_5_moe_text": _family("qk_norm", "gated"),
    "qwen3_next": _family("qk_norm", "gated"),
}
NEMOTRON = {"mamba": "M", "moe": "E", "attention": "*", "mlp": "-"}


def family_of(f: Fields) -> Family:
    """The family of a config; ConfigError for a `model_type` that has no formula here."""
    if f.kind in FAMILIES:
        return FAMILIES[f.kind]
    said = (
        f"model_type {f.kind!r} has no formula here" if f.kind else "the config has no model_type"
    )
    raise ConfigError(f"{said}; there is one for {', '.join(FAMILIES)}.")


def layers_of(f: Fields, family: Family) -> Iterator[tuple[Mixer | None, FeedForward | None]]:
    """For each layer, the half that mixes tokens and the half that works on each alone."""
    if f.kind == "nemotron_h":
        words = f.get("layers_block_type", default=())
        letters = "".join(NEMOTRON.get(word, "?") for word in words)
        yield from _nemotron(f, family, letters or f.get("hybrid_override_pattern", default=""))
        return
    for index in range(f.layers):
        yield mixer_of(f, family, index), feed_forward_of(f, family, index)


def mixer_of(f: Fields, family: Family, index: int) -> Mixer:
    """The attention, or what stands in its place, of one layer."""
    if "latent" in family.traits:
        kinds = f.per_layer("indexer_types")
        return mixers.latent_attention(f, has_indexer=kinds is None or kinds[index] == "full")
    kind = _kind(f, index)
    if kind == "linear":
        return mixers.gated_delta_net(f)
    if kind == "lightning":
        return mixers.lightning_attention(f)
    if kind == "mamba":
        is_second = f.kind == "granitemoehybrid"
        return mixers.mamba2(f) if is_second else mixers.mamba(f)
    return mixers.attention(f, traits_of(f, family), window_of(f, family, index))


def feed_forward_of(f: Fields, family: Family, index: int) -> FeedForward:
    """Dense or a mixture, by the fields that name the dense layers."""
    bias = f.flag("mlp_bias") or f.flag("bias")
    if not _has_experts(f, index):
        return dense(f.hidden, _dense_width(f), family.matrices, bias)
    inner = f.number("moe_intermediate_size", "intermediate_size", "ffn_dim")
    shared = 1 if "one_shared" in family.traits else 0
    return mixture(f, inner, family.matrices, "expert_bias" in family.traits, shared)


def traits_of(f: Fields, family: Family) -> dict[str, bool]:
    """The family's traits with the biases that the config switches."""
    said = f.flag("attention_bias") or f.flag("bias")
    traits = dict.fromkeys(family.traits, True)
    if f.flag("use_qk_norm") and f.kind == "glm4_moe":
        traits["qk_norm"] = True
    traits["qkv_bias"] = said or traits.get("qkv_bias", False)
    o_bias = said and f.kind not in ("glm4_moe",)
    traits["o_bias"] = o_bias or traits.get("o_bias", False)
    return traits


def window_of(f: Fields, family: Family, index: int) -> int | None:
    """Tokens that one layer looks back at; None for all of them."""
    if kinds := f.per_layer("layer_types"):
        if kinds[index] == "sliding_attention":
            return f.number("sliding_window")
        return f.number("attention_chunk_size") if kinds[index] == "chunked_attention" else None
    window = f.get("sliding_window")
    match family.window:
        case "all":
            return window
        case "even":
            return window if index % 2 == 0 else None
        case "pattern":
            every = f.number("sliding_window_pattern", default=6)
            return window if (index + 1) % every else None
        case "if used":
            first = f.get("max_window_layers", default=0)
            return window if f.flag("use_sliding_window") and index >= first else None
        case "chunk":
            step = f.number("no_rope_layer_interval", default=4)
            return f.number("attention_chunk_size") if (index + 1) % step else None
    return None


def _kind(f: Fields, index: int) -> str:
    """full, mamba, lightning or linear."""
    if kinds := f.per_layer("layer_types") or f.per_layer("layers_block_type"):
        word = kinds[index]
        if word == "mamba":
            return "mamba"
        is_lightning = f.kind.startswith("minimax")
        linear = "lightning" if is_lightning else "linear"
        return linear if word == "linear_attention" else "full"
    if kinds := f.per_layer("attn_type_list"):
        return "full" if int(kinds[index]) else "lightning"
    if period := f.get("attn_layer_period"):
        offset = f.number("attn_layer_offset", default=0)
        return "full" if index % period == offset else "mamba"
    if every := f.get("full_attention_interval"):
        return "linear" if (index + 1) % every else "full"
    return "full"


def _has_experts(f: Fields, index: int) -> bool:
    experts = f.get("n_routed_experts", "num_local_experts", "num_experts", default=0)
    if experts < 2:
        return False
    if kinds := f.per_layer("mlp_layer_types"):
        return kinds[index] == "sparse"
    if index in f.get("mlp_only_layers", default=()) or index < f.get(
        "first_k_dense_replace", default=0
    ):
        return False
    if period := f.get("expert_layer_period"):
        return bool(index % period == f.number("expert_layer_offset", default=0))
    step = f.get("interleave_moe_layer_step", "decoder_sparse_step", "moe_layer_freq", default=1)
    return bool((index + 1) % step == 0)


def _dense_width(f: Fields) -> int:
    if f.kind == "falcon":
        return f.number("ffn_hidden_size", "intermediate_size", default=4 * f.hidden)
    return f.number("intermediate_size_mlp", "intermediate_size", "ffn_dim")


def _nemotron(
    f: Fields, family: Family, pattern: str
) -> Iterator[tuple[Mixer | None, FeedForward | None]]:
    """One half a layer, spelled M, E, * or -."""
    if set(pattern) - set(NEMOTRON.values()) or len(pattern) != f.layers:
        raise ConfigError(f"the kinds of layers, {pattern!r}, are not {f.layers} of M, E, * and -.")
    for letter in pattern:
        if letter == "M":
            yield mixers.mamba2(f), None
        elif letter == "*":
            yield mixers.attention(f, traits_of(f, family), None), None
        elif letter == "E":
            yield None, mixture(f, f.number("moe_intermediate_size"), family.matrices)
        else:
            yield None, dense(f.hidden, f.number("intermediate_size"), family.matrices)
