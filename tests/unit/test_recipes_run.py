"""The recipes that are marked as run: the very text of the page runs, and does what it says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch

from halfbits.course.authoring.recipes import Recipe, load_recipes
from halfbits.folders import find_root

RECIPES = {
    (engine.id, recipe.title): recipe
    for engine in load_recipes(find_root()).engines
    for recipe in engine.recipes
}
needs_llama = pytest.mark.skipif(find_spec("cyllama") is None, reason="cyllama is not installed")
# Relative errors of a product of Gaussians: int8 and 4 bits, each with room for both sides.
LOST = {
    "int8 weights and activations": ("Int8Tensor", 0.003, 0.03),
    "int4 weights, int8 activations, on a CPU": ("IntxUnpackedToInt8Tensor", 0.05, 0.2),
    "NVFP4, weights alone": ("NVFP4Tensor", 0.05, 0.2),
}


def run(recipe: Recipe, names: Mapping[str, object]) -> dict[str, object]:
    """Execute the command of a recipe, and give the names that it leaves."""
    left = dict(names)
    exec(recipe.command, left)
    return left


@pytest.mark.parametrize("title", LOST)
def test_torchao_runs_the_recipes_for_this_cpu(title: str) -> None:
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(256, 128, bias=False))
    x = torch.randn(8, 256)
    exact = model(x)
    run(RECIPES["torchao", title], {"model": model})
    kind, least, most = LOST[title]
    assert type(model[0].weight).__name__ == kind
    assert least < ((model(x) - exact).norm() / exact.norm()).item() < most


@pytest.mark.parametrize(
    ("title", "said"),
    [
        ("fp8 weights and activations", "8.9"),
        ("NVFP4 or MXFP4", "sm100"),
    ],
)
def test_torchao_refuses_what_a_cpu_does_not_multiply(title: str, said: str) -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    model = torch.nn.Sequential(torch.nn.Linear(256, 128, bias=False)).bfloat16()
    with pytest.raises(AssertionError, match=said):
        run(RECIPES["torchao", title], {"model": model})
        model(torch.randn(8, 256, dtype=torch.bfloat16))


def test_onnx_runtime_runs_the_recipe_for_int8(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import numpy as np
    import onnx
    from onnxruntime import InferenceSession

    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    weight, x = (rng.standard_normal((64, 64)).astype(np.float32) for _ in range(2))
    sizes = [onnx.helper.make_tensor_value_info(n, 1, ["rows", 64]) for n in ("x", "y")]
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("MatMul", ["x", "w"], ["y"])],
        "product",
        sizes[:1],
        sizes[1:],
        [onnx.numpy_helper.from_array(weight, "w")],
    )
    opset = [onnx.helper.make_opsetid("", 21)]
    onnx.save(onnx.helper.make_model(graph, opset_imports=opset, ir_version=10), "model.onnx")
    run(RECIPES["onnxruntime", "int8 weights and activations"], {})
    made = {node.op_type for node in onnx.load("model-int8.onnx").graph.node}
    assert {"MatMulInteger", "DynamicQuantizeLinear"} <= made
    [y] = InferenceSession("model-int8.onnx").run(None, {"x": x})
    # Half a step of int8 on either side; without VNNI a pair of products may saturate as well.
    assert 0.001 < np.linalg.norm(y - x @ weight) / np.linalg.norm(x @ weight) < 0.3


@pytest.fixture(scope="module")
def f16(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the tiny language model as `model-f16.gguf`."""
    from halfbits.checkpoints.gguf_export import write_gguf
    from halfbits.models.tiny_lm import load_tiny_lm

    folder = tmp_path_factory.mktemp("gguf")
    write_gguf(folder / "model-f16.gguf", load_tiny_lm(), "F16")
    return folder


@needs_llama
def test_llama_cpp_runs_the_recipe_for_k_quants(f16: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import gguf

    monkeypatch.chdir(f16)
    run(RECIPES["llama_cpp", "the same from Python, K-quants"], {})
    kinds = Counter(one.tensor_type.name for one in gguf.GGUFReader("model-q4_k_m.gguf").tensors)
    assert kinds["Q4_K"] > len(kinds) and {"Q5_0", "Q8_0", "Q6_K"} <= {*kinds}


@needs_llama
def test_llama_cpp_runs_the_recipe_for_an_8_bit_cache(
    f16: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cyllama.llama import llama_cpp

    monkeypatch.chdir(f16)
    llama_cpp.disable_logging()
    left = run(RECIPES["llama_cpp", "the same from Python, 8-bit cache"], {})
    left["params"].flash_attn_type = 0
    with pytest.raises(RuntimeError, match="context"):
        llama_cpp.LlamaContext(left["model"], left["params"])
    left["context"].close()
    left["model"].close()
