"""Claims of the interview bank on running a service: engines, money, overload, percentiles."""

from __future__ import annotations

import math
from collections import Counter
from itertools import groupby
from statistics import fmean

import pytest

from halfbits.perf.cost import hardware, llama_3

H100, SIZES = hardware()["H100 SXM"], llama_3(8)


def shared_by_tokens(one: list[int], other: list[int]) -> int:
    pairs = enumerate(zip(one, other, strict=False))
    return next((place for place, (a, b) in pairs if a != b), min(len(one), len(other)))


def shared_by_blocks(one: list[int], other: list[int], block: int) -> int:
    starts = range(0, min(len(one), len(other)) - block + 1, block)
    whole = [one[s : s + block] == other[s : s + block] for s in starts]
    return block * [*whole, False].index(False)


def test_sharing_by_tokens_finds_half_a_block_more_than_sharing_by_blocks_of_sixteen() -> None:
    less = []
    for prefix in range(256, 512):  # every remainder of 16 equally often
        one, other = list(range(prefix)) + 40 * [-1], list(range(prefix)) + 40 * [-2]
        by_tokens = shared_by_tokens(one, other)
        assert by_tokens == prefix
        less.append(by_tokens - shared_by_blocks(one, other, 16))
    assert fmean(less) == pytest.approx(7.5)


def written(rows: int, price: float = 3.0) -> float:
    """Dollars for a million tokens that are written at 2,048 tokens of context, at the bound."""
    step = H100.seconds(SIZES.decode(rows, 2048, "bf16"), "bf16")
    return price / 3600 * step / rows * 1e6


def test_a_full_batch_makes_a_written_token_tens_of_times_cheaper_and_the_cache_ends_that() -> None:
    assert written(1) / written(64) == pytest.approx(30, abs=1)
    assert 1 - written(256) / written(64) == pytest.approx(1 / 3, abs=0.03)
    needed = 256 * 2048 * SIZES.kv_bytes("bf16") + SIZES.stored("bf16").total
    assert needed > 0.9 * H100.memory


def test_a_read_token_costs_a_tenth_of_a_written_one_in_a_full_batch() -> None:
    read = 3.0 / 3600 * H100.seconds(SIZES.prefill(1, 2048, "bf16"), "bf16") / 2048 * 1e6
    assert written(64) / read == pytest.approx(10, abs=1)


def done(arrivals: list[float], services: list[float]) -> list[float]:
    """When one server that takes requests in order is done with each."""
    free, ends = 0.0, []
    for arrival, service in zip(arrivals, services, strict=True):
        free = max(free, arrival) + service
        ends.append(free)
    return ends


