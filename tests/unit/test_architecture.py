"""Sizes of published models from their configs: as their files have them, and as Transformers."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from halfbits.perf.architecture import ConfigError, read_config, sizes
from halfbits.perf.architecture.published import model, published
from halfbits.perf.architecture.schemes import scheme, scheme_of

NAMES = list(published())


def gemma_vision(hidden: int) -> int:
    """SigLIP's tower of Gemma 3, the projection to the model's width, and its norm."""
    return 416_866_032 + 1152 * hidden + 1152


def qwen_vision(hidden: int) -> int:
    """27 layers of width 1152 over patches of 2 x 16 x 16 x 3, then four patches to one token."""
    width, inner, merged = 1152, 4304, 4 * 1152
    attention = width * 3 * width + 3 * width + width * width + width
    layer = attention + 2 * width * inner + inner + width + 4 * width
    patches = 3 * 2 * 16 * 16 * width + width + 2304 * width
    return patches + 27 * layer + 2 * width + merged * (merged + 1) + (merged + 1) * hidden


def qwen_next_multi_token() -> int:
    """A layer of full attention with its experts, a projection, five norms: its config has no
    field for it."""
    width, head, experts = 2048, 256, 512
    attention = width * (2 * 16 + 2 * 2) * head + 16 * head * width + 2 * head
    mixture = experts * (3 * width * 512 + width) + 3 * width * 512 + width
    return attention + mixture + 2 * width * width + 5 * width


# What a published file holds beside the language model that its config describes.
BESIDE = {
    "Qwen3-0.6B": 151_936 * 1024,  # the tied head once more
    **dict.fromkeys(("Llama-4-Scout", "Llama-4-Maverick"), 871_932_416),  # the vision part
    **{f"Gemma-3-{n}B": gemma_vision(h) for n, h in ((4, 2560), (12, 3840), (27, 5376))},
    **dict.fromkeys(("Qwen3.5-27B", "Qwen3.8-27B"), qwen_vision(5120)),
    **{"Qwen3.5-35B-A3B": qwen_vision(2048), "Qwen3.5-397B-A17B": qwen_vision(4096)},
    "Qwen3-Next-80B-A3B": qwen_next_multi_token(),
    "DeepSeek-V3": 41_555_600 - 59 * 256,  # float32 scales of the tiles, router biases counted
    "MiniMax-M2.5": 62 * (2 * 3072 * (6144 + 1024) + 256 * 3 * 3072 * 1536) // 128**2,  # scales
    "Llama-2-7B": 32 * 64,  # rotary frequencies
    "Llama-2-13B": 40 * 64,
}
SCALES = {"DeepSeek-V3", "MiniMax-M2.5"}  # which the scheme's bits have already
STORED = [name for name in NAMES if published()[name].stored]
CACHED = [name for name in NAMES if published()[name].kv_bytes_per_token]
# Their class in Transformers has another name, or none for text alone.
ALIAS = {"kimi_k2": "deepseek_v3", "minimax_text_01": "minimax"}


def llama(**changes: Any) -> dict[str, Any]:
    """A small Llama's config; None takes a field away."""
    config = {
        "model_type": "llama",
        "hidden_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 128,
        "vocab_size": 100,
    } | changes
    return {name: value for name, value in config.items() if value is not None}


@pytest.mark.parametrize("name", STORED)
def test_parameters_are_those_of_the_published_files_to_the_unit(name: str) -> None:
    known = published()[name]
    assert known.sizes.stored + BESIDE.get(name, 0) == known.stored


def test_the_table_holds_models_of_every_kind() -> None:
    found = [made.sizes for made in published().values()]
    assert len(found) >= 60 and len(STORED) >= 55
    assert sum(one.has_experts for one in found) >= 20
    assert sum(one.cache.is_windowed for one in found) >= 5
    assert sum(bool(one.cache.state) for one in found) >= 9
    assert sum(bool(one.parts["multi-token layers"]) for one in found) >= 4


