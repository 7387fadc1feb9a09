"""What a layer saw is X^T X of its true inputs, and windows are drawn without overlap."""

from __future__ import annotations

import pytest
import torch

from halfbits.methods.calibration import block_by_block, output_error, windows
from halfbits.models.hooks import record_inputs


def test_windows_are_pieces_of_the_text_without_overlap():
    found = windows(torch.arange(100), 9, length=10)
    assert sorted(row[0].item() for row in found) == sorted({row[0].item() for row in found})
    assert all(torch.equal(row, torch.arange(10) + row[0]) for row in found)


def test_a_smaller_count_is_the_beginning_of_a_larger_one():
    assert torch.equal(windows(torch.arange(100), 3, 10), windows(torch.arange(100), 9, 10)[:3])


def test_a_text_that_is_too_short_is_named():
    with pytest.raises(ValueError, match="have 10 windows of 10, not 11"):
        windows(torch.arange(100), 11, length=10)


def test_a_moment_is_the_mean_product_of_the_inputs(small, ids):
    with record_inputs(small, "down_proj") as inputs:
        small(ids)
    for index, _, seen in block_by_block(small, ids):
        x = inputs[f"layers.{index}.mlp.down_proj"][0].double()
        found = seen["mlp.down_proj"]
        torch.testing.assert_close(found.moment, x.T @ x / len(x), rtol=1e-5, atol=1e-7)
        torch.testing.assert_close(found.mean, x.abs().mean(0), rtol=1e-5, atol=1e-7)


def test_later_blocks_see_what_a_changed_block_gives(small, ids):
    for index, block, seen in block_by_block(small, ids):
        if index == 0:
            block.mlp.down_proj.weight.zero_()
            block.self_attn.o_proj.weight.zero_()
        else:
            x = block.input_layernorm(small.embed_tokens(ids)).flatten(0, 1).double()
            torch.testing.assert_close(
                seen["self_attn.q_proj"].moment, x.T @ x / len(x), rtol=1e-5, atol=1e-7
            )


def test_output_error_is_the_mean_squared_difference_of_the_outputs():
    draw = torch.Generator().manual_seed(0)
    w, lossy = torch.randn(2, 5, 7, generator=draw, dtype=torch.float64)
    x = torch.randn(40, 7, generator=draw, dtype=torch.float64)
    want = ((x @ w.T - x @ lossy.T) ** 2).mean(0)
    torch.testing.assert_close(output_error(w, lossy, x.T @ x / 40), want)
