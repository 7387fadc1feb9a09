"""What the interview bank says of fusions and of the layers of an inference runtime."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

NOTHING = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
EXTENDED = ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED


def model(nodes: list, constants: dict[str, np.ndarray], shapes: tuple[list, list]) -> bytes:
    tensor = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "graph",
        [tensor("x", TensorProto.FLOAT, shapes[0])],
        [tensor("y", TensorProto.FLOAT, shapes[1])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    opsets = [helper.make_opsetid("", 17)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=9).SerializeToString()


def run(program: bytes, x: np.ndarray, level: object, folder: Path) -> tuple[list[str], np.ndarray]:
    """The kinds of nodes that are left after ONNX Runtime's optimizer, and the output."""
    options = ort.SessionOptions()
    options.graph_optimization_level = level
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    options.optimized_model_filepath = str(folder / "optimized.onnx")
    session = ort.InferenceSession(program, options, providers=["CPUExecutionProvider"])
    left = onnx.load(folder / "optimized.onnx").graph.node
    return [node.op_type for node in left], session.run(None, {"x": x})[0]


def test_without_any_quantization_the_optimizer_makes_one_node_of_three(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    constants = {
        "w": rng.standard_normal((4, 3, 1, 1)).astype(np.float32),
        **{name: rng.random(4).astype(np.float32) + 0.5 for name in ("g", "b", "m", "v")},
    }
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"]),
        helper.make_node("BatchNormalization", ["c", "g", "b", "m", "v"], ["n"]),
        helper.make_node("Relu", ["n"], ["y"]),
    ]
    program = model(nodes, constants, ([1, 3, 5, 5], [1, 4, 5, 5]))
    x = rng.standard_normal((1, 3, 5, 5)).astype(np.float32)
    plain, expected = run(program, x, NOTHING, tmp_path)
    fused, got = run(program, x, EXTENDED, tmp_path)
    assert plain == ["Conv", "BatchNormalization", "Relu"]
    assert len(fused) == 1 and fused[0] in ("FusedConv", "Conv")
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-5)


def marked_product(weight: np.ndarray) -> bytes:
    constants = {
        "w": weight,
        "sx": np.float32(0.05),
        "zx": np.uint8(128),
        "sw": np.float32(0.02),
        "zw": np.int8(0),
        "sy": np.float32(0.1),
    }
    constants = {name: np.asarray(value) for name, value in constants.items()}
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "sx", "zx"], ["qx"]),
        helper.make_node("DequantizeLinear", ["qx", "sx", "zx"], ["dx"]),
        helper.make_node("DequantizeLinear", ["w", "sw", "zw"], ["dw"]),
        helper.make_node("MatMul", ["dx", "dw"], ["p"]),
        helper.make_node("QuantizeLinear", ["p", "sy", "zx"], ["qy"]),
        helper.make_node("DequantizeLinear", ["qy", "sy", "zx"], ["y"]),
    ]
    return model(nodes, constants, ([2, 16], [2, 8]))


def test_the_same_marked_graph_runs_as_floats_or_as_one_integer_product(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    weight = rng.integers(-60, 61, (16, 8)).astype(np.int8)  # pairs of products fit 16 bits
    x = rng.standard_normal((2, 16)).astype(np.float32)
    plain, expected = run(marked_product(weight), x, NOTHING, tmp_path)
    fused, got = run(marked_product(weight), x, EXTENDED, tmp_path)
    assert "MatMul" in plain and "QLinearMatMul" not in plain
    assert "QLinearMatMul" in fused and "MatMul" not in fused
    assert np.abs(got - expected).max() <= 0.1 * 1.001  # at most one step of the output


def test_the_optimizer_quantizes_nothing_by_itself(tmp_path: Path) -> None:
    weight = np.random.default_rng(2).standard_normal((16, 8)).astype(np.float32)
    product = helper.make_node("MatMul", ["x", "w"], ["y"])
    program = model([product], {"w": weight}, ([2, 16], [2, 8]))
    every = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    left, got = run(program, np.ones((2, 16), np.float32), every, tmp_path)
    assert left == ["MatMul"]
    np.testing.assert_allclose(got, np.ones((2, 16)) @ weight, rtol=1e-5, atol=1e-5)


def test_a_provider_that_is_not_there_is_replaced_by_the_cpu_with_no_more_than_a_warning() -> None:
    product = helper.make_node("MatMul", ["x", "w"], ["y"])
    program = model([product], {"w": np.eye(4, dtype=np.float32)}, ([1, 4], [1, 4]))
    if "TensorrtExecutionProvider" in ort.get_available_providers():
        pytest.skip("this build has the provider")
    wanted = ["TensorrtExecutionProvider", "CPUExecutionProvider"]
    with pytest.warns(UserWarning, match="not in available provider names"):
        session = ort.InferenceSession(program, providers=wanted)
    assert session.get_providers() == ["CPUExecutionProvider"]