def counted_by_transformers(config: dict[str, Any]) -> int:
    """Parameters of the model that Transformers builds without memory, router biases included."""
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    config = copy.deepcopy(config.get("text_config", config))
    kind = ALIAS.get(config["model_type"], config.pop("model_type"))
    config.pop("model_type", None)
    if kind == "minimax":
        types = config.pop("attn_type_list")
        config["layer_types"] = ["full_attention" if t else "linear_attention" for t in types]
    try:
        made = transformers.AutoConfig.for_model(kind, **config)
        with torch.device("meta"):
            built = transformers.AutoModelForCausalLM.from_config(made)
    except ValueError as error:
        pytest.skip(str(error).splitlines()[0][:80])
    biases = [b for name, b in built.named_buffers() if name.endswith("correction_bias")]
    counts_biases = kind != "nemotron_h"  # whose files the published count has without them
    return sum(p.numel() for p in built.parameters()) + counts_biases * sum(
        b.numel() for b in biases
    )


@pytest.mark.parametrize("name", NAMES)
def test_parameters_equal_those_of_the_model_that_transformers_builds(name: str) -> None:
    known = published()[name]
    assert known.sizes.total == counted_by_transformers(known.config)


@pytest.mark.parametrize("name", CACHED)
def test_cache_of_a_token_is_as_published(name: str) -> None:
    known = published()[name]
    windowed = known.sizes.cache.is_windowed and known.sizes.cache.per_token == 0
    elements = known.sizes.cache.elements(1, windowed=False) - known.sizes.cache.state
    each = elements if windowed else known.sizes.cache.per_token
    assert 2 * each == known.kv_bytes_per_token


@pytest.mark.parametrize(
    ("name", "tokens", "nbytes", "in_full"),
    [
        ("Mistral-7B-v0.1", 131_072, 2**29, 2**34),
        ("Gemma-3-27B", 131_072, 11_173_625_856, 131_072 * 62 * 8192),
        ("gpt-oss-120b", 131_072, 4_836_556_800, 131_072 * 36 * 2048),
        ("Llama-4-Scout", 131_072, 7_650_410_496, 131_072 * 48 * 4096),
        ("Gemma-2-9B", 8192, 2_113_929_216, 8192 * 42 * 8192),
    ],
)
def test_windowed_layers_keep_their_window_or_everything(
    name: str, tokens: int, nbytes: int, in_full: int
) -> None:
    cache = model(name).sizes.cache
    assert 2 * cache.elements(tokens) == nbytes
    assert 2 * cache.elements(tokens, windowed=False) == in_full


@pytest.mark.parametrize(
    ("name", "billions"),
    [
        ("Mixtral-8x7B", 12.75),
        ("gpt-oss-120b", 5.13),
        ("DeepSeek-V3", 36.63),
        ("GLM-4.5", 32.86),
        ("Llama-4-Scout", 16.14),
        ("Qwen3-30B-A3B", 3.04),
    ],
)
def test_a_token_reads_the_active_experts_and_no_input_embedding(
    name: str, billions: float
) -> None:
    assert model(name).sizes.read / 1e9 == pytest.approx(billions, abs=0.005)


@pytest.mark.parametrize(
    ("name", "relative"),
    [
        ("gpt-oss-120b", 0),
        ("Kimi-K2-Thinking", 1e-5),
        ("DeepSeek-V3", 1e-4),
        ("Llama-3.1-70B", 0),
        ("Mixtral-8x7B", 0),
    ],
)
def test_bytes_of_the_released_scheme_are_those_of_the_files(name: str, relative: float) -> None:
    known = model(name)
    found = scheme(known.released).nbytes(known.sizes.parts)
    assert found == pytest.approx(known.checkpoint_bytes, rel=relative, abs=0)


FILES = [name for name in NAMES if published()[name].checkpoint_bytes]


def test_sizes_of_thirty_files_are_known() -> None:
    assert len(FILES) >= 30


