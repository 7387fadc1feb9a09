"""The cost formulas against counts by hand, PyTorch's own counter, and published figures."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from halfbits.course.interview.bank.links import bibliography_keys
from halfbits.perf.architecture import ConfigError
from halfbits.perf.architecture.published import model
from halfbits.perf.cost import (
    Decoder,
    Machine,
    Work,
    amdahl,
    hardware,
    linear,
    llama_3,
    weight_bytes,
)
from halfbits.perf.storage import BITS, storage
from halfbits.selectors import cited

LLAMA_3_8B, LLAMA_3_70B = llama_3(8), llama_3(70)
H100 = hardware()["H100 SXM"]


def test_a_square_product_moves_each_matrix_once() -> None:
    assert linear(64, 64, 64, "fp32", rows="fp32") == Work(2 * 64**3, 3 * 64 * 64 * 4)


def test_works_add() -> None:
    assert Work(1, 2) + Work(10, 20) == Work(11, 22)


def test_intensity_of_one_row_is_two_operations_a_weight() -> None:
    assert linear(1, 8192, 8192, "bf16").intensity == pytest.approx(1, rel=1e-3)
    assert linear(1, 8192, 8192, "int4").intensity == pytest.approx(16 / 4.125, rel=1e-2)


def test_llama_3_8b_keeps_128_kib_a_token() -> None:
    assert LLAMA_3_8B.kv_bytes("bf16") == 128 * 1024
    assert LLAMA_3_70B.kv_bytes("bf16") == 320 * 1024


def test_llama_3_has_the_sizes_of_the_published_config() -> None:
    assert llama_3(70) == Decoder(80, 8192, 28672, 64, 8, 128, 128_256)
    with pytest.raises(ConfigError, match=r"no published model 'Llama-3\.1-13B'"):
        llama_3(13)


def test_llama_3_70b_has_seventy_and_a_half_billion_weights() -> None:
    assert LLAMA_3_70B.parameters == 70_553_706_496  # as checkpoints of Llama 3 70B count it


def test_llama_3_8b_multiplies_with_seven_and_a_half_billion_of_its_weights() -> None:
    embedding = 128_256 * 4_096  # untied: rows are looked up, nothing is multiplied
    assert LLAMA_3_8B.parameters == 8_030_261_248
    assert LLAMA_3_8B.parameters - LLAMA_3_8B.weights == embedding + LLAMA_3_8B.norm_weights


def test_a_checkpoint_keeps_embedding_head_and_norms_in_sixteen_bits() -> None:
    parts = LLAMA_3_8B.stored("int4")
    assert parts.embedding == parts.head == 2 * 128_256 * 4_096
    assert parts.norms == 2 * 65 * 4_096
    assert parts.codes == LLAMA_3_8B.block_weights / 2
    assert parts.scales == 2 * LLAMA_3_8B.block_weights / 128
    assert parts.zeros == 0 and LLAMA_3_8B.stored("int4 g128 affine").zeros == parts.scales / 4
    assert parts.total == sum(vars(parts).values())


def test_a_decode_step_reads_all_but_an_input_embedding_of_its_own() -> None:
    parts = LLAMA_3_8B.stored("int8")
    assert LLAMA_3_8B.decode(1, 0, "int8").nbytes == parts.total - parts.embedding
    tied = replace(LLAMA_3_8B, tied=True)
    assert tied.stored("int8").total == tied.decode(1, 0, "int8").nbytes == parts.read


def test_everything_rounded_is_a_scheme_of_its_own() -> None:
    kept, rounded = LLAMA_3_8B.stored("int8"), LLAMA_3_8B.stored("int8", ends="int8")
    one_scale_a_row = 2 * 128_256
    assert rounded.head == kept.head / 2 + one_scale_a_row
    assert rounded.codes == kept.codes and rounded.norms == kept.norms


def test_a_wide_checkpoint_has_one_width() -> None:
    for kind, width in (("bf16", 2), ("fp32", 4)):
        assert LLAMA_3_8B.stored(kind).total == width * LLAMA_3_8B.parameters


@pytest.mark.parametrize(
    ("name", "bits"),
    [
        *(("int8", 8), ("fp8", 8), ("int4", 4.125), ("int4 g64", 4.25), ("int4 g32", 4.5)),
        *(("int4 g128 affine", 4.15625), ("nf4", 4.5), ("nf4 double", 4.126953125)),
        *(("mxfp4", 4.25), ("mxfp6", 6.25), ("mxfp8", 8.25), ("nvfp4", 4.5)),
        *(("int2 g64", 2.25), ("int3 g128", 3.125), ("int3 g128 affine", 3.1484375)),
        *(("q8_0", 8.5), ("q4_0", 4.5), ("q4_1", 5), ("q4_k", 4.5), ("q6_k", 6.5625)),
    ],
)
def test_a_format_has_its_true_bits(name: str, bits: float) -> None:
    assert BITS[name] == bits
    assert storage(name).nbytes(4096, 10) == 4096 * 10 * bits / 8 + (
        20 if name in ("int8", "fp8") else 0  # a 16-bit scale for each of ten rows
    )


@pytest.mark.parametrize("name", [name for name in BITS if name.startswith("q")])
def test_a_gguf_type_has_the_bits_of_llama_cpps_own_blocks(name: str) -> None:
    gguf = pytest.importorskip("gguf")
    values, size = gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType[name.upper()]]
    assert BITS[name] == 8 * size / values


@pytest.mark.parametrize("name", BITS)
def test_every_named_format_has_a_cost(name: str) -> None:
    work = LLAMA_3_8B.decode(1, 8192, name)
    assert work.nbytes > LLAMA_3_8B.block_weights * BITS[name] / 8


def test_a_format_without_a_name_is_refused_with_the_names() -> None:
    with pytest.raises(ValueError, match="no format is called 'int5'; there are fp64"):
        LLAMA_3_8B.decode(1, 8192, "int5")


def test_a_last_group_that_is_not_full_has_a_scale_too() -> None:
    codes, scales, _ = storage("int4").parts(704, 1)
    assert (codes, scales) == (352, 2 * 6)


def test_group_scales_cost_bits() -> None:
    assert weight_bytes(1024, 4) == 512
    assert weight_bytes(1024, 4, group=128) == 512 + 1024 // 128 * 2
    assert weight_bytes(1024, 4, group=32, extra=32) == 512 + 1024 // 32 * 4


def test_a_small_batch_waits_for_memory_and_a_large_one_for_arithmetic() -> None:
    assert H100.is_memory_bound(linear(1, 8192, 8192, "bf16"), "bf16")
    assert not H100.is_memory_bound(linear(4096, 8192, 8192, "bf16"), "bf16")


@pytest.mark.parametrize(
    ("arithmetic", "weights", "batch"),
    [("bf16", "bf16", 295), ("fp8", "fp8", 295), ("bf16", "int4", 76), ("bf16", "int8", 148)],
)
def test_the_crossover_batch_of_an_h100(arithmetic: str, weights: str, batch: int) -> None:
    assert round(H100.crossover_batch(arithmetic, weights)) == batch


def test_at_the_crossover_batch_both_roofs_take_as_long() -> None:
    machine = Machine("round figures", 100.0, {"bf16": 6400.0})
    batch = machine.crossover_batch("bf16", "bf16")
    weights = Work(2 * batch * 10, 10 * 2)  # ten weights, the rows themselves not counted
    assert weights.flops / 6400 == weights.nbytes / 100


def test_the_least_time_is_that_of_the_slower_roof() -> None:
    machine = Machine("round figures", 100.0, {"fp32": 1000.0})
    assert machine.ridge("fp32") == 10
    assert machine.seconds(Work(1000, 10), "fp32") == 1
    assert machine.seconds(Work(10, 1000), "fp32") == 10


def test_decode_at_batch_one_is_bandwidth_over_bytes() -> None:
    step = LLAMA_3_8B.decode(1, 1, "bf16")
    rate = 1 / H100.seconds(step, "bf16")
    assert rate == pytest.approx(H100.bandwidth / (2 * LLAMA_3_8B.weights), rel=1e-4)


def test_a_batch_reads_the_weights_once_and_each_cache() -> None:
    one, many = (LLAMA_3_8B.decode(batch, 8192, "bf16").nbytes for batch in (1, 16))
    assert many - one == 15 * 8192 * LLAMA_3_8B.kv_bytes("bf16")


def test_a_format_that_a_machine_lacks_is_named() -> None:
    with pytest.raises(ValueError, match="A100 SXM 80 GB has no fp8; it has fp32"):
        hardware()["A100 SXM 80 GB"].ridge("fp8")


@pytest.mark.parametrize("machine", hardware().values(), ids=lambda machine: machine.name)
def test_published_rows_are_whole_and_plausible(machine: Machine) -> None:
    assert machine.source and machine.peak.keys() <= {*BITS, "fp4"}
    assert 1e11 < machine.bandwidth < 1e14 and 1e10 < machine.memory < 1e12
    assert machine.peak["bf16"] >= machine.peak.get("fp32", 0)
    if "fp8" in machine.peak:  # dense: half the width, about twice the rate
        assert 1.9 < machine.peak["fp8"] / machine.peak["bf16"] < 2.1


def test_a_memory_is_the_drivers_or_said_to_be_the_vendors() -> None:
    root = Path(__file__).parents[2]
    keys = bibliography_keys(root)
    for machine in hardware().values():
        if "#" in machine.memory_source:
            assert machine.memory == cited(machine.memory_source, root)
        else:
            assert machine.memory_source in {"", *keys}
        stated = machine.memory % 1e9 == 0
        assert stated == (not machine.memory_source), machine.name


def test_a_card_with_a_record_has_the_memory_that_its_driver_reported() -> None:
    for path in (Path(__file__).parents[2] / "book" / "data").glob("*.json"):
        recorded = json.loads(path.read_text(encoding="utf-8")).get("hardware", {})
        if "memory_bytes" in recorded:
            kind = recorded["device"].removeprefix("NVIDIA ").split()[0]
            [machine] = [m for name, m in hardware().items() if name.split()[0] == kind]
            assert machine.memory == recorded["memory_bytes"], path.name


def test_amdahl() -> None:
    assert amdahl(0.8, 2) == pytest.approx(1 / 0.6)
    assert amdahl(0.5, math.inf) == 2


def test_decode_and_prefill_are_what_pytorch_counts() -> None:
    import torch
    from torch.nn.attention import SDPBackend, sdpa_kernel
    from torch.utils.flop_counter import FlopCounterMode

    from halfbits.models.llama import Llama, LlamaConfig

    config = LlamaConfig(96, 32, 48, 2, 4, 2, 8, 64)
    model, sizes = Llama(config).eval(), Decoder.of(config)
    assert sizes.weights == sum(p.numel() for p in model.parameters() if p.dim() == 2)
    ids = torch.zeros(3, 10, dtype=torch.int64)
    # The counter does not know the CPU's fused attention; the plain one is made of products.
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH):
        with FlopCounterMode(display=False) as prefill:
            _, cache = model.prefill(ids, 11)
        with FlopCounterMode(display=False) as decode:
            model.decode(ids[:, 0], cache)
    # The plain attention multiplies all pairs of the prompt, also those that the mask forbids.
    pair = 4 * sizes.layers * sizes.heads * sizes.head_dim
    forbidden = 10 * 10 - sum(range(1, 11))
    assert prefill.get_total_flops() == sizes.prefill(3, 10, "fp32").flops + 3 * forbidden * pair
    assert decode.get_total_flops() == sizes.decode(3, 11, "fp32").flops


SMALL = {
    **{"num_hidden_layers": 2, "hidden_size": 64, "intermediate_size": 128},
    **{"num_attention_heads": 4, "vocab_size": 100},
}


@pytest.mark.parametrize(
    "config",
    [
        SMALL,
        SMALL | {"head_dim": None, "num_key_value_heads": None},
        {"model_type": "x", "text_config": SMALL},
        SimpleNamespace(**SMALL),
        SimpleNamespace(model_type="x", text_config=SimpleNamespace(**SMALL)),
    ],
)
def test_absent_null_and_nested_fields_of_a_config_have_their_usual_meaning(config) -> None:
    assert Decoder.of(config) == Decoder(2, 64, 128, 4, 4, 16, 100, tied=True)


def test_a_config_of_transformers_is_read() -> None:
    from transformers import LlamaConfig

    config = LlamaConfig(**SMALL, num_key_value_heads=2)
    assert Decoder.of(config) == Decoder(2, 64, 128, 4, 2, 16, 100, tied=False)


@pytest.mark.parametrize("name", ["DeepSeek-V3", "Mixtral-8x7B", "Jamba-v0.1", "Qwen3.5-27B"])
def test_a_model_that_no_decoder_describes_is_refused_in_a_sentence(name: str) -> None:
    """DeepSeek-V3 as plain heads would keep 57 times the cache."""
    with pytest.raises(ConfigError, match=r"architecture\.sizes counts such a model") as refused:
        Decoder.of(model(name).config)
    assert "\n" not in str(refused.value)


def test_a_config_without_a_size_is_refused_by_the_sizes_name() -> None:
    with pytest.raises(ConfigError, match="the config has no num_attention_heads or n_head"):
        Decoder.of(SMALL | {"num_attention_heads": None})


def test_importing_it_imports_no_torch() -> None:
    code = (
        "import sys, halfbits.perf.cost; sys.exit(not {'torch', 'numpy'}.isdisjoint(sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
