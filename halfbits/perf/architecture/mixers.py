"""Layers that mix tokens: attention of every kind, and those that keep a state of constant size.

Each function counts one layer from the fields of a config; sources are the papers named there and
the layers of Hugging Face Transformers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from halfbits.perf.architecture.fields import Fields


@dataclass(frozen=True)
class Mixer:
    """`matrices` and `others` (biases, norms, convolutions) are parameters; `cache` elements are
    kept for each token (within `window` tokens, if there is one), `state` elements once a row.
    `score_flops` are the operations of one query with one cached token."""

    matrices: int
    others: int
    cache: int = 0
    window: int | None = None
    state: int = 0
    score_flops: int = 0


def attention(f: Fields, traits: dict[str, bool], window: int | None) -> Mixer:
    """q, k, v, o with `kv_heads` for keys and values (Ainslie et al., GQA, 2023).

    hidden (heads + 2 kv_heads) head_dim + heads head_dim hidden; a gate doubles the queries.
    """
    heads, width, kv = f.heads, f.head_dim, f.kv_heads * f.head_dim
    queries = heads * width * (2 if f.flag("attn_output_gate", "gated" in traits) else 1)
    biases = (queries + 2 * kv) * traits["qkv_bias"] + f.hidden * traits["o_bias"]
    norms = _qk_norm(f, traits) + (heads if "sinks" in traits else 0)
    matrices = f.hidden * (queries + 2 * kv) + heads * width * f.hidden
    return Mixer(matrices, biases + norms, 2 * kv, window, score_flops=4 * heads * width)


def latent_attention(f: Fields, has_indexer: bool = True) -> Mixer:
    """MLA: queries and keys through low ranks (DeepSeek-V2, 2024, section 2.1).

    The cache holds one latent vector and one rotated key for all heads: kv_lora_rank +
    qk_rope_head_dim elements a token, whatever num_key_value_heads says. An indexer (DeepSeek
    V3.2, 2025) adds its own queries. Scores are counted with the up-projections absorbed.
    """
    heads, rank, rope = f.heads, f.number("kv_lora_rank"), f.number("qk_rope_head_dim")
    nope, value = f.number("qk_nope_head_dim"), f.number("v_head_dim")
    query_rank = f.get("q_lora_rank")
    into = query_rank or f.hidden
    matrices = into * heads * (nope + rope) + (f.hidden * query_rank if query_rank else 0)
    matrices += f.hidden * (rank + rope) + rank * heads * (nope + value) + heads * value * f.hidden
    scores = 2 * heads * (2 * rank + rope)
    mixer = Mixer(matrices, rank + (query_rank or 0), rank + rope, score_flops=scores)
    return _with_indexer(mixer, f) if has_indexer and f.get("index_n_heads") else mixer


def _with_indexer(mixer: Mixer, f: Fields) -> Mixer:
    heads, width = f.number("index_n_heads"), f.number("index_head_dim")
    matrices = f.number("q_lora_rank") * heads * width + f.hidden * (width + heads)
    return replace(mixer, matrices=mixer.matrices + matrices, others=mixer.others + 2 * width)


def mamba(f: Fields) -> Mixer:
    """The selective state space layer (Gu and Dao, Mamba, 2023), with Jamba's three norms."""
    inner = f.number("mamba_expand", default=2) * f.hidden
    states, rank = f.number("mamba_d_state"), f.number("mamba_dt_rank")
    kernel = f.number("mamba_d_conv")
    matrices = f.hidden * 2 * inner + inner * (rank + 2 * states) + rank * inner + inner * f.hidden
    others = inner * (kernel + 1) + inner + inner * states + inner + rank + 2 * states
    return Mixer(matrices, others, state=inner * (states + kernel))


def mamba2(f: Fields) -> Mixer:
    """Mamba-2 (Dao and Gu, 2024): scalar decay a head, B and C shared in groups."""
    heads = f.number("mamba_num_heads", "mamba_n_heads")
    inner = heads * f.number("mamba_head_dim", "mamba_d_head")
    states = f.number("ssm_state_size", "mamba_d_state")
    mixed = inner + 2 * f.number("n_groups", "mamba_n_groups") * states
    kernel = f.number("conv_kernel", "mamba_d_conv")
    matrices = f.hidden * (inner + mixed + heads) + inner * f.hidden
    others = mixed * (kernel + f.flag("use_conv_bias", f.flag("mamba_conv_bias", True)))
    return Mixer(matrices, others + 3 * heads + inner, state=inner * states + mixed * kernel)


def lightning_attention(f: Fields) -> Mixer:
    """Linear attention with a gate (MiniMax-01, 2025): a head_dim x head_dim state a head."""
    width = f.heads * f.head_dim
    return Mixer(5 * f.hidden * width, width, state=width * f.head_dim)


def gated_delta_net(f: Fields) -> Mixer:
    """Gated DeltaNet (Yang et al., 2024), as in Qwen3-Next and Qwen3.5."""
    keys = f.number("linear_num_key_heads") * f.number("linear_key_head_dim")
    heads, width = f.number("linear_num_value_heads"), f.number("linear_value_head_dim")
    mixed = 2 * keys + heads * width
    kernel = f.number("linear_conv_kernel_dim")
    matrices = f.hidden * (mixed + heads * width + 2 * heads) + heads * width * f.hidden
    others = mixed * kernel + 2 * heads + width
    state = heads * width * f.number("linear_key_head_dim") + mixed * kernel
    return Mixer(matrices, others, state=state)


def _qk_norm(f: Fields, traits: dict[str, bool]) -> int:
    if "qk_norm_whole" in traits:  # over all heads together
        return (f.heads + f.kv_heads) * f.head_dim
    return 2 * f.head_dim if "qk_norm" in traits else 0
