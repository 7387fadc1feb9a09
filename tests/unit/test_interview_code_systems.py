"""The Python that answers on the cache and on serving show runs, and does what they say of it."""

from __future__ import annotations

from hashlib import sha256
from itertools import takewhile
from typing import Any

import pytest
import torch
from interview_draws import draw
from test_interview_code import defined
from torch import Tensor

from halfbits.models.llama import rotary_angles
from halfbits.models.llama import rotate as turn
from halfbits.perf.architecture.published import model


def test_the_cache_that_the_answer_counts_is_that_of_published_models() -> None:
    cache_bytes = defined("write_cache_bytes")["cache_bytes"]
    llama = 32 * [{"kind": "full", "kv_heads": 8, "head_dim": 128}]
    assert cache_bytes(llama, [8192], 16) == 2**30
    latent = 61 * [{"kind": "latent", "rank": 512, "rope_dim": 64}]
    assert cache_bytes(latent, [1], 16) == 70_272
    gemma = [
        {"kind": "full", "kv_heads": 16, "head_dim": 128}
        if (layer + 1) % 6 == 0
        else {"kind": "window", "kv_heads": 16, "head_dim": 128, "window": 1024}
        for layer in range(62)
    ]
    lengths = [131_072, 100]
    counted = sum(2 * model("Gemma-3-27B").sizes.cache.elements(n) for n in lengths)
    assert cache_bytes(gemma, lengths, 16) == counted
    with pytest.raises(ValueError, match="no such kind"):
        cache_bytes([{"kind": "else"}], [1], 16)


def rope(x: Tensor, places: Tensor) -> Tensor:
    return turn(x.float(), *rotary_angles(places, x.shape[-1], 10_000.0)).double()


def test_the_cache_of_first_and_last_tokens_that_the_answer_shows() -> None:
    names = defined("write_sink_cache", rotate=rope)
    assert names["keep"](10, 2, 3).tolist() == [0, 1, 7, 8, 9]
    assert names["keep"](4, 2, 3).tolist() == [0, 1, 2, 3]
    q, k, v = draw(0, 16), draw(1, 10, 16), draw(2, 10, 8)
    out = names["attend"](q, k, v, 2, 3)
    other_k, other_v = k.clone(), v.clone()
    other_k[2:7], other_v[2:7] = 100, 100  # dropped tokens are not heard
    torch.testing.assert_close(names["attend"](q, other_k, other_v, 2, 3), out)
    short = torch.cat([k[:2], k[7:]]), torch.cat([v[:2], v[7:]])
    torch.testing.assert_close(names["attend"](q, *short, 2, 3), out)  # places in the cache


def test_the_int8_attention_that_the_answer_shows_is_exact_in_its_codes() -> None:
    names = defined("write_int8_attention")
    q, k, v = draw(10, 4, 64), draw(11, 200, 64), draw(12, 200, 32)
    out = names["int8_attention"](q, k, v)
    exact = torch.softmax(q @ k.T / 8, -1) @ v
    assert (out - exact).norm() < 0.03 * exact.norm()
    coded = [names["coded"](x, axis) for x, axis in ((q, 1), (k, 1), (v, 0))]
    assert all(codes.dtype == torch.int32 and codes.abs().max() == 127 for codes, _ in coded)
    # With numbers that their codes hold, nothing is lost but in the weights.
    q, k, v = (codes * scale for codes, scale in coded)
    scores = (coded[0][0] @ coded[1][0].T) * coded[0][1] * coded[1][1].T / 8
    torch.testing.assert_close(scores, q @ k.T / 8)
    # Subtracting the mean key changes no weight.
    torch.testing.assert_close(torch.softmax(q @ (k - k.mean(0)).T, -1), torch.softmax(q @ k.T, -1))


def prefix_cache(blocks: int, depends_on: str = "bf16") -> Any:
    names = defined("write_prefix_cache", sha256=sha256, takewhile=takewhile)
    return names["PrefixCache"](blocks, 4, depends_on)


def test_the_prefix_cache_that_the_answer_shows_shares_full_blocks_and_evicts_ends_first() -> None:
    cache = prefix_cache(4)
    system, ours, other = [1, 2, 3, 4, 5, 6, 7, 8], [9, 10], [11]
    table, found = cache.allocate(system + ours)
    assert found == 0 and len(set(table)) == 3
    cache.filled(system + ours, table)
    shared, found = cache.allocate(system + other)
    assert found == 8 and shared[:2] == table[:2] and shared[2] != table[2]
    assert [cache.users[block] for block in shared] == [2, 2, 1]
    cache.release(table)
    cache.release(shared)
    assert cache.users == [0, 0, 0, 0]
    whole, found = cache.allocate(system)
    assert whole[0] == table[0] and found == 4  # all is cached, but one token has to be run
    cache.release(whole)
    foreign, found = cache.allocate(list(range(100, 109)))
    assert found == 0 and table[1] in foreign and table[0] not in foreign  # the start stays
    cache.release(foreign)
    assert cache.allocate(system)[1] == 4


def test_the_prefix_cache_that_the_answer_shows_never_hands_out_what_is_in_use_or_not_written() -> (
    None
):
    cache, prompt = prefix_cache(3), [1, 2, 3, 4, 5]
    table, _ = cache.allocate(prompt)
    assert cache.allocate(prompt) is None  # not written yet, and one block is left of two
    assert cache.users.count(0) == 1  # what could not be had whole was not taken in part
    cache.filled(prompt, table)
    again, found = cache.allocate(prompt)
    assert found == 4 and again[0] == table[0] and again[1] != table[1]
    cache.release(table)
    cache.release(again)
    foreign, found = cache.allocate([7, 2, 3, 4, 5, 6, 7, 8, 9])
    assert found == 0 and len(foreign) == 3  # the old blocks were evicted
    cache.release(foreign)
    assert cache.allocate(prompt)[1] == 0  # and their keys with them
    assert prefix_cache(3).keys(prompt) != prefix_cache(3, "fp8").keys(prompt)
