"""Claims of the interview bank on serving: latency, chunks, moving caches, drafts, layouts."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from interview_draws import draw
from torch import Tensor

from halfbits.perf.architecture.published import model
from halfbits.perf.cost import Decoder, hardware, llama_3, weight_bytes

H100 = hardware()["H100 SXM"]


def test_pages_waste_half_a_block_a_row_and_contiguous_caches_most_of_their_memory() -> None:
    lengths = torch.randint(1, 2049, (10_000,), generator=torch.Generator().manual_seed(0))
    paged = -(-lengths // 16) * 16
    assert (paged - lengths).double().mean() == pytest.approx(7.5, abs=0.1)
    assert lengths.double().mean() / 8192 < 0.15  # of a reservation of 8,192 tokens each


def seconds(sizes: Decoder, batch: int, weights: str, cache: str = "bf16") -> float:
    return H100.seconds(sizes.decode(batch, 2048, weights, cache), "bf16")


def test_weight_only_int4_moves_the_time_of_a_token_and_not_that_of_the_first() -> None:
    sizes = llama_3(8)
    first = {w: H100.seconds(sizes.prefill(1, 2048, w), "bf16") for w in ("bf16", "int4")}
    assert first["int4"] == first["bf16"]  # arithmetic in 16 bits bounds both
    assert H100.seconds(sizes.prefill(1, 2048, "fp8"), "fp8") < 0.55 * first["bf16"]
    assert seconds(sizes, 1, "int4") < 0.4 * seconds(sizes, 1, "bf16")


def test_a_larger_batch_raises_throughput_and_can_take_goodput_to_zero() -> None:
    sizes, limit = llama_3(8), 0.013  # seconds for a token
    step = {batch: seconds(sizes, batch, "bf16") for batch in (1, 64, 96, 256)}
    rate = {batch: batch / step[batch] for batch in step}
    assert rate[256] > rate[96] > rate[64] > rate[1]
    good = {batch: rate[batch] if step[batch] <= limit else 0 for batch in step}
    assert good[256] == 0 < good[64] < good[96]


def test_chunks_of_a_prompt_do_the_same_attention_and_read_the_weights_again() -> None:
    tokens, chunk = 32_768, 512
    pairs = sum(
        min(start + chunk, tokens) * (min(start + chunk, tokens) + 1) // 2
        - start * (start + 1) // 2
        for start in range(0, tokens, chunk)
    )
    assert pairs == tokens * (tokens + 1) // 2
    assert tokens // chunk == 64


def test_a_long_prompt_in_one_piece_stops_decoding_for_a_second_and_a_chunk_for_tens_of_ms() -> (
    None
):
    sizes = llama_3(8)
    whole = H100.seconds(sizes.prefill(1, 32_768, "bf16"), "bf16")
    piece = H100.seconds(sizes.prefill(1, 512, "bf16"), "bf16")
    assert whole > 0.6 and piece < 0.012
    assert H100.crossover_batch("bf16", "bf16") < 512  # so a chunk's weights are read for free


def tokens_a_pass(agreement: float, drafted: int) -> float:
    return (1 - agreement ** (drafted + 1)) / (1 - agreement)


def gain(
    draft_bytes: float, target_bytes: float, agreement: float = 0.8, drafted: int = 4
) -> float:
    return tokens_a_pass(agreement, drafted) / (1 + drafted * draft_bytes / target_bytes)


def test_a_one_layer_draft_keeps_most_of_its_gain_when_only_the_target_is_quantized() -> None:
    sizes = llama_3(70)
    layer, head = 2 * sizes.block_weights / 80, 2 * sizes.head_weights
    bf16, int4 = (sizes.stored(w).read for w in ("bf16", "int4"))
    assert gain(layer + head, bf16) == pytest.approx(3.03, abs=0.01)
    assert gain(layer + head, int4) == pytest.approx(2.39, abs=0.01)
    both = gain(weight_bytes(layer / 2, 4, 128) + head, int4)
    assert gain(layer + head, int4) < both < gain(layer + head, bf16)
    assert tokens_a_pass(0.875, 1) == 1.875  # one guess that holds seven times of eight


def test_a_loader_that_dequantizes_mxfp4_needs_more_than_three_times_the_memory() -> None:
    oss = model("gpt-oss-120b")
    assert oss.stored is not None and oss.checkpoint_bytes is not None
    assert 2 * oss.stored / oss.checkpoint_bytes == pytest.approx(3.58, abs=0.01)


def test_thirty_two_codes_of_three_bits_fill_three_words_and_ten_in_a_word_waste_two_bits() -> None:
    assert 32 * 3 == 3 * 32 and 32 - 10 * 3 == 2
    codes = np.random.default_rng(0).integers(0, 8, 32)
    whole = sum(int(code) << 3 * place for place, code in enumerate(codes))
    words = [(whole >> 32 * k) & 0xFFFFFFFF for k in range(3)]
    back = sum(word << 32 * k for k, word in enumerate(words))
    assert [(back >> 3 * place) & 7 for place in range(32)] == codes.tolist()
    straddling = [place for place in range(32) if (3 * place) // 32 != (3 * place + 2) // 32]
    assert len(straddling) == 2  # two codes lie across a border between words


def test_a_four_bit_code_becomes_fp16_by_an_or_and_a_subtraction() -> None:
    codes = np.arange(16, dtype=np.uint16)
    numbers = (codes | 0x6400).view(np.float16)  # 1024 + code: the code is the end of the mantissa
    assert (numbers == 1024 + codes).all()
    assert (numbers - np.float16(1032) == codes.astype(float) - 8).all()


def test_interleaved_nibbles_come_out_in_pairs_by_one_mask_for_two_halves_of_a_word() -> None:
    order = [0, 2, 4, 6, 1, 3, 5, 7]  # where code k lies, from the low end
    codes = list(range(8, 16))
    word = sum(code << 4 * place for code, place in zip(codes, np.argsort(order), strict=True))
    pairs = []
    for shift in (0, 4, 8, 12):
        both = (word >> shift) & 0x000F000F  # one code in each 16-bit half
        pairs.append((both & 0xF, both >> 16))
    assert [code for pair in pairs for code in pair] == codes


def attention(q: Tensor, k: Tensor, v: Tensor, block: int) -> Tensor:
    """Online softmax: the maximum, the sum and the output are carried from block to block."""
    top, total, out = (
        torch.tensor(-torch.inf),
        torch.tensor(0.0).double(),
        torch.zeros(v.shape[1]).double(),
    )
    for keys, values in zip(k.split(block), v.split(block), strict=True):
        scores = keys @ q
        new = torch.maximum(top, scores.max())
        weights, shrink = (scores - new).exp(), (top - new).exp()
        total, out, top = total * shrink + weights.sum(), out * shrink + weights @ values, new
    return out / total


def test_online_softmax_is_softmax_whatever_the_blocks() -> None:
    q, k, v = 3 * draw(0, 16), draw(1, 96, 16), draw(2, 96, 8)
    exact = (k @ q).softmax(0) @ v
    for block in (1, 7, 32, 96):
        torch.testing.assert_close(attention(q, k, v, block), exact)


def test_outputs_of_pieces_of_a_cache_merge_into_that_of_the_whole() -> None:
    q, k, v = 3 * draw(0, 16), draw(1, 96, 16), draw(2, 96, 8)
    whole = (k @ q).softmax(0) @ v
    scores = [piece @ q for piece in k.split(40)]
    largest = torch.stack([piece.max() for piece in scores])
    sums = torch.stack([(piece - piece.max()).exp().sum() for piece in scores])
    outputs = [s.softmax(0) @ piece for s, piece in zip(scores, v.split(40), strict=True)]
    shares = sums * (largest - largest.max()).exp()
    merged = shares @ torch.stack(outputs) / shares.sum()
    torch.testing.assert_close(merged, whole)
    assert not torch.allclose(sums @ torch.stack(outputs) / sums.sum(), whole, atol=0.01)


def test_a_running_sum_in_fp16_loses_what_one_in_float32_keeps() -> None:
    weights = torch.full((8192,), 0.2)
    narrow = torch.tensor(0.0).half()
    for weight in weights.half():
        narrow = narrow + weight
    assert narrow < 0.5 * weights.sum()


def test_attention_weights_below_2_to_the_minus_10_are_zero_in_e4m3_unless_they_are_scaled() -> (
    None
):
    weights = torch.tensor([1.0, 2.0**-9, 2.0**-11])
    plain = weights.to(torch.float8_e4m3fn).float()
    scaled = (256 * weights).to(torch.float8_e4m3fn).float() / 256
    assert plain.tolist() == [1, 2**-9, 0] and torch.equal(scaled, weights)


def test_softmax_after_a_shift_never_overflows_and_without_one_it_does_in_fp16() -> None:
    scores = torch.tensor([12.0, 11.0, -3.0]).half()
    assert scores.exp().isinf().any()  # e^12 is beyond 65,504
    assert (scores - scores.max()).exp().isfinite().all()
