"""The simulated server: what every policy keeps, and what each one changes.

Most tests use a step of one second whatever it does, or one with round numbers, so that expected
times are exact.
"""

from __future__ import annotations

import itertools
import json
import math
from dataclasses import replace
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import pytest

from halfbits.perf.cost import hardware, llama_3
from halfbits.serving import BlockPool, Policy, Replica, Request, Run, Step, poisson, simulate
from halfbits.serving.request import exponential, fixed

SOLUTIONS = Path(__file__).parents[2] / "solutions"
MANY = 10**6
BF16 = Replica(llama_3(8), hardware()["H100 SXM"])


def second(_: Step) -> float:
    return 1.0


def busy(step: Step) -> float:
    """Exact in binary: half a second for the weights, an eighth for each token."""
    return 0.5 + step.tokens / 8


def served(requests: list[Request], policy: Policy, blocks: int = MANY, **pool: Any) -> Run:
    return simulate(requests, busy, policy, BlockPool(blocks, **pool))


def chat(rate: float = 0.2, count: int = 80, seed: int = 0, **shared: Any) -> list[Request]:
    return poisson(rate, count, exponential(20, 99), exponential(9, 60), seed, **shared)


POLICIES = {
    "static": Policy(slots=8, is_static=True),
    "continuous": Policy(slots=8),
    "reserving": Policy(slots=8, reserve=True),
    "chunked": Policy(slots=8, chunk=16),
}
every_policy = pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES)


@every_policy
def test_everybody_gets_all_tokens_after_arrival_and_in_order(policy: Policy) -> None:
    requests = chat()
    run = served(requests, policy)
    for request, one in zip(requests, run.served, strict=True):
        assert len(one.times) == request.answer and one.times[0] > request.arrival
        assert sorted(set(one.times)) == one.times
    assert sum(done.step.answers for done in run.steps) == sum(r.answer for r in requests)


@every_policy
@pytest.mark.parametrize("reuse", [False, True])
def test_tokens_and_blocks_are_conserved(policy: Policy, reuse: bool) -> None:
    requests = chat(rate=1.0, prefix="system", shared=13)
    pool = BlockPool(60, block_size=4, reuse=reuse)  # scarce: a long request takes 42
    run = simulate(requests, busy, policy, pool)
    read = sum(done.step.tokens for done in run.steps)
    assert read + run.reused - run.lost == sum(r.prompt + r.answer - 1 for r in requests)
    assert (run.reused > 0) == reuse
    assert max(done.held for done in run.steps) <= 60
    assert pool.held == 0 and pool.free == 60


@every_policy
def test_the_same_requests_give_the_same_times(policy: Policy) -> None:
    assert served(chat(), policy, 60, block_size=4) == served(chat(), policy, 60, block_size=4)


@every_policy
def test_one_request_alone_takes_its_prefill_and_a_step_for_each_further_token(
    policy: Policy,
) -> None:
    [one] = served([Request(3.0, 40, 6)], policy).served
    chunks = [16, 16, 8] if policy.chunk else [40]
    prefill, decode = sum(0.5 + n / 8 for n in chunks), 0.5 + 1 / 8
    assert one.times == [3 + prefill + k * decode for k in range(6)]
    assert (one.ttft, one.tpot) == (prefill, decode)


def exercise(name: str) -> Any:
    """The function of this name in the reference solution of the exercise on batching."""
    path = SOLUTIONS / "serving/continuous_batching.ipynb"
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    space: dict[str, Any] = {}
    for cell in cells:
        if "answer" in cell["metadata"].get("tags", []):
            exec("".join(cell["source"]), space)
    return space[name]


@pytest.mark.parametrize("slots", [1, 3, 8])
@pytest.mark.parametrize("name", ["static_batching", "continuous_batching"])
def test_with_equal_steps_it_is_the_exercise(name: str, slots: int) -> None:
    arrivals, lengths = zip(*((int(r.arrival), r.answer) for r in chat(rate=0.6)), strict=True)
    requests = [Request(a, 1, n) for a, n in zip(arrivals, lengths, strict=True)]
    policy = Policy(slots, is_static=name == "static_batching")
    run = simulate(requests, second, policy, BlockPool(MANY))
    assert [one.times[-1] for one in run.served] == exercise(name)(arrivals, lengths, slots)


def test_with_equal_steps_nobody_waits_longer_for_continuous_batching() -> None:
    for seed in range(5):
        requests = chat(rate=0.6, seed=seed)
        static, continuous = (
            simulate(requests, second, Policy(4, is_static=s), BlockPool(MANY)).served
            for s in (True, False)
        )
        pairs = list(zip(static, continuous, strict=True))
        assert all(ours.ttft <= theirs.ttft for theirs, ours in pairs)
        assert fmean(c.ttft for _, c in pairs) < 0.5 * fmean(s.ttft for s, _ in pairs)


def test_a_prompt_that_joins_can_delay_another_so_that_a_static_batch_is_faster_for_one() -> None:
    # The second joins the first at once and shares its steps; in a static batch it waits for the
    # first, and the third is read together with it.
    requests = [Request(0.0, 1, 9), Request(0.1, 80, 2), Request(0.2, 1, 2)]
    static, continuous = (served(requests, Policy(2, is_static=s)).served for s in (True, False))
    assert continuous[1].ttft < static[1].ttft
    assert continuous[0].tpot > static[0].tpot  # the long prompt stalls who decodes
    requests = [Request(0.0, 1, 4), Request(0.1, 80, 9), Request(0.2, 1, 2)]
    static, continuous = (served(requests, Policy(2, is_static=s)).served for s in (True, False))
    assert continuous[2].ttft > static[2].ttft


