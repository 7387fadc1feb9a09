"""One quantized model in three engines: they compute what its codes say."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import gguf
import pytest
import torch
from torch import Tensor
from typer.testing import CliRunner

from halfbits.checkpoints import gguf_export
from halfbits.checkpoints.exports import export
from halfbits.checkpoints.onnx_export import operators, write_onnx
from halfbits.course.cli.main import app
from halfbits.engines import ENGINES, MissingEngineError, as_module, engine, open_engine
from halfbits.engines.own import Own
from halfbits.errors import CourseError
from halfbits.evaluate import perplexity
from halfbits.methods import rtn
from halfbits.models.language_model import LanguageModel
from halfbits.models.tiny_lm import load_text, load_tiny_lm

HAS_LLAMA = True
try:
    engine.need("cyllama", "")
except MissingEngineError:
    HAS_LLAMA = False
needs_llama = pytest.mark.skipif(not HAS_LLAMA, reason="cyllama has no wheel for this system")
# Logits are sums of 256 products behind six layers; float32 in another order moved them by at most
# 4e-5 on every processor tried. Codes with 8-bit activations move them by tenths.
ORDER = 1e-3


@pytest.fixture(scope="module")
def four() -> LanguageModel:
    lm = load_tiny_lm()
    return lm.with_model(rtn.quantize(lm.model, bits=4, granularity=32)[0])


@pytest.fixture(scope="module")
def ids(four: LanguageModel) -> Tensor:
    return four.encode(load_text("heldout"))[:192]


@pytest.fixture(autouse=True)
def threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def test_transformers_computes_with_the_very_codes(
    four: LanguageModel, ids: Tensor, tmp_path: Path
) -> None:
    own = Own(four.model)
    with open_engine("transformers", export(four, "compressed-tensors", tmp_path / "x")) as other:
        assert (other.logits(ids) - own.logits(ids)).abs().max() < ORDER
        assert other.greedy(ids[:32], 8) == own.greedy(ids[:32], 8)
        assert other.what_ran() == "43 Linear in float32"


def test_onnx_runtime_computes_with_the_very_codes_when_activations_stay_float32(
    four: LanguageModel, ids: Tensor, tmp_path: Path
) -> None:
    own = Own(four.model)
    write_onnx(tmp_path / "x", four, activations="float32")
    with open_engine("onnxruntime", tmp_path / "x") as other:
        assert (other.logits(ids) - own.logits(ids)).abs().max() < ORDER
        assert other.greedy(ids[:32], 8) == own.greedy(ids[:32], 8)
        assert other.what_ran() == "30 MatMulNBits, 1 MatMul"
    assert operators(tmp_path / "x")["GatherBlockQuantized"] == 0


@needs_llama
def test_llama_cpp_predicts_as_the_codes_do_up_to_its_8_bit_activations(
    four: LanguageModel, ids: Tensor, tmp_path: Path
) -> None:
    own = Own(four.model)
    with open_engine("llama.cpp", export(four, "gguf", tmp_path)) as other:
        same = (other.logits(ids).argmax(-1) == own.logits(ids).argmax(-1)).double().mean()
        lost = perplexity(as_module(other), ids, 64).value / perplexity(four.model, ids, 64).value
        assert "Q4_0" in other.what_ran()
        assert len(other.greedy(ids[:32], 8)) == 8
    assert same > 0.9
    assert 0.95 < lost < 1.05


@needs_llama
def test_llama_cpp_loads_rows_in_the_wrong_order_and_answers_nonsense(
    ids: Tensor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lm = load_tiny_lm()
    right = export(lm, "gguf", tmp_path / "right", "F32")
    monkeypatch.setattr(gguf_export, "neighbors", lambda weight, _: weight)
    wrong = export(lm, "gguf", tmp_path / "wrong", "F32")
    sizes = [len(gguf.GGUFReader(path).tensors) for path in (right, wrong)]
    assert sizes[0] == sizes[1]
    found = []
    for path in (right, wrong):
        with open_engine("llama.cpp", path) as other:
            found.append(perplexity(as_module(other), ids, 64).value)
    exact = perplexity(lm.model, ids, 64).value
    assert abs(found[0] / exact - 1) < 0.01
    assert found[1] > 5 * exact


def test_command_prints_a_row_for_each_engine_and_tells_what_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def absent(package: str) -> str:
        if package == "cyllama":
            raise PackageNotFoundError(package)
        return "1"

    monkeypatch.setattr(engine, "version", absent)
    monkeypatch.setattr("halfbits.engines.comparison.PAIRS", 3)
    monkeypatch.setattr("halfbits.engines.comparison.NEW", 2)
    words = ["engines", "transformers", "llama.cpp", "--method", "rtn", "--tokens", "700"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines[1:3]] == ["halfbits", "transformers"]
    assert 'cyllama is not installed: run `pip install "cyllama==0.2.18"`' in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["engines", "vllm"], "there is no engine 'vllm'"),
        (["engines", "--method", "spqr"], "--method takes none, rtn"),
        (["engines", "--bits", "16"], "--bits is 16; 2 to 8"),
        (["export", "x", "--as", "exl2"], "--as takes compressed-tensors"),
        (["export", "x", "--method", "awq", "--zeros"], "--zeros goes with rtn and gptq"),
    ],
)
def test_wrong_words_are_one_sentence(words: list[str], said: str) -> None:
    done = CliRunner().invoke(app, words)
    assert isinstance(done.exception, CourseError)
    assert said in str(done.exception)


def test_folders_without_a_model_are_one_sentence(tmp_path: Path) -> None:
    for name in ("transformers", "onnxruntime"):
        with pytest.raises(CourseError, match=r"there is no .*config\.json"):
            open_engine(name, tmp_path)
    with pytest.raises(CourseError, match="the engines are"):
        open_engine("exllama", tmp_path)


def test_engines_are_not_imported_before_they_are_asked_for() -> None:
    code = "import halfbits.engines, sys; print({'transformers', 'torchao'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
    assert set(ENGINES) == {"transformers", "onnxruntime", "llama.cpp"}
