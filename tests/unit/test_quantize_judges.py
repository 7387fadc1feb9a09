"""Codes and values bit for bit as ONNX's reference and compressed-tensors compute them.

Each comparison covers 524,288 values of very different sizes. Scales are ours, but for the scales
of MX, which compressed-tensors computes too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper
from onnx.defs import onnx_opset_version
from onnx.reference import ReferenceEvaluator
from torch import Tensor

from halfbits.quantize import (
    Quantized,
    quantize_affine,
    quantize_fp4,
    quantize_fp8,
    quantize_mx,
    quantize_mxfp4,
    quantize_nvfp4,
    quantize_symmetric,
)

OUT, IN = 512, 1024
MX = {
    "fp8_e4m3fn": TensorProto.FLOAT8E4M3FN,
    "fp8_e5m2": TensorProto.FLOAT8E5M2,
    "fp6_e2m3": TensorProto.FLOAT6E2M3,
    "fp6_e3m2": TensorProto.FLOAT6E3M2,
    "fp4_e2m1": TensorProto.FLOAT4E2M1,
}
Quantizer = Callable[[Tensor], Quantized]
BY_ONNX: dict[str, tuple[int, Quantizer]] = {
    "int8, each row": (TensorProto.INT8, lambda w: quantize_symmetric(w, 8)),
    "int8, 32": (TensorProto.INT8, lambda w: quantize_symmetric(w, 8, 32)),
    "int4, each row": (TensorProto.INT4, lambda w: quantize_symmetric(w, 4)),
    "int4, 128": (TensorProto.INT4, lambda w: quantize_symmetric(w, 4, 128)),
    "int2, 32": (TensorProto.INT2, lambda w: quantize_symmetric(w, 2, 32)),
    "uint8, 32": (TensorProto.UINT8, lambda w: quantize_affine(w, 8, 32)),
    "uint4, 32": (TensorProto.UINT4, lambda w: quantize_affine(w, 4, 32)),
    "uint2, 32": (TensorProto.UINT2, lambda w: quantize_affine(w, 2, 32)),
    "fp8, each row": (TensorProto.FLOAT8E4M3FN, lambda w: quantize_fp8(w, "channel")),
    "fp8, 1 x 128": (TensorProto.FLOAT8E4M3FN, lambda w: quantize_fp8(w, (1, 128))),
    "fp4, 32": (TensorProto.FLOAT4E2M1, quantize_fp4),
    "nvfp4": (TensorProto.FLOAT4E2M1, quantize_nvfp4),
    **{f"mx {e}": (code, lambda w, e=e: quantize_mx(w, e)) for e, code in MX.items()},
}


@pytest.fixture(scope="module")
def weight() -> Tensor:
    """Rows whose sizes differ by factors of e^3 or so."""
    generator = torch.Generator().manual_seed(5)
    size = torch.randn(OUT, 1, generator=generator).exp()
    return torch.randn(OUT, IN, generator=generator) * size


def through_onnx(w: Tensor, made: Quantized, code: int) -> tuple[np.ndarray, np.ndarray]:
    """(codes as float32, values) of QuantizeLinear and DequantizeLinear."""
    blocks = len(made.scale) // OUT
    shape, where = (OUT, blocks), {"axis": 1, "block_size": IN // blocks}
    if blocks == 1:
        shape, where = (OUT,), {"axis": 0}
    feed = {"x": w.numpy(), "scale": made.scale.reshape(shape).numpy()}
    names, nodes, kind = ["x", "scale"], [], {"output_dtype": code}
    if made.zero_point is not None:
        feed["zero"] = made.zero_point.reshape(shape).numpy()
        nodes, names, kind = [helper.make_node("Cast", ["zero"], ["z"], to=code)], [*names, "z"], {}
    nodes += [
        helper.make_node("QuantizeLinear", names, ["codes"], **where, **kind),
        helper.make_node("DequantizeLinear", ["codes", *names[1:]], ["values"], **where),
        helper.make_node("Cast", ["codes"], ["plain"], to=TensorProto.FLOAT),
    ]
    inputs = [helper.make_tensor_value_info(n, TensorProto.FLOAT, a.shape) for n, a in feed.items()]
    outputs = [
        helper.make_tensor_value_info(n, TensorProto.FLOAT, w.shape) for n in ("plain", "values")
    ]
    graph = helper.make_graph(nodes, "both", inputs, outputs)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", onnx_opset_version())])
    onnx.checker.check_model(model)
    plain, values = ReferenceEvaluator(model).run(None, feed)
    return np.asarray(plain, np.float32), np.asarray(values, np.float32)


@pytest.mark.parametrize("name", BY_ONNX)
def test_codes_and_values_are_those_of_onnx(name: str, weight: Tensor) -> None:
    code, quantizer = BY_ONNX[name]
    made = quantizer(weight)
    plain, values = through_onnx(weight, made, code)
    np.testing.assert_array_equal(values, made.dequantize().numpy())
    codes = made.codes.float() if made.levels is None else made.levels[made.codes.long()]
    np.testing.assert_array_equal(plain, codes.reshape(OUT, IN).numpy())


def fake(w: Tensor, made: Quantized, shape: tuple[int, ...], offset: int, **named: Any) -> Tensor:
    """What compressed-tensors makes of `w` with our scales; its integers are signed."""
    quantization = pytest.importorskip("compressed_tensors.quantization")
    forward = pytest.importorskip("compressed_tensors.quantization.lifecycle.forward")
    arguments = quantization.QuantizationArgs(**named)
    zero = torch.zeros(shape) if made.zero_point is None else made.zero_point.view(shape) - offset
    return forward.fake_quantize(w, made.scale.view(shape), zero, arguments)


@pytest.mark.parametrize(
    ("made_by", "shape", "named"),
    [
        (lambda w: quantize_symmetric(w, 8), (OUT, 1), {"num_bits": 8, "strategy": "channel"}),
        (
            lambda w: quantize_symmetric(w, 4, 128),
            (OUT, IN // 128),
            {"num_bits": 4, "strategy": "group", "group_size": 128},
        ),
        (
            lambda w: quantize_fp8(w, "channel"),
            (OUT, 1),
            {"num_bits": 8, "type": "float", "strategy": "channel"},
        ),
        (quantize_fp8, (1,), {"num_bits": 8, "type": "float", "strategy": "tensor"}),
        (
            lambda w: quantize_fp8(w, (128, 128)),
            (OUT // 128, IN // 128),
            {
                **{"num_bits": 8, "type": "float"},
                **{"strategy": "block", "block_structure": [128, 128]},
            },
        ),
        (
            lambda w: quantize_mxfp4(w, "nearest"),
            (OUT, IN // 32),
            {
                **{"num_bits": 4, "type": "float", "strategy": "group", "group_size": 32},
                **{"scale_dtype": torch.uint8},
            },
        ),
    ],
    ids=["int8", "int4", "fp8 rows", "fp8 tensor", "fp8 tiles", "mxfp4"],
)
def test_values_are_those_of_compressed_tensors(
    made_by: Quantizer, shape: tuple[int, ...], named: dict[str, Any], weight: Tensor
) -> None:
    made = made_by(weight)
    assert torch.equal(fake(weight, made, shape, 0, symmetric=True, **named), made.dequantize())


@pytest.mark.parametrize("bits", [4, 8])
def test_only_ties_differ_when_the_zero_point_is_added_before_rounding(
    bits: int, weight: Tensor
) -> None:
    """compressed-tensors rounds x / scale + zero; ONNX and this course round x / scale alone."""
    made = quantize_affine(weight, bits)
    named = {"num_bits": bits, "strategy": "channel", "symmetric": False}
    steps = (
        fake(weight, made, (OUT, 1), 2 ** (bits - 1), **named) - made.dequantize()
    ) / made.scale
    assert (steps.abs().round() <= 1).all()
    assert (steps.abs() > 0.5).sum() <= 5


@pytest.mark.parametrize(
    ("bits", "element", "rounding"), [(4, "fp4_e2m1", "nearest"), (8, "fp8_e4m3fn", "ceil")]
)
def test_scales_of_mx_are_those_of_compressed_tensors(
    bits: int, element: str, rounding: Any, weight: Tensor
) -> None:
    """It rounds them to nearest for MXFP4, and up for MXFP8, where nothing clips then."""
    helpers = pytest.importorskip("compressed_tensors.quantization.utils.helpers")
    amax = weight.view(-1, 32).abs().amax(1, keepdim=True)
    codes = helpers.generate_mx_scales(amax, bits).float()
    for known in ("floor", "ceil", "nearest"):
        scale = quantize_mx(weight, element, known).scale
        assert torch.equal(torch.log2(scale) + 127, codes) == (known == rounding)