@pytest.mark.parametrize("name", FILES)
def test_a_published_file_has_its_size_but_for_its_header(name: str) -> None:
    known = published()[name]
    beside = 0 if name in SCALES else 2 * BESIDE.get(name, 0)
    found = scheme(known.released).nbytes(known.sizes.parts) + beside
    assert found == pytest.approx(known.checkpoint_bytes, rel=5e-5, abs=0)


GIB = 2**30


@pytest.mark.parametrize(
    ("name", "kind", "nbytes"),
    [
        ("Llama-3.1-8B", "bf16", 16_068_890_912),
        ("Llama-2-7B", "q8_0 everything", 7_161_089_728),
        ("Llama-3.1-8B", "q8_0 everything", 7.95 * GIB),
        ("Llama-3.1-8B", "q6_k everything", 6.14 * GIB),
        ("Qwen2.5-7B", "q8_0 everything", 7.54 * GIB),
    ],
)
def test_a_published_gguf_file_has_its_size_within_half_a_percent(
    name: str, kind: str, nbytes: float
) -> None:
    assert scheme(kind).nbytes(model(name).sizes.parts) == pytest.approx(nbytes, rel=0.005, abs=0)


def test_absent_and_null_fields_have_the_meaning_that_transformers_gives_them() -> None:
    usual = sizes(llama(head_dim=16, num_key_value_heads=4))
    for config in (
        llama(),
        llama() | {"head_dim": None, "num_key_value_heads": None},
        {"model_type": "x", "text_config": llama()},
        {"model_type": "x", "hidden_size": None, "text_config": llama() | {"head_dim": None}},
    ):
        found = sizes(config)
        assert (found.parts, found.cache) == (usual.parts, usual.cache)


def test_head_dim_need_not_be_hidden_over_heads() -> None:
    wide = sizes(llama(head_dim=32))
    assert wide.parts["attention"] == 2 * sizes(llama()).parts["attention"]


def test_latent_attention_keeps_one_latent_and_one_rotated_key() -> None:
    """The field num_key_value_heads, 128 there, is not what is kept: it would be 57 times more."""
    assert 2 * model("DeepSeek-V3").sizes.cache.per_token == 70_272


def test_a_layer_for_further_tokens_has_its_own_ends_only_in_some_families() -> None:
    """GLM-5.2's files hold none; they hold an indexer that its last layer shares with others."""
    for name, copies in (("DeepSeek-V3", 2), ("GLM-4.5-Air", 2), ("GLM-5.2", 0)):
        found = model(name).sizes
        ends = found.parts["multi-token ends"] - copies * found.parts["embedding"]
        assert 0 < ends < found.parts["embedding"]


def test_falcon_has_one_head_of_keys_whatever_its_field_says() -> None:
    assert model("Falcon-7B").config["num_kv_heads"] == 71
    assert 2 * model("Falcon-7B").sizes.cache.per_token == 8192


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"model_type": "mamba"}, "model_type 'mamba' has no formula here; there is one for llama"),
        ({"model_type": None}, "the config has no model_type"),
        ({"vocab_size": None}, "the config has no vocab_size; nothing is guessed"),
        ({"hidden_size": "64"}, "hidden_size is '64' in the config; a whole number is needed"),
        ({"hidden_size": -64}, "hidden_size is -64"),
        ({"num_hidden_layers": True}, "num_hidden_layers is True"),
        ({"layer_types": ["full_attention"]}, "layer_types has 1 entries for 2 layers"),
        ({"moe_latent_size": 32}, "moe_latent_size, which the formula for llama does not read"),
        ({"num_hash_layers": 3}, "num_hash_layers, which the formula for llama does not read"),
    ],
)
def test_what_a_config_does_not_say_is_said_and_not_guessed(
    changes: dict[str, Any], says: str
) -> None:
    with pytest.raises(ConfigError, match=says):
        sizes(llama(**changes))


def test_a_file_that_is_no_config_is_one_sentence(tmp_path) -> None:
    for text, says in (("{", "is no JSON"), ("[1]", "holds a list; a config.json is an object")):
        (tmp_path / "config.json").write_text(text, encoding="utf-8")
        with pytest.raises(ConfigError, match=says):
            read_config(tmp_path)
    with pytest.raises(ConfigError, match="cannot be read"):
        read_config(tmp_path / "none.json")


