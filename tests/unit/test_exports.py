"""Files for other programs: the codes arrive as they are, and what does not fit is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import gguf
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from halfbits.checkpoints import CheckpointError
from halfbits.checkpoints.exports import bytes_of, export
from halfbits.checkpoints.folder_export import packed
from halfbits.checkpoints.grid import grid_of
from halfbits.methods import autoround, awq, gptq, rounding, rtn
from halfbits.methods.calibration import windows
from halfbits.models.gguf import GGUF
from halfbits.models.language_model import LanguageModel
from halfbits.models.llama import Llama
from halfbits.models.llama_gguf import config_of, gguf_name, neighbors, our_name, weights_of
from halfbits.models.quantized import w8a8
from halfbits.models.surgery import block_linears, stored
from halfbits.models.tiny_lm import load_tiny_lm
from halfbits.quantize import quantize_affine, quantize_nf4, quantize_symmetric

QUERY = "layers.0.self_attn.q_proj"


@pytest.fixture(scope="module")
def lm() -> LanguageModel:
    return load_tiny_lm()


def rounded(lm: LanguageModel, **options: object) -> LanguageModel:
    return lm.with_model(rtn.quantize(lm.model, **options)[0])  # type: ignore[arg-type]


def read_back(path: Path) -> Llama:
    file = GGUF(path)
    config = config_of(file)
    return Llama.from_weights(config, weights_of(file, config.head_dim))


def farthest(a: Llama, b: Llama) -> float:
    pairs = zip(a.parameters(), b.parameters(), strict=True)
    return max((p - q).abs().max().item() for p, q in pairs)


@pytest.mark.parametrize(
    ("bits", "group", "kind"),
    [(2, 32, "Q4_0"), (4, 32, "Q4_0"), (4, 64, "Q4_0"), (5, 32, "Q5_0"), (8, 32, "Q8_0")],
)
def test_gguf_keeps_symmetric_codes_of_any_width_to_the_last_bit(
    lm: LanguageModel, tmp_path: Path, bits: int, group: int, kind: str
) -> None:
    made = rounded(lm, bits=bits, granularity=group)
    path = export(made, "gguf", tmp_path)
    assert farthest(read_back(path), made.model) == 0
    assert GGUF(path).tensors["blk.3.attn_k.weight"].kind == gguf.GGMLQuantizationType[kind]


@pytest.mark.parametrize(("bits", "kind"), [(4, "Q4_1"), (5, "Q5_1")])
def test_gguf_turns_a_zero_point_into_a_minimum_within_half_a_float16_step(
    lm: LanguageModel, tmp_path: Path, bits: int, kind: str
) -> None:
    made = rounded(lm, bits=bits, granularity=32, symmetric=False, clip=1.0)
    path = export(made, "gguf", tmp_path)
    back = dict(block_linears(read_back(path)))
    for name, found in stored(made.model).items():
        grid = grid_of(name, found)
        least = (grid.scale * grid.zero).repeat_interleave(32, 1)
        # A minimum below float16's smallest normal number, 2^-14, moves by at most 2^-25.
        room = torch.maximum(least * 2**-11, torch.tensor(2.0**-25)) * (1 + 2**-10)
        assert ((back[name].weight - found.dequantize()).abs() <= room).all(), name
    assert GGUF(path).tensors["blk.0.ffn_up.weight"].kind == gguf.GGMLQuantizationType[kind]


@pytest.mark.parametrize("kind", ["F32", "F16", "BF16", "Q8_0", "Q4_1"])
def test_gguf_without_codes_holds_what_the_package_gguf_makes(
    lm: LanguageModel, tmp_path: Path, kind: str
) -> None:
    path = export(lm, "gguf", tmp_path, kind)
    by_name = {tensor.name: tensor for tensor in gguf.GGUFReader(path).tensors}
    weight = dict(lm.model.named_parameters())["layers.2.mlp.up_proj.weight"].detach().numpy()
    want = gguf.quants.quantize(weight, gguf.GGMLQuantizationType[kind])
    assert by_name["blk.2.ffn_up.weight"].data.tobytes() == want.tobytes()
    assert by_name["blk.2.attn_norm.weight"].tensor_type.name == "F32"


def test_names_and_order_of_rows_go_both_ways(lm: LanguageModel) -> None:
    for name, _ in lm.model.named_parameters():
        assert our_name(gguf_name(name)) == name
    rows = torch.arange(8).view(8, 1).numpy()
    assert neighbors(rows, 8).ravel().tolist() == [0, 4, 1, 5, 2, 6, 3, 7]


def unpacked(words: Tensor, bits: int) -> Tensor:
    parts = words.long()[..., None] >> torch.arange(0, 32, bits) & 2**bits - 1
    return parts.flatten(-2)


@pytest.mark.parametrize("bits", [4, 8])
def test_compressed_tensors_holds_codes_along_the_input_and_float16_scales(
    lm: LanguageModel, tmp_path: Path, bits: int
) -> None:
    made = rounded(lm, bits=bits, granularity=32)
    weights = load_file(export(made, "compressed-tensors", tmp_path / "x") / "model.safetensors")
    grid = grid_of(QUERY, stored(made.model)[QUERY])
    assert torch.equal(unpacked(weights[f"model.{QUERY}.weight_packed"], bits), grid.codes.long())
    assert torch.equal(weights[f"model.{QUERY}.weight_scale"].float(), grid.scale)
    assert weights["model.embed_tokens.weight"].dtype == torch.float16


@pytest.mark.parametrize("symmetric", [True, False])
def test_gptq_holds_the_transpose_and_zero_points_less_one(
    lm: LanguageModel, tmp_path: Path, symmetric: bool
) -> None:
    made = rounded(lm, bits=4, granularity=32, symmetric=symmetric, clip=1.0)
    weights = load_file(export(made, "gptq", tmp_path / "x") / "model.safetensors")
    grid = grid_of(QUERY, stored(made.model)[QUERY])
    codes = unpacked(weights[f"model.{QUERY}.qweight"].T, 4)
    zeros = (unpacked(weights[f"model.{QUERY}.qzeros"], 4) + 1) % 16
    assert torch.equal(codes, grid.codes.long())
    assert torch.equal(zeros.T, grid.zero.long())
    assert torch.equal(weights[f"model.{QUERY}.scales"].float().T, grid.scale)


def test_codes_of_every_method_stay_with_the_layers(lm: LanguageModel) -> None:
    small = replace(lm.model.config, hidden_size=64, intermediate_size=96, num_hidden_layers=1)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = Llama(replace(small, num_attention_heads=2, num_key_value_heads=1)).eval()
    data = windows(torch.arange(512) % 4096, 4, 32)
    options = {"bits": 4, "granularity": 32}
    for method, more in (
        (rtn, {}),
        (gptq, {}),
        (awq, {}),
        (rounding, {"steps": 2}),
        (autoround, {"steps": 2}),
    ):
        made, _ = method.quantize(model, data, **options, **more)
        found = stored(made)
        assert len(found) == 7, method
        for name, layer in block_linears(made):
            assert torch.equal(found[name].dequantize(), layer.weight), (method, name)
    assert not stored(model)


def test_int8_activations_are_described_as_dynamic_for_each_token(
    lm: LanguageModel, tmp_path: Path
) -> None:
    made = lm.with_model(w8a8(lm.model)[0])
    folder = export(made, "compressed-tensors", tmp_path / "x")
    weights = load_file(folder / "model.safetensors")
    assert weights[f"model.{QUERY}.weight"].dtype == torch.int8
    assert weights[f"model.{QUERY}.weight_scale"].shape == (256, 1)
    assert '"dynamic": true' in (folder / "config.json").read_text(encoding="utf-8")


def test_bytes_count_the_weights_alone(lm: LanguageModel, tmp_path: Path) -> None:
    folder = export(rounded(lm, bits=4, granularity=32), "gptq", tmp_path / "x")
    assert bytes_of(folder) == (folder / "model.safetensors").stat().st_size
    codes, scales = 4_227_072 // 2, 4_227_072 // 32 * 2
    assert bytes_of(folder) > codes + scales


def test_codes_that_a_file_cannot_hold_are_one_sentence() -> None:
    w = torch.randn(64, 96)
    for found, said in (
        (quantize_nf4(w), "codes of a table"),
        (quantize_symmetric(w, 4, "channel"), "float32 scales"),
        (quantize_symmetric(w, 4, 64), "96 inputs in groups of 64"),
        (quantize_symmetric(w, 4, (2, 32)), "groups of one size"),
    ):
        with pytest.raises(CheckpointError, match=said):
            grid_of("layers.0.mlp.up_proj", found)
    assert grid_of("x", quantize_affine(w, 4, 32)).zero.max() <= 15
    with pytest.raises(CheckpointError, match="fill no whole words"):
        packed(torch.zeros(4, 96, dtype=torch.uint8), 3)


def test_what_is_there_is_never_overwritten(lm: LanguageModel, tmp_path: Path) -> None:
    (tmp_path / "model.gguf").write_text("mine")
    for form in ("gguf", "gptq", "onnx"):
        with pytest.raises(CheckpointError, match="name a new folder"):
            export(lm, form, tmp_path)
    assert (tmp_path / "model.gguf").read_text() == "mine"
    with pytest.raises(CheckpointError, match="not 'exl2'"):
        export(lm, "exl2", tmp_path)
    with pytest.raises(CheckpointError, match="not 'Q2_K'"):
        export(lm, "gguf", tmp_path / "new", "Q2_K")
