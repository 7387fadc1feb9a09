"""What the interview bank says of strides, copies and the order in which a warp reads memory."""

from __future__ import annotations

import itertools

import pytest
import torch
from test_interview_code import defined

E4M3 = torch.float8_e4m3fn


def shares_memory(a: torch.Tensor, b: torch.Tensor) -> bool:
    return a.untyped_storage().data_ptr() == b.untyped_storage().data_ptr()


def test_an_element_lies_at_the_sum_of_its_indices_times_strides() -> None:
    x = torch.arange(24).view(2, 3, 4).transpose(0, 2)
    assert x.stride() == (1, 4, 12) and not x.is_contiguous()
    for place in itertools.product(*map(range, x.shape)):
        assert x[place] == sum(i * s for i, s in zip(place, x.stride(), strict=True))


def test_view_needs_strides_that_fit_and_reshape_copies_where_they_do_not() -> None:
    x = torch.randn(2, 8, 4, 16)  # [batch, tokens, heads, head dim]
    heads_first = x.transpose(1, 2)
    assert shares_memory(x, heads_first)
    assert heads_first.view(2, 4, 8, 4, 4).shape == (2, 4, 8, 4, 4)  # not contiguous, yet it fits
    with pytest.raises(RuntimeError, match="not compatible"):
        heads_first.view(2, 4, 8 * 16)
    assert not shares_memory(x, heads_first.reshape(2, 4, 8 * 16))
    assert shares_memory(x, x.reshape(2, 8, 64))
    assert x.contiguous() is x
    assert not shares_memory(x, heads_first.contiguous())


def test_the_heads_of_a_fused_projection_are_a_view_with_gaps() -> None:
    qkv = torch.randn(5, 3 * 64)
    _, k, _ = qkv.chunk(3, dim=-1)
    assert k.stride() == (192, 1) and not k.is_contiguous()
    assert shares_memory(qkv, k.view(5, 4, 16))


def test_repeated_heads_take_no_memory_until_they_are_reshaped() -> None:
    keys = torch.randn(8, 100, 128)  # [key heads, tokens, head dim]
    repeated = keys[:, None].expand(8, 4, 100, 128)
    assert shares_memory(keys, repeated) and repeated.stride(1) == 0
    copy = repeated.reshape(32, 100, 128)
    assert copy.untyped_storage().nbytes() == 4 * keys.untyped_storage().nbytes()


def test_a_cache_that_grows_by_concatenation_copies_all_earlier_tokens() -> None:
    cache, new = torch.randn(100, 8, 128), torch.randn(1, 8, 128)
    assert not shares_memory(cache, torch.cat([cache, new]))
    room = torch.empty(128, 8, 128)
    room[100:101] = new
    assert shares_memory(room, room[:101]) and room[:101].is_contiguous()


def test_an_fp8_product_takes_only_a_second_matrix_whose_columns_are_contiguous() -> None:
    """On the meta device, whose rules are those of CUDA; the CPU takes either."""
    x, w = (torch.empty(32, 32, device="meta").to(E4M3) for _ in range(2))
    one = torch.ones((), device="meta")
    product = torch._scaled_mm(x, w.T, scale_a=one, scale_b=one, out_dtype=torch.bfloat16)
    assert product.shape == (32, 32)
    with pytest.raises(RuntimeError, match="col_major"):
        torch._scaled_mm(x, w, scale_a=one, scale_b=one, out_dtype=torch.bfloat16)


def test_packed_codes_can_be_read_as_bytes_only_along_the_last_axis() -> None:
    words = torch.arange(12, dtype=torch.int32).view(3, 4)
    assert words.view(torch.int8).shape == (3, 16)
    with pytest.raises(RuntimeError, match="stride"):
        words.T.view(torch.int8)


LANES = range(32)


def test_a_warp_moves_the_sectors_that_it_touches() -> None:
    sectors = defined("coalescing_and_bank_conflicts")["sectors"]
    assert sectors([4 * t for t in LANES], 4) == 4
    assert sectors([4 + 4 * t for t in LANES], 4) == 5  # shifted by one number
    assert sectors([8 * t for t in LANES], 4) == 8
    assert [sectors([4 * s * t for t in LANES], 4) for s in (8, 32, 4096)] == [32, 32, 32]
    moved = {size: 32 * sectors([4096 * t for t in LANES], size) for size in (4, 2, 1)}
    assert {size: nbytes // (32 * size) for size, nbytes in moved.items()} == {4: 8, 2: 16, 1: 32}
    assert sectors([16 * t for t in LANES], 16) * 32 == 32 * 16  # all that it reads
    assert sectors([12 * t for t in LANES], 4) == 12  # one field of three, structure by structure
    assert sectors([0 for _ in LANES], 4) == 1


def test_words_of_one_bank_wait_for_each_other_and_one_word_is_sent_to_all() -> None:
    passes = defined("coalescing_and_bank_conflicts")["passes"]
    assert passes([4 * t for t in LANES]) == 1
    assert passes([8 * t for t in LANES]) == 2
    column = [4 * 32 * t for t in LANES]  # of a tile with 32 floats a row
    assert passes(column) == 32
    assert passes([4 * 33 * t for t in LANES]) == 1  # one more float a row
    assert passes([4 * (32 * t + (7 ^ t)) for t in LANES]) == 1  # column 7, swizzled
    assert passes([4 * (32 * 7 + (t ^ 7)) for t in LANES]) == 1  # and row 7
    assert passes([0 for _ in LANES]) == 1
    assert passes([2 * t for t in LANES]) == 1  # two 16-bit numbers in a word
    assert all((passes([4 * s * t for t in LANES]) == 1) == (s % 2 == 1) for s in range(1, 66))