@pytest.mark.parametrize(
    ("said", "name"),
    [
        (None, "bf16"),
        (
            {"quant_method": "mxfp4", "modules_to_not_convert": ["model.layers.*.self_attn"]},
            "mxfp4",
        ),
        ({"quant_method": "fp8", "weight_block_size": [128, 128]}, "fp8 tiles"),
        ({"quant_method": "fp8"}, "fp8"),
        (
            {"quant_method": "awq", "bits": 4, "group_size": 128, "zero_point": True},
            "int4 g128 affine",
        ),
        ({"quant_method": "gptq", "bits": 4, "group_size": 32, "sym": True}, "int4 g32"),
        ({"quant_method": "gptq", "bits": 3, "group_size": 128}, "int3 g128"),
        ({"quant_method": "modelopt", "quant_algo": "NVFP4"}, "nvfp4"),
        ({"quant_method": "bitsandbytes", "load_in_8bit": True}, "int8"),
        (
            {
                **{"quant_method": "bitsandbytes", "load_in_4bit": True},
                **{"bnb_4bit_quant_type": "nf4", "bnb_4bit_use_double_quant": True},
            },
            "nf4 double",
        ),
        *(
            ({"quant_method": "compressed-tensors", "config_groups": {"g": {"weights": w}}}, name)
            for w, name in (
                ({"num_bits": 4, "type": "int", "group_size": 128}, "int4 g128"),
                ({"num_bits": 8, "type": "int", "strategy": "channel"}, "int8"),
                ({"num_bits": 8, "type": "float", "strategy": "channel"}, "fp8"),
                ({"num_bits": 8, "type": "float", "strategy": "block"}, "fp8 tiles"),
                ({"num_bits": 8, "type": "float", "group_size": 32}, "mxfp8"),
                ({"num_bits": 4, "type": "float", "group_size": 32}, "mxfp4"),
                ({"num_bits": 4, "type": "float", "group_size": 16}, "nvfp4"),
            )
        ),
    ],
)
def test_released_scheme_is_read_from_the_config(said: dict[str, Any] | None, name: str) -> None:
    config = llama() | ({"quantization_config": said} if said else {})
    assert scheme_of(config, sizes(config)).name == name


def test_experts_alone_are_rounded_where_attention_is_left_out() -> None:
    config = model("Mixtral-8x7B").config | {
        "quantization_config": {"quant_method": "mxfp4", "modules_to_not_convert": ["self_attn"]}
    }
    assert scheme_of(config, sizes(config)).name == "mxfp4 experts"


@pytest.mark.parametrize(
    "said",
    [
        {"quant_method": "hqq"},
        {"quant_method": "gptq", "bits": 5, "group_size": 128},
        {"quant_method": "gptq", "group_size": 128},
        {"quant_method": "gptq", "bits": 4, "group_size": 48},
        {"quant_method": "modelopt", "quant_algo": "W4A8_AWQ"},
        {"quant_method": "bitsandbytes", "load_in_4bit": True, "bnb_4bit_quant_type": "fp4"},
        {"quant_method": "compressed-tensors", "config_groups": {}},
    ],
)
def test_a_scheme_that_is_not_known_is_refused(said: dict[str, Any]) -> None:
    config = llama() | {"quantization_config": said}
    with pytest.raises(ConfigError):
        scheme_of(config, sizes(config))


def test_float32_holds_everything_and_a_format_the_layers_alone() -> None:
    found = sizes(llama())
    assert scheme("fp32").nbytes(found.parts) == 4 * found.stored
    assert scheme("int8 everything").bits["head"] == 8
    four = scheme("int4")
    assert (four.bits["dense"], four.bits["head"], four.bits["norms and biases"]) == (4.125, 16, 16)
    with pytest.raises(ConfigError, match="no format is called"):
        scheme("int5")
