"""The paged cache of the simulated server: blocks are held once, shared, kept, and never lost."""

from __future__ import annotations

import random

import pytest

from halfbits.serving import BlockPool, Request


def request(prompt: int, shared: int = 0, prefix: str = "system") -> Request:
    return Request(0.0, prompt, 1, prefix, shared)


def test_a_request_takes_its_tokens_over_the_block_size_rounded_up() -> None:
    pool = BlockPool(10, block_size=16)
    assert [pool.needed(n) for n in (0, 1, 16, 17)] == [0, 1, 1, 2]
    assert pool.admit(1, request(17), 17) == 0
    assert (pool.held, pool.free) == (2, 8)
    assert pool.grow(1, 32) and pool.held == 2
    assert pool.grow(1, 33) and pool.held == 3
    pool.release(1)
    assert (pool.held, pool.free) == (0, 10)


def test_what_does_not_fit_changes_nothing() -> None:
    pool = BlockPool(3, block_size=4)
    assert pool.admit(1, request(13), 13) is None and pool.free == 3
    assert pool.admit(1, request(8), 8) == 0
    assert not pool.grow(1, 13) and pool.free == 1
    assert pool.admit(2, request(4), 4, spare=1) is None and pool.free == 1


def test_only_whole_blocks_of_a_prefix_are_found_and_only_after_its_prompt_was_read() -> None:
    pool = BlockPool(20, block_size=4)
    first = request(20, shared=11)
    assert pool.admit(1, first, 20) == 0
    assert pool.admit(2, first, 20) == 0  # nothing was read yet
    pool.share(1, first)
    assert pool.admit(3, first, 20) == 8
    assert pool.held == 5 + 5 + 3
    assert pool.admit(4, request(20, shared=11, prefix="other"), 20) == 0


def test_the_last_token_of_a_prompt_is_read_even_if_all_of_it_was_seen() -> None:
    pool = BlockPool(20, block_size=4)
    whole = request(8, shared=8)
    pool.admit(1, whole, 8)
    pool.share(1, whole)
    assert pool.admit(2, whole, 8) == 4


def test_a_prefix_outlives_its_readers_until_room_is_needed_and_loses_its_end_first() -> None:
    pool = BlockPool(4, block_size=4)
    first = request(13, shared=12)
    pool.admit(1, first, 13)
    pool.share(1, first)
    pool.release(1)
    assert (pool.held, pool.idle, pool.free) == (0, 3, 4)
    pool.admit(2, request(8), 8)  # needs two blocks: one is empty, one was the prefix's end
    assert pool.idle == 2
    assert pool.admit(3, first, 13) is None
    pool.release(2)
    assert pool.admit(3, first, 13) == 8


def test_without_reuse_no_prefix_is_found() -> None:
    pool = BlockPool(20, block_size=4, reuse=False)
    first = request(20, shared=16)
    pool.admit(1, first, 20)
    pool.share(1, first)
    assert pool.admit(2, first, 20) == 0 and pool.held == 10


@pytest.mark.parametrize("seed", range(5))
def test_blocks_are_conserved_whatever_happens(seed: int) -> None:
    some, pool, holders = random.Random(seed), BlockPool(24, block_size=4), {}
    for number in range(400):
        if holders and some.random() < 0.5:
            pool.release(holders.popitem()[0] if some.random() < 0.5 else pop_first(holders))
        shared = some.randrange(30)
        new = request(shared + some.randrange(1, 12), shared, some.choice("ab"))
        if pool.admit(number, new, new.prompt) is not None:
            holders[number] = new
            if some.random() < 0.7:
                pool.share(number, new)
            pool.grow(number, new.prompt + some.randrange(9))
        assert 0 <= pool.held <= pool.held + pool.idle <= pool.blocks
    for number in holders:
        pool.release(number)
    assert pool.held == 0 and pool.free == pool.blocks


def pop_first(holders: dict[int, Request]) -> int:
    first = next(iter(holders))
    del holders[first]
    return first
