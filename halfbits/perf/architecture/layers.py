"""The layers of a model from its config: which mixes tokens how, and what stands behind it."""

from __future__ import annotations

from collections.abc import Iterator

from halfbits.perf.architecture import mixers
from halfbits.perf.architecture.families import Family
from halfbits.perf.architecture.feed_forward import FeedForward, dense, mixture
from halfbits.perf.architecture.fields import ConfigError, Fields
from halfbits.perf.architecture.mixers import Mixer

MULTI_TOKEN = ("num_nextn_predict_layers", "mtp_num_hidden_layers")
NEMOTRON = {"mamba": "M", "moe": "E", "attention": "*", "mlp": "-"}


def layers_of(f: Fields, family: Family) -> Iterator[tuple[Mixer | None, FeedForward | None]]:
    """For each layer, the half that mixes tokens and the half that works on each alone.

    Raises ConfigError where the kinds of layers are not as many as the layers.
    """
    if f.kind == "nemotron_h":
        letters = _letters(f, "layers_block_type", "hybrid_override_pattern")
        if len(letters) != f.layers:
            raise ConfigError(f"the kinds of layers, {letters!r}, are not {f.layers}.")
        yield from _nemotron(f, family, letters)
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


def further_layers_of(
    f: Fields, family: Family
) -> Iterator[tuple[Mixer | None, FeedForward | None]]:
    """The layers that predict further tokens, if the config describes them: one with full
    attention (and its own indexer) and the last feed-forward, or the letters of a pattern."""
    count = f.get(*MULTI_TOKEN, default=0)
    if "multi_token" not in family.traits:
        return
    for _ in range(count):
        if f.kind == "nemotron_h":
            names = "mtp_layers_block_type", "mtp_hybrid_override_pattern"
            yield from _nemotron(f, family, _letters(f, *names))
        elif "latent" in family.traits:
            yield mixers.latent_attention(f), feed_forward_of(f, family, f.layers - 1)
        else:
            attention = mixers.attention(f, traits_of(f, family), None)
            yield attention, feed_forward_of(f, family, f.layers - 1)


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


def _letters(f: Fields, words: str, pattern: str) -> str:
    """The kinds of layers as letters, from a list of words or from the letters themselves."""
    said = f.get(words, default=())
    letters = "".join(NEMOTRON.get(word, "?") for word in said)
    return letters or f.get(pattern, default="")


def _nemotron(
    f: Fields, family: Family, pattern: str
) -> Iterator[tuple[Mixer | None, FeedForward | None]]:
    """One half a layer, spelled M, E, * or -."""
    if set(pattern) - set(NEMOTRON.values()):
        raise ConfigError(f"the kinds of layers, {pattern!r}, are not all M, E, * and -.")
    for letter in pattern:
        if letter == "M":
            yield mixers.mamba2(f), None
        elif letter == "*":
            yield mixers.attention(f, traits_of(f, family), None), None
        elif letter == "E":
            yield None, mixture(f, f.number("moe_intermediate_size"), family.matrices)
        else:
            yield None, dense(f.hidden, f.number("intermediate_size"), family.matrices)