def test_a_chunk_bounds_every_step_and_delays_the_first_token_of_the_long_prompt() -> None:
    requests = [Request(0.0, 1, 40), Request(2.0, 500, 3)]
    whole, pieces = (served(requests, Policy(8, chunk)) for chunk in (None, 16))
    assert max(done.step.tokens for done in pieces.steps) == 16
    assert max(done.seconds for done in pieces.steps) == busy(Step(16))
    assert max(done.seconds for done in whole.steps) == busy(Step(501))
    assert pieces.served[1].ttft > whole.served[1].ttft
    gaps = [
        max(b - a for a, b in itertools.pairwise(t))
        for t in (pieces.served[0].times, whole.served[0].times)
    ]
    assert gaps[0] == busy(Step(16)) < gaps[1] == busy(Step(501))


def test_a_prefix_saves_exactly_its_whole_blocks_for_all_but_the_first() -> None:
    requests = poisson(0.01, 30, exponential(20, 99), fixed(3), prefix="system", shared=100)
    runs = {reuse: served(requests, Policy(8), reuse=reuse) for reuse in (False, True)}
    saved = sum(d.step.tokens for d in runs[False].steps) - sum(
        d.step.tokens for d in runs[True].steps
    )
    assert saved == runs[True].reused == 29 * (100 // 16 * 16)
    pairs = zip(runs[True].served, runs[False].served, strict=True)
    assert all(with_reuse.ttft <= without.ttft for with_reuse, without in pairs)


def test_memory_is_never_exceeded_and_the_last_arrived_gives_way() -> None:
    run = served(chat(rate=2.0), Policy(slots=32), blocks=42, block_size=4)
    assert run.preempted > 0 and run.lost > 0
    assert max(done.held for done in run.steps) <= 42
    first = [one.times[0] for one in run.served]
    assert first[0] == min(first)
    reserving = served(chat(rate=2.0), Policy(slots=32, reserve=True), blocks=42, block_size=4)
    assert reserving.preempted == reserving.lost == 0


def test_a_watermark_makes_preemption_rarer() -> None:
    runs = [
        served(chat(rate=2.0, count=200), Policy(slots=32, watermark=w), blocks=60, block_size=4)
        for w in (0.0, 0.1)
    ]
    assert runs[1].preempted < runs[0].preempted


def test_more_blocks_never_hurt_when_whole_answers_are_reserved() -> None:
    waits = [
        fmean(
            one.ttft
            for one in served(
                chat(rate=1.0), Policy(32, reserve=True), blocks=b, block_size=4
            ).served
        )
        for b in (42, 84, 168)
    ]
    assert waits == sorted(waits, reverse=True)


@pytest.mark.parametrize("rate", [0.05, 0.1, 0.5])
@every_policy
def test_littles_law(policy: Policy, rate: float) -> None:
    """Requests in the system, integrated over time, are the sum of their stays.

    A step counts who was there when it began. So each request is counted late by at most the step
    in which it arrived.
    """
    requests = chat(rate)
    run = served(requests, policy)
    inside = sum((done.rows + done.waiting) * done.seconds for done in run.steps)
    stays = sum(one.times[-1] - one.arrival for one in run.served)
    late = len(requests) * max(done.seconds for done in run.steps)
    if policy.is_static:  # a slot counts until its batch ends
        assert inside >= stays - late
    else:
        assert stays - late <= inside <= stays + 1e-9 * stays


def test_with_one_slot_and_one_token_it_is_the_queue_of_khinchin_and_pollaczek() -> None:
    """M/D/1: requests wait u / (2 (1 - u)) services on average. The bound is five standard errors
    of the means of 20 batches, which are nearly independent."""
    load, count = 0.6, 20_000
    requests = poisson(load, count, fixed(1), fixed(1))
    run = simulate(requests, second, Policy(slots=1), BlockPool(MANY))
    waits = [one.ttft - 1 for one in run.served]
    means = [fmean(waits[at : at + 1000]) for at in range(0, count, 1000)]
    error = stdev(means) / math.sqrt(len(means))
    assert 0.01 < error < 0.1
    assert abs(fmean(waits) - load / (2 * (1 - load))) < 5 * error


def test_above_its_capacity_throughput_stands_still_and_waiting_grows_with_the_load() -> None:
    ends, waits = {}, {}
    for rate in (0.01, 4.0, 8.0):
        run = served(chat(rate, count=200), Policy(slots=8))
        ends[rate] = max(one.times[-1] for one in run.served)
        waits[rate] = fmean(one.ttft for one in run.served)
    assert ends[8.0] == pytest.approx(ends[4.0], rel=0.05)
    assert waits[8.0] > waits[4.0] > 20 * waits[0.01]


def test_a_cache_of_half_the_bits_admits_twice_the_rows() -> None:
    requests, most = poisson(1e6, 600, fixed(2000), fixed(2)), []
    for weights, cache in (("bf16", "bf16"), ("bf16", "fp8"), ("int4", "fp8")):
        pool = BlockPool(replace(BF16, weights=weights, cache=cache).blocks())
        run = simulate(requests, second, Policy(slots=1000, reserve=True), pool)
        most.append(max(done.rows for done in run.steps))
    assert most[1] == pytest.approx(2 * most[0], rel=0.02) and most[2] > most[1]


def test_what_cannot_be_served_is_refused_before_the_first_step() -> None:
    with pytest.raises(ValueError, match="needs 4 blocks; there are 3"):
        served([Request(0.0, 40, 10)], Policy(1), blocks=3)
    with pytest.raises(ValueError, match="a chunk of at least a token for each slot"):
        served([Request(0.0, 4, 1)], Policy(slots=4, chunk=3))
    with pytest.raises(ValueError, match="needs a slot"):
        served([Request(0.0, 4, 1)], Policy(slots=0))
    assert served([], Policy()).served == []