def percentile(values: list[float], percent: int) -> float:
    return sorted(values)[-(-percent * len(values) // 100) - 1]


def test_a_client_that_waits_for_answers_hides_a_pause_that_arrivals_show() -> None:
    services = [0.010 + 2 * (place == 500) for place in range(1000)]
    closed = services  # the next request is sent when the answer is there
    due = [0.020 * place for place in range(1000)]
    opened = [end - at for end, at in zip(done(due, services), due, strict=True)]
    assert percentile(closed, 99) == pytest.approx(0.010)
    assert percentile(opened, 99) > 1


def below(rank: int, requests: int) -> float:
    """The chance that fewer than `rank` of the requests are below the true P95."""
    every = math.lgamma(requests + 1)
    logs = (
        every - math.lgamma(k + 1) - math.lgamma(requests - k + 1)
        + k * math.log(0.95) + (requests - k) * math.log(0.05)
        for k in range(rank)
    )  # fmt: skip
    return math.fsum(map(math.exp, logs))


@pytest.mark.parametrize(("requests", "low", "high"), [(200, 184, 197), (2000, 1881, 1919)])
def test_a_p95_of_200_requests_is_known_to_ranks_184_to_197_and_one_of_2000_to_1881_to_1919(
    requests: int, low: int, high: int
) -> None:
    covered = below(high, requests) - below(low, requests)
    assert 0.945 < covered < 0.97


def test_near_capacity_a_tenth_less_service_halves_the_wait_and_far_below_it_hardly_shows() -> None:
    def wait(busy: float, faster: float = 1.0) -> float:  # M/M/1, in old service times
        load = busy * faster
        return faster * load / (1 - load)

    assert wait(0.9, 0.9) < 0.5 * wait(0.9)
    assert wait(0.1) + 1 - (wait(0.1, 0.9) + 0.9) == pytest.approx(0.1, abs=0.03)


def test_gaps_that_are_too_short_one_by_one_hold_a_long_row_in_pages() -> None:
    memory = ["a"] * 4 + ["b"] * 2 + ["c"] * 4
    left = ["" if owner in "ac" else owner for owner in memory]  # two rows are finished
    gaps = [len(list(run)) for owner, run in groupby(left) if not owner]
    assert sum(gaps) >= 6 > max(gaps)  # a row of six fits by pages and nowhere in one piece


def test_two_answers_share_the_blocks_of_their_prompt_until_one_writes() -> None:
    tables = {"a": [0, 1], "b": [0, 1]}  # a prompt of six tokens in blocks of four
    count = Counter(block for table in tables.values() for block in table)
    assert count[1] == 2  # shared and half full: the first to write takes a copy
    tables["a"][1] = 2
    count = Counter(block for table in tables.values() for block in table)
    assert count == {0: 2, 1: 1, 2: 1}  # three blocks where two rows alone would take four


def in_time(queue: float, deadline: float = 1.0, load: float = 2.0) -> float:
    """The share of requests that one server answers within the deadline; each takes 10 ms, and one
    that would wait longer than `queue` seconds is refused at once."""
    free, good = 0.0, 0
    for place in range(20_000):
        arrival = 0.010 / load * place
        if max(free, arrival) - arrival > queue:
            continue
        free = max(free, arrival) + 0.010
        good += free - arrival <= deadline
    return good / 20_000


def test_at_twice_its_capacity_an_endless_queue_serves_nobody_in_time_and_a_short_one_half() -> (
    None
):
    assert in_time(float("inf")) < 0.02
    assert in_time(0.9) == pytest.approx(0.5, abs=0.02)


def requests_a_second(fresh: int, weights: str, cache: str) -> float:
    """Of one card at the bound: 2,048 tokens, of which `fresh` are not cached, and 256 written."""
    done_before = 0.0
    if fresh < 2048:
        done_before = H100.seconds(SIZES.prefill(1, 2048 - fresh, weights, cache), weights)
    prompt = H100.seconds(SIZES.prefill(1, 2048, weights, cache), weights) - done_before
    answer = 256 / 64 * H100.seconds(SIZES.decode(64, 2048, weights, cache), weights)
    return 1 / (prompt + answer)


def test_a_shared_prompt_and_eight_bits_triple_the_requests_of_a_card() -> None:
    plain = requests_a_second(2048, "bf16", "bf16")
    assert requests_a_second(512, "bf16", "bf16") / plain == pytest.approx(1.48, abs=0.02)
    assert requests_a_second(512, "fp8", "fp8") / plain == pytest.approx(2.9, abs=0.1)


def test_attention_does_as_much_as_the_matrices_at_six_times_the_width_of_a_classic_block() -> None:
    width = 768
    weights, tokens = 12 * width**2, 6 * width
    assert 2 * weights * tokens == 4 * width * tokens**2


def test_twice_the_prompt_is_more_than_twice_the_operations_and_a_decode_step_grows_by_a_line() -> (
    None
):
    read = [SIZES.prefill(1, tokens, "bf16").flops for tokens in (8192, 16384, 32768)]
    assert read[1] / read[0] > 2 and read[2] / read[1] > read[1] / read[0]
    steps = [SIZES.decode(1, tokens, "bf16") for tokens in (8192, 16384, 24576)]
    for kind in ("flops", "nbytes"):
        one, two, three = (getattr(step, kind) for step in steps)
        assert two - one == pytest.approx(three - two)
