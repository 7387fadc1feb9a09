"""What a CPU's record compares: PyTorch's paths, the course's numba kernels, ONNX Runtime's."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.cpu_onnx import GROUP, Call, OnnxDecoder, onnx_ways
from benchmarks.gpu_matmul import off
from halfbits.kernels import cpu
from halfbits.kernels.packed import pack
from halfbits.quantize import quantize_symmetric

__all__ = ["decoders", "implementations", "off"]


def implementations(
    x: Tensor, w: Tensor, threads: int, native: bool, failed: dict[str, str]
) -> dict[str, Call]:
    """Each implementation of x [batch, inputs] times w [outputs, inputs]; reasons go into `failed`.

    ONNX Runtime cannot be told to leave instructions out: it is asked at the native level alone.
    """
    made: dict[str, Call] = {}
    groups = [torch_ways, numba_ways] + ([onnx_ways] if native else [])
    for group in groups:
        for name, build in group(x, w, threads).items():
            try:
                call = build()
                call()
                made[name] = call
            except Exception as error:  # libraries raise errors of their own
                lines = str(error).strip().splitlines() or [type(error).__name__]
                failed[name] = lines[0][:200]
    return made


def torch_ways(x: Tensor, w: Tensor, threads: int) -> dict[str, Callable[[], Call]]:
    def plain(dtype: torch.dtype) -> Call:
        a, b = x.to(dtype), w.to(dtype)
        return lambda: F.linear(a, b)

    def converted() -> Call:
        quantized = quantize_symmetric(w, 8)
        codes, scale = quantized.codes, quantized.scale
        return lambda: F.linear(x, codes.float() * scale)

    def int8_pack() -> Call:
        quantized, short = quantize_symmetric(w, 8), x.bfloat16()
        scale = quantized.scale[:, 0].bfloat16()
        return lambda: torch.ops.aten._weight_int8pack_mm(short, quantized.codes, scale)

    def int4_pack() -> Call:
        quantized, short = quantize_symmetric(w, 4, GROUP), x.bfloat16()
        codes = (quantized.codes.int() + 8).view(w.shape)
        packed = torch.ops.aten._convert_weight_to_int4pack_for_cpu(codes, 1)
        zeros = torch.zeros(w.shape[1] // GROUP, w.shape[0], 2).bfloat16()
        zeros[..., 0] = quantized.scale.view(w.shape[0], -1).T
        return lambda: torch.ops.aten._weight_int4pack_mm_for_cpu(short, packed, GROUP, zeros)

    return {
        "fp32": lambda: plain(torch.float32),
        "bf16": lambda: plain(torch.bfloat16),
        "int8, converted in each call": converted,
        "int8, torch _weight_int8pack_mm (bf16 x)": int8_pack,
        "int4 g128, torch _weight_int4pack_mm (bf16 x)": int4_pack,
        "int8 both, torch dynamic": lambda: dynamic(x, w),
    }


def dynamic(x: Tensor, w: Tensor) -> Call:
    """PyTorch's dynamic quantization: int8 weights and activations in its x86 kernels."""
    layer = nn.Linear(w.shape[1], w.shape[0], bias=False)
    layer.weight = nn.Parameter(w, requires_grad=False)
    model = torch.ao.quantization.quantize_dynamic(nn.Sequential(layer), {nn.Linear}, torch.qint8)
    return lambda: model(x)


def numba_ways(x: Tensor, w: Tensor, threads: int) -> dict[str, Callable[[], Call]]:
    def ours(bits: int, granularity: str | int, call: Any = cpu.matmul) -> Call:
        packed = pack(quantize_symmetric(w, bits, granularity))
        return lambda: call(x, packed, threads)

    return {
        "int8, ours": lambda: ours(8, "channel"),
        "int8 both, ours": lambda: ours(8, "channel", cpu.integer_matmul),
        "int4 g128, ours": lambda: ours(4, GROUP),
        "int4 g32, ours": lambda: ours(4, 32),
    }


def decoders(
    new: int, threads: int, native: bool
) -> tuple[Tensor, dict[str, Callable[[Tensor, int], object]]]:
    """A prompt, and by implementation a function that decodes so many tokens after it, greedily."""
    from halfbits.kernels.decoder import FusedDecoder
    from halfbits.kernels.linear import packed_model
    from halfbits.models.generate import generate
    from halfbits.models.tiny_lm import load_text, load_tiny_lm

    lm = load_tiny_lm()
    prompt = torch.as_tensor(lm.encode(load_text("heldout"))[:16])
    models: dict[str, Any] = {
        "fp32": lm.model,
        "int8, ours": packed_model(lm.model),
        "int8 both, ours": packed_model(lm.model, integer=True),
        "int4 g32, ours": packed_model(lm.model, 4, 32),
    }
    with contextlib.suppress(Exception):
        models["int8 both, torch dynamic"] = torch.ao.quantization.quantize_dynamic(
            lm.model, {nn.Linear}, torch.qint8
        )
    calls: dict[str, Callable[[Tensor, int], object]] = {
        name: partial(generate, model) for name, model in models.items()
    }
    for bits, name in ((32, "fp32, one loop"), (8, "int8, one loop")):
        calls[name] = FusedDecoder(lm.model, bits).generate
    if native:
        for kind, name in (("", "fp32, ONNX Runtime"), ("int8", "int8 both, ONNX Runtime")):
            calls[name] = OnnxDecoder(lm.model, len(prompt) + new, threads, kind).generate
    return prompt, calls
