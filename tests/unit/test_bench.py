"""The benchmarks measure what they say, on small sizes and on the CPU."""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch

from benchmarks import bench, cpu_levels, gpu_matmul, implementations, layers, products
from halfbits.perf import predict as why

CPU = torch.device("cpu")
SMALL = why.Decoder(1, 256, 384, 8, 8, 32, 1)


@pytest.fixture(autouse=True)
def _few_and_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu_matmul, "SAMPLES", 3)
    for module in (products, layers):
        monkeypatch.setattr(module, "ROTATED_BYTES", 2**18)


@torch.inference_mode()
def collected(name: str, failed: dict[str, str]) -> list[dict[str, Any]]:
    return products.collect(
        {name: implementations.implementations()[name]}, [(256, 64)], [1, 5], CPU, failed
    )


@pytest.mark.parametrize(
    ("name", "least", "most"),
    [
        ("bf16", 1e-4, 0.01),
        ("int8, converted in each call", 1e-3, 0.02),
        ("int4 g128, converted in each call", 0.02, 0.2),
    ],
)
def test_every_way_computes_the_product_with_its_formats_error(
    name: str, least: float, most: float
) -> None:
    found = collected(name, {})
    assert [row["batch"] for row in found] == [1, 5]
    assert all(least < row["error"] < most for row in found)
    assert all(row["seconds"]["low"] <= row["seconds"]["high"] for row in found)


def test_what_cannot_run_is_kept_with_its_reason() -> None:
    failed: dict[str, str] = {}
    assert collected("int4 g128, torch _weight_int4pack_mm", failed) == []
    assert failed["int4 g128, torch _weight_int4pack_mm"]


@torch.inference_mode()
def test_a_layer_over_a_cache_computes_what_the_prompt_computes() -> None:
    implementation = implementations.of_plain("fp32")
    layer = layers.Layer(SMALL, implementation, CPU, "fp32")
    tokens, turn = torch.randn(6, 256).bfloat16(), layers.turns(6, SMALL, CPU)
    whole = layer(tokens, turn, layers.causal)
    keys, values = (torch.zeros(1, 8, 6, 32).bfloat16() for _ in range(2))
    for n in range(1, 7):
        attend = layers.with_cache(keys[:, :, :n], values[:, :, :n])
        last = layer(tokens[n - 1 : n], turn[n - 1 : n], attend)
    # A few roundings to bfloat16 (2^-9 each) that the two paths do in another order.
    assert (last - whole[-1:]).norm() < 8 * 2**-9 * whole[-1:].norm()


def test_the_layers_products_are_those_that_why_predicts() -> None:
    for model in why.MODELS.values():
        assert tuple(layers.matrices(model).values()) == model.matrices


def test_a_record_is_json_with_a_row_in_each_line() -> None:
    made = {"samples": 3, "gemv": [{"way": "a"}, {"way": "b"}], "failed": {}}
    text = bench.lines(made)
    assert json.loads(text) == made and len(text.splitlines()) == 8


def test_speeds_are_ratios_of_the_same_turn() -> None:
    busy = {"long": lambda: sum(range(200_000)), "short": lambda: sum(range(20_000))}
    found = cpu_levels.in_turns(busy, 9)
    assert found["long"]["speed"]["median"] == 1
    assert found["short"]["speed"]["median"] > 1
    assert found["short"]["seconds"]["least"] <= found["short"]["seconds"]["low"]
